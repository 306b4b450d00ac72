import { faultsOf } from "../event-types/event-type";
import { findEndpoints } from "../delivery/endpoints.store";
import { findEventType, findRevisions } from "../event-types/find.io";
import { findTenant } from "../accounts/tenants/known.store";
import { keptFor, type Tenant } from "../accounts/tenants/tenant";
import { conflict, notFound, Refusal, type Violation } from "../http/refusal";
import type { Happened } from "../stream/event";
import { groupsByWeight } from "../stream/plan";
import { streamName } from "../stream/stream-name";
import { ingest, type IngestDoors } from "../subscriptions/ingest.io";
import {
  type Payload,
  type Publication,
  publishedSource,
  readyToTell,
  type Ready,
  storedIds,
} from "./publication";

/** Who publishes: into which stream. `hops`: how many requests of this platform led to it. */
export type Publisher = { organizationId: number; tenant: Tenant | null; hops: number };

/** What an event's publisher is told: its id, whether it came before, and how many destinations hear of it. */
export type Told = { id: string; duplicate: boolean; destinations: number };

/** Events of one commit to a stream: few enough for one call. */
const EVENTS_A_COMMIT = 100;
const UNITS_A_COMMIT = 4_000_000;

/**
 * What is published, the version of its type's schema that it was checked by, and where its data lies; absent: there is
 * no schema, and the data goes with it.
 */
export type Checked = { publication: Publication; version?: number; payload?: Payload };

/** Checks what is published by the schema of its type. @returns what is wrong with it, each fault by its path. */
export async function check(
  db: D1Database,
  { organizationId }: Pick<Publisher, "organizationId">,
  publication: Publication,
): Promise<Checked | { faults: [Violation, ...Violation[]] }> {
  const type = await findEventType(db, organizationId, publication.type);
  if (type === undefined || type.schema === null) return { publication };
  const [first, ...others] = faultsOf(type, publication.data).map(({ path, message }) => ({
    field: path === "" ? "data" : `data.${path}`,
    message,
  }));
  return first === undefined
    ? { publication, version: type.version }
    : { faults: [first, ...others] };
}

/**
 * Publishes events, each once for its id, in order: when it returns they are kept.
 * @throws Refusal `unavailable` when it is not certain that all were kept: those that were are duplicates the next time.
 */
export async function publish(
  doors: IngestDoors,
  publisher: Publisher,
  checked: readonly Checked[],
): Promise<Told[]> {
  const source = publishedSource(publisher.tenant?.id ?? null);
  const all = checked.map(({ publication, ...made }) =>
    readyToTell(source, publication, {
      ...made,
      now: Date.now(),
      random: crypto.randomUUID().replaceAll("-", ""),
      hops: publisher.hops,
    }),
  );
  const weight = ({ event }: Ready): number => event.data.length;
  const told: Told[] = [];
  for (const some of groupsByWeight(all, UNITS_A_COMMIT, EVENTS_A_COMMIT, weight))
    told.push(...(await tell(doors, publisher, some)));
  return told;
}

async function tell(
  doors: IngestDoors,
  { organizationId, tenant }: Publisher,
  some: readonly Ready[],
): Promise<Told[]> {
  const tenantId = tenant?.id ?? null;
  const source = publishedSource(tenantId);
  const channels = new Map(some.map(({ event, ...one }) => [event.id, one.channels]));
  const committed = await ingest(doors, {
    organizationId,
    source,
    commit: { events: some.map(({ event }) => event) },
    keptFor: keptFor(tenant),
    origin: { tenant: tenantId, channelsOf: ({ id }: Happened) => channels.get(id) },
    own: () => [],
  }).catch((error: unknown) => {
    console.error(JSON.stringify({ at: "publish", error: String(error) }));
    throw new Refusal({ kind: "unavailable", message: "It could not be stored: try again" });
  });
  const fresh = new Set(committed.kind === "committed" ? committed.accepted : []);
  const stream = doors.streams.getByName(streamName({ organizationId, source }));
  return Promise.all(
    some.map(async ({ id, event }): Promise<Told> => {
      if (fresh.delete(event.id))
        return { id, duplicate: false, destinations: committed.heardBy.get(event.id) ?? 0 };
      const first = await stream.event(event.id);
      return { id, duplicate: true, destinations: first?.notifications.length ?? 0 };
    }),
  );
}

/**
 * Cancels what an event that is told later would have told. @returns how many destinations will not hear of it; `left`: it was
 * told, or cancelled before.
 */
export async function cancel(
  { streams }: Pick<IngestDoors, "streams">,
  { organizationId, tenant }: Publisher,
  id: string,
): Promise<number | "unknown" | "left"> {
  const source = publishedSource(tenant?.id ?? null);
  const stream = streams.getByName(streamName({ organizationId, source }));
  const found = await Promise.all(storedIds(source, id).map((one) => stream.event(one)));
  const event = found.find((one) => one !== null) ?? null;
  if (event === null) return "unknown";
  if ((event.deliverAt ?? 0) <= Date.now()) return "left";
  const ends = await Promise.all(event.notifications.map((seq) => stream.cancel(seq)));
  const cancelled = ends.filter((end) => end?.isCancelled === true).length;
  return cancelled === 0 && ends.length > 0 ? "left" : cancelled;
}

/**
 * Who publishes to a tenant, or to none. What is asked next about what is published is asked for with it: all of it is one
 * request to the directory.
 * @throws Refusal unless the tenant is there and switched on.
 */
export async function publisherTo(
  db: D1Database,
  organizationId: number,
  tenantId: string | null,
  hops: number,
): Promise<Publisher> {
  const [tenant] = await Promise.all([
    tenantId === null ? null : findTenant(db, organizationId, tenantId),
    findEndpoints(db, organizationId, tenantId),
    findRevisions(db, organizationId),
  ]);
  if (tenant === null || tenantId === null) return { organizationId, tenant: null, hops };
  if (tenant === undefined) throw notFound(`No tenant '${tenantId}'`);
  if (tenant.disabled) throw conflict(`The tenant '${tenantId}' is switched off`);
  return { organizationId, tenant, hops };
}
