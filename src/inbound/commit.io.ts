import { keptFor } from "../accounts/tenants/tenant";
import { findConnector } from "../connectors/catalog";
import type { Change, Control, Extracted } from "../connectors/webhook";
import { announceEvent } from "../stream/announce.io";
import { instanceSource } from "../stream/stream-name";
import type { Trigger } from "../flows/triggers/trigger";
import { invalid } from "../http/refusal";
import { markInvalid } from "../instances/grants.store";
import type { HubDoors } from "../hub/records.client";
import type { PolledAs } from "../instances/polled";
import type { Instance } from "../instances/instance";
import { findTriggers } from "../instances/heard.store";
import { callbacks, flowsOf, originOf } from "../instances/subscriptions";
import { touchedState } from "../instances/touched";
import { ingest } from "../subscriptions/ingest.io";
import { extract } from "./extract";
import { logUncommitted } from "./log.io";
import {
  goneState,
  eventsOf,
  polledChanges,
  type Listening,
  listening,
  objectTypes,
} from "./outcome";
import { readOwnCallback } from "./own-callback";
import { register } from "./registration/register.io";
import type { Content } from "./content";
import type { Deal } from "./tenant-parts";

/** A poll begins this long after the webhook that wakes it, so that a burst of webhooks wakes one. */
const WAKE_AFTER_MS = 500;

/** What a delivery is committed with. */
export type InboundDoors = HubDoors & { polledAs: PolledAs };

/**
 * How a delivery came: its headers, and how many instances of ours it has passed through. `triggers`: the flows that listen
 * to any of the instances it is for.
 */
export type Transport = {
  headers: { get(name: string): string | null };
  hops: number;
  triggers?: () => Promise<readonly Trigger[]>;
  /** It is a callback of one of our own instances. */
  isOwn?: boolean;
};

/**
 * What became of a delivery. `took`: it was this instance's, and became events or woke a poll; `nothing`: why it became
 * no event, though its sender was proved.
 */
export type Became =
  | { kind: "took"; events: number }
  | { kind: "nothing"; outcome: "no-event" | "ignored"; reason: string };

/**
 * Commits the events of a delivery whose signature was checked to an instance's stream, wakes its poll, and does what
 * the vendor asks for (`Control`).
 * @throws Refusal `invalid` when the delivery can't be read.
 */
export async function commitDelivery(
  instance: Instance,
  deal: Deal,
  transport: Transport,
  doors: InboundDoors,
): Promise<Became> {
  const { connector, id } = instance;
  const mode = listening(instance);
  const parts =
    connector.webhook === undefined ? [] : deal(connector.webhook, instance.configuration);
  if (connector.webhook === undefined || mode.kind === "ignores" || parts.length === 0) {
    const reason = mode.kind === "ignores" ? mode.reason : "another tenant's";
    logUncommitted(connector.key, reason, id);
    return { kind: "nothing", outcome: "ignored", reason };
  }
  const isPolled = mode.kind === "emits" ? () => false : polledChanges(instance, doors.polledAs);
  let events = 0;
  let hasEffect = false;
  const reasons: string[] = [];
  for (const part of parts) {
    // Connectors that people made read our callbacks by rules of their own.
    const isOurs = transport.isOwn === true && findConnector(connector.key) !== undefined;
    const own = isOurs ? readOwnCallback(part.body) : undefined;
    const read: Extracted =
      own === undefined
        ? await extract(connector.webhook.extraction, { ...part, headers: transport.headers })
        : { kind: "extracted", changes: own, controls: [] };
    if (read.kind === "unreadable") throw invalid(read.message);
    const { changes, controls } = read;
    const emitted = own === undefined ? changes.filter((change) => !isPolled(change)) : changes;
    const isResync = controls.some(({ kind }) => kind === "resync");
    const wakes = mode.kind === "wakes" && (changes.length > emitted.length || isResync);
    if (isResync && mode.kind === "emits") reasons.push("tells what only a poll sees");
    else if (changes.length === 0 && controls.length === 0) reasons.push("no change found in it");
    const touched = wakes ? touchedBy(changes, emitted, controls) : [];
    const accepted = await commit(
      instance,
      { part, mode, emitted, wakes, touched },
      transport,
      doors,
    );
    if (emitted.length > 0 && accepted === 0) reasons.push("repeated");
    events += accepted;
    hasEffect ||= accepted > 0 || wakes || controls.some(({ kind }) => kind !== "resync");
    for (const control of controls) await carryOut(instance, control, doors);
  }
  for (const reason of new Set(reasons)) logUncommitted(connector.key, reason, id);
  return hasEffect
    ? { kind: "took", events }
    : { kind: "nothing", outcome: "no-event", reason: [...new Set(reasons)].join("; ") };
}

/** The object types that the woken poll has to read. */
function touchedBy(
  changes: readonly Change[],
  emitted: readonly Change[],
  controls: readonly Control[],
): string[] {
  const unseen = changes.filter((change) => !emitted.includes(change));
  return [
    ...unseen.map(({ objectType }) => objectType),
    ...controls.flatMap((control) => (control.kind === "resync" ? control.objectTypes : [])),
  ];
}

type Work = {
  part: Content;
  mode: Listening;
  emitted: readonly Change[];
  wakes: boolean;
  touched: readonly string[];
};

/** @returns how many events are new. */
async function commit(
  instance: Instance,
  { part, mode, emitted, wakes, touched }: Work,
  { hops, triggers = () => findTriggers(doors.db, instance) }: Transport,
  doors: InboundDoors,
): Promise<number> {
  if (emitted.length === 0 && !wakes) return 0;
  const { id, organizationId, connector } = instance;
  const source = instanceSource(id);
  const now = Date.now();
  const message = { ids: [id], wake: true };
  const typeOf = objectTypes(instance, doors.polledAs);
  const events = eventsOf(source, emitted, now, typeOf, hops);
  const committed = await ingest(doors, {
    organizationId,
    source,
    commit: {
      events,
      ...(emitted.length === 0 ? {} : { raw: rawOf(part) }),
      state: [...touchedState(connector, touched, now), ...goneState(mode, events)],
      ...(wakes ? { wake: { at: now + WAKE_AFTER_MS, message } } : {}),
    },
    keptFor: keptFor(instance.tenant),
    origin: originOf(instance),
    own: async () => [
      ...callbacks(instance, () => ({ most: 20, ...(hops === 0 ? {} : { hops }) })),
      ...flowsOf(instance, await triggers()),
    ],
  });
  return committed.kind === "committed" ? committed.accepted.length : 0;
}

/** The vendor's body as JSON text: JSON unchanged, a form as an object of its fields, XML as one string. */
const rawOf = ({ body, text }: Content): string =>
  typeof body === "string" ? JSON.stringify(text) : text;

async function carryOut(instance: Instance, control: Control, doors: HubDoors): Promise<void> {
  switch (control.kind) {
    case "reauthorize":
      if (await markInvalid(doors.db, instance.id, control.reason, Date.now()))
        await announceEvent(doors, instance.organizationId, {
          type: "instance.invalid",
          subject: String(instance.id),
          data: { instanceId: instance.id, reason: control.reason },
        });
      return;
    case "register-again":
      await register(instance, doors, { forget: control.webhookId });
      return;
    case "resync":
      return;
  }
}
