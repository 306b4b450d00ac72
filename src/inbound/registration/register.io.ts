import { readConfig } from "../../config";
import { textOf } from "../../connectors/read";
import { failureText } from "../../hub/answer";
import { type HubDoors, type HubFailure, listRecords, writeRecord } from "../../hub/records.client";
import type { Instance } from "../../instances/instance";
import { keyring } from "../../db/sealed";
import { changeConfiguration } from "../../instances/store";
import { instanceAddress } from "../address";
import {
  readRegistered,
  type Registered,
  type Registration,
  targetsOf,
  wantedItems,
  writeRegistered,
} from "./items";
import { readPath } from "../../values/path";

export function doorsOf(env: Env): HubDoors {
  return { db: env.DB, config: readConfig(env), streams: env.EVENT_STREAMS };
}

/** Pages of the vendor's list of webhooks that are searched for one. */
const MOST_PAGES = 20;
/** Items that could not be registered of which an instance keeps the reasons, and the characters of each. */
const MOST_KEPT = 5;
const MOST_TEXT = 300;

/**
 * Registers the webhooks that the instance wants and removes those it no longer wants. What fails is logged, kept with
 * the instance in the vendor's words, and tried again when the instance is next saved.
 * @returns the instance's configuration after it.
 */
export async function register(
  instance: Instance,
  doors: HubDoors,
  { forget, remove = false }: { forget?: string; remove?: boolean } = {},
): Promise<Instance["configuration"]> {
  const { configuration, registrationFault } = instance;
  const registration = instance.connector.webhook?.registration;
  if (registration === undefined) return configuration;
  const before = readRegistered(registration, configuration);
  const registered: Registered = { ...before };
  const wanted = remove ? [] : wantedItems(registration, instance);
  for (const [item, id] of Object.entries(before)) {
    const isForgotten = id === forget;
    if (wanted.includes(item) && !isForgotten) continue;
    if (isForgotten || (await unregister(instance, registration, id, doors)))
      delete registered[item];
  }
  const failed: NonNullable<Instance["registrationFault"]>["items"] = [];
  for (const item of wanted) {
    if (registered[item] !== undefined) continue;
    const made = await registerItem(instance, registration, item, doors);
    if (made.ok) registered[item] = made.id;
    else failed.push({ item: item.slice(0, MOST_TEXT), message: made.message.slice(0, MOST_TEXT) });
  }
  const now = Date.now();
  const since = registrationFault?.since ?? now;
  const fault =
    failed.length === 0 ? null : { since, count: failed.length, items: failed.slice(0, MOST_KEPT) };
  const changes = writeRegistered(registration, registered);
  const isSame =
    JSON.stringify([registered, fault]) === JSON.stringify([before, registrationFault]);
  if (isSame || remove) return configuration;
  const ring = keyring(doors.config.masterKeys);
  const { organizationId, id } = instance;
  const also = { registrationFault: fault };
  await changeConfiguration(doors.db, ring, organizationId, id, changes, now, also);
  return { ...configuration, ...changes };
}

/** Answers whether the webhook is gone, which it also is when the vendor does not know it any more. */
async function unregister(
  instance: Instance,
  { resource }: Registration,
  id: string,
  doors: HubDoors,
): Promise<boolean> {
  const answer = await writeRecord(instance, resource, { kind: "delete", id }, doors);
  const isGone =
    answer.kind === "record" || (answer.kind === "vendor-error" && answer.status === 404);
  if (!isGone) report(instance, "unregister", answer);
  return isGone;
}

type Made = { ok: true; id: string } | { ok: false; message: string };

async function registerItem(
  instance: Instance,
  registration: Registration,
  item: string,
  doors: HubDoors,
): Promise<Made> {
  const made = await makeWebhook(instance, registration, item, doors);
  if (!made.ok) report(instance, "register", made);
  return made;
}

async function makeWebhook(
  instance: Instance,
  registration: Registration,
  item: string,
  doors: HubDoors,
): Promise<Made> {
  const { publicUrl } = doors.config;
  if (publicUrl === undefined) return { ok: false, message: "TRIBUTARY_PUBLIC_URL is not set" };
  const address = instanceAddress(publicUrl, instance.connector, instance.id);
  let failure: Made = { ok: false, message: `'${item}' is no item` };
  for (const target of targetsOf(registration, item)) {
    const body = { target, address, triggers: registration.triggers[target.type] ?? [] };
    const answer = await writeRecord(
      instance,
      registration.resource,
      { kind: "create", body },
      doors,
    );
    if (answer.kind === "record") return madeOf(textOf(readPath(answer.record, "id")));
    if (answer.kind === "vendor-error" && answer.status === 409)
      return takeOver(instance, registration, target, { body, doors });
    failure = { ok: false, message: failureText(answer) };
  }
  return failure;
}

const madeOf = (id: string | undefined): Made =>
  id === undefined
    ? { ok: false, message: "The vendor's answer names no webhook" }
    : { ok: true, id };

/** The vendor has a webhook for this item already: finds it and changes it so that it calls us. */
async function takeOver(
  instance: Instance,
  { resource }: Registration,
  target: { type: string; id: string },
  { body, doors }: { body: Record<string, unknown>; doors: HubDoors },
): Promise<Made> {
  let position: Parameters<typeof listRecords>[2]["position"];
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await listRecords(
      instance,
      resource,
      position === undefined ? {} : { position },
      doors,
    );
    if (page.kind !== "page") return { ok: false, message: failureText(page) };
    const found = page.records.find(
      (hook) =>
        textOf(readPath(hook, "target.id")) === target.id &&
        textOf(readPath(hook, "target.type")) === target.type,
    );
    const id = textOf(readPath(found, "id"));
    if (id !== undefined) {
      const changed = await writeRecord(instance, resource, { kind: "update", id, body }, doors);
      return changed.kind === "record"
        ? { ok: true, id }
        : { ok: false, message: failureText(changed) };
    }
    if (page.next === null) break;
    position = page.next;
  }
  return { ok: false, message: "The vendor's own webhook is not in its list" };
}

function report(instance: Instance, what: string, failure: HubFailure | { message: string }): void {
  const { message } = failure;
  console.warn(
    JSON.stringify({
      at: `inbound.${what}`,
      instanceId: instance.id,
      error: message.slice(0, 300),
    }),
  );
}
