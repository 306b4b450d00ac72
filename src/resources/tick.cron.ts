import { openOrganizations } from "../accounts/open.store";
import { type LogsPart, sendParts, type TicksQueue } from "../db/tick-parts";
import { settledAtOnce } from "../values/at-once";
import { chunks } from "../values/lists";
import { streamName } from "../stream/stream-name";
import { toTriggers } from "../flows/triggers/store";
import { destinationId } from "./resource";
import { sourceOf } from "./change";
import { handOver, prepareTriggers } from "./hand-over.io";
import {
  type LoggedChange,
  prepareExpiry,
  readAged,
  readBehind,
  readChanges,
  readExpired,
  saveHanded,
} from "./log/store";
import { prepareRemoval } from "../delivery/remove-destination.store";

/** How long changes are kept (reference resource-api.md §11). */
const RETENTION_MS = 7 * 86_400_000;
const CHANGES_AT_ONCE = 500;
const EXPIRED_AT_ONCE = 1_000;
/** Logs that one invocation tends: a few queries of D1 each, of which it may make a thousand. */
const LOGS_A_PART = 100;
/** An invocation has as many connections. */
const AT_ONCE = 6;

export type LogDoors = { db: D1Database; streams: Env["EVENT_STREAMS"] };

/**
 * Hands over the changes that a crash kept from their streams (`hand-over.io.ts`), and deletes changes that the log has
 * kept for seven days. A stream is asked which of the latest changes it has; for those no row is written.
 */
export async function tickResources(
  now: number,
  doors: LogDoors & { ticks: TicksQueue },
): Promise<void> {
  const behind = await readBehind(doors.db);
  const ids = behind.map(({ organizationId }) => organizationId);
  const open = await openOrganizations(doors.db, ids, now);
  const before = now - RETENTION_MS;
  const logs = chunks(
    behind.filter((one) => open.has(one.organizationId)),
    LOGS_A_PART,
  ).map((part): LogsPart => ({ kind: "logs", logs: part }));
  const aged = chunks(await readAged(doors.db, before), LOGS_A_PART).map((part): LogsPart => {
    return { kind: "aged-logs", before, organizationIds: part };
  });
  await sendParts(doors.ticks, [...logs.slice(1), ...aged.slice(1)]);
  for (const part of [...logs.slice(0, 1), ...aged.slice(0, 1)]) await tendLogs(part, doors);
}

/** Does what a part of a tick says: the first one by the tick itself, the others by whoever takes them from the queue. */
export async function tendLogs(part: LogsPart, doors: LogDoors): Promise<void> {
  switch (part.kind) {
    case "logs":
      await settledAtOnce(part.logs, AT_ONCE, ({ organizationId, handedSeq }) =>
        logFailures(organizationId, () => catchUp(organizationId, handedSeq, doors)),
      );
      return;
    case "aged-logs":
      await settledAtOnce(part.organizationIds, AT_ONCE, (organizationId) =>
        logFailures(organizationId, () => expire(organizationId, part.before, doors)),
      );
  }
}

/** A failure at one organization stops no other; the next tick tries again. */
async function logFailures(organizationId: number, task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    console.error(JSON.stringify({ at: "resources.tick", organizationId, error: String(error) }));
  }
}

async function catchUp(organizationId: number, from: number, doors: LogDoors): Promise<void> {
  for (let after = from; ;) {
    const changes = await readChanges(doors.db, organizationId, after, CHANGES_AT_ONCE);
    const last = changes.at(-1);
    if (last === undefined) return;
    const missing = await missingFrom(organizationId, changes, doors);
    if (missing.length > 0) {
      const { results } = await prepareTriggers(doors.db, organizationId, missing).all();
      await handOver(doors, organizationId, missing, toTriggers(results));
    }
    await saveHanded(doors.db, organizationId, last.seq);
    after = last.seq;
  }
}

async function missingFrom(
  organizationId: number,
  changes: readonly LoggedChange[],
  { streams }: LogDoors,
): Promise<LoggedChange[]> {
  const bySource = Map.groupBy(changes, ({ changed }) => sourceOf(changed.scope));
  const missing = await Promise.all(
    [...bySource].map(async ([source, own]) => {
      const stream = streams.getByName(streamName({ organizationId, source }));
      const committed = new Set(await stream.knownIds(own.map(({ eventId }) => eventId)));
      return own.filter(({ eventId }) => !committed.has(eventId));
    }),
  );
  return missing.flat();
}

/**
 * Deletes expired changes. With the record of a Webhook's deletion goes its destination, which nothing is sent to any
 * more.
 */
async function expire(organizationId: number, before: number, { db }: LogDoors): Promise<void> {
  const expired = await readExpired(db, organizationId, before, EXPIRED_AT_ONCE);
  if (expired === undefined) return;
  const { upTo, webhookIds } = expired;
  await db.batch([
    prepareExpiry(db, organizationId, upTo),
    ...(webhookIds.length === 0 ? [] : [prepareRemoval(db, webhookIds.map(destinationId))]),
  ]);
}
