import { readConfig } from "../../config";
import { textOf } from "../../connectors/read";
import { type HubDoors, type HubFailure, listRecords, writeRecord } from "../../hub/records.client";
import type { Instance } from "../../instances/instance";
import { keyring } from "../../db/sealed";
import { changeConfiguration } from "../../instances/store";
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

/**
 * Registers the webhooks that the instance wants and removes those it no longer wants. What fails is logged and tried
 * again when the instance is next saved.
 */
export async function register(
  instance: Instance,
  doors: HubDoors,
  { forget, remove = false }: { forget?: string; remove?: boolean } = {},
): Promise<void> {
  const registration = instance.connector.webhook?.registration;
  if (registration === undefined) return;
  const before = readRegistered(registration, instance.configuration);
  const registered: Registered = { ...before };
  const wanted = remove ? [] : wantedItems(registration, instance);
  for (const [item, id] of Object.entries(before)) {
    const isForgotten = id === forget;
    if (wanted.includes(item) && !isForgotten) continue;
    if (isForgotten || (await unregister(instance, registration, id, doors)))
      delete registered[item];
  }
  for (const item of wanted) {
    if (registered[item] !== undefined) continue;
    const id = await registerItem(instance, registration, item, doors);
    if (id !== undefined) registered[item] = id;
  }
  const isSame = JSON.stringify(registered) === JSON.stringify(before);
  if (!isSame && !remove)
    await changeConfiguration(
      doors.db,
      keyring(doors.config.masterKeys),
      instance.organizationId,
      instance.id,
      writeRegistered(registration, registered),
      Date.now(),
    );
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

async function registerItem(
  instance: Instance,
  registration: Registration,
  item: string,
  doors: HubDoors,
): Promise<string | undefined> {
  const { publicUrl } = doors.config;
  if (publicUrl === undefined) {
    report(instance, "register", { message: "TRIBUTARY_PUBLIC_URL is not set" });
    return undefined;
  }
  const name = Buffer.from(String(instance.id)).toString("base64");
  const address = `${publicUrl}/elements/api-v2/events/${instance.connector.key}/${name}`;
  let failure: { message: string } = { message: `'${item}' is no item` };
  for (const target of targetsOf(registration, item)) {
    const body = { target, address, triggers: registration.triggers[target.type] ?? [] };
    const answer = await writeRecord(
      instance,
      registration.resource,
      { kind: "create", body },
      doors,
    );
    if (answer.kind === "record") return textOf(readPath(answer.record, "id"));
    if (answer.kind === "vendor-error" && answer.status === 409)
      return takeOver(instance, registration, target, { body, doors });
    failure = answer;
  }
  report(instance, "register", failure);
  return undefined;
}

/** The vendor has a webhook for this item already: finds it and changes it so that it calls us. */
async function takeOver(
  instance: Instance,
  { resource }: Registration,
  target: { type: string; id: string },
  { body, doors }: { body: Record<string, unknown>; doors: HubDoors },
): Promise<string | undefined> {
  let position: Parameters<typeof listRecords>[2]["position"];
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await listRecords(
      instance,
      resource,
      position === undefined ? {} : { position },
      doors,
    );
    if (page.kind !== "page") {
      report(instance, "register", page);
      return undefined;
    }
    const found = page.records.find(
      (hook) =>
        textOf(readPath(hook, "target.id")) === target.id &&
        textOf(readPath(hook, "target.type")) === target.type,
    );
    const id = textOf(readPath(found, "id"));
    if (id !== undefined) {
      const changed = await writeRecord(instance, resource, { kind: "update", id, body }, doors);
      if (changed.kind !== "record") report(instance, "register", changed);
      return id;
    }
    if (page.next === null) break;
    position = page.next;
  }
  report(instance, "register", { message: "The vendor's own webhook is not in its list" });
  return undefined;
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
