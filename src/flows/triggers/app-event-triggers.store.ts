import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Section } from "../../db/directory/find";
import { tellDirectory } from "../../db/directory/tell";
import { flowTriggers } from "../../db/flows";
import { streamName } from "../../stream/stream-name";
import { Refusal } from "../../http/refusal";
import { userSource } from "../ids";
import type { Trigger } from "./trigger";
import { Cache } from "../../values/cache";

/**
 * The triggers of a user's flows that listen to an app event, as an isolate remembers them. A stop is exact: an event
 * that comes after the stop was answered starts nothing, in no isolate, and yet no event has to read D1.
 *
 * The version of the user's stream makes it so. Example:
 *
 *     isolate A reads that the stream is at version 7, then from D1 that trigger T listens to `order-paid`
 *     isolate B stops T's flow: deletes the trigger, then raises the stream to version 8, then answers
 *     isolate A commits `order-paid`, with T's run, expecting version 7: the stream refuses it, and names 8
 *     isolate A notes version 8, reads the triggers anew and commits the event without the run
 *
 * The version must be read before the triggers: read after them, it could be newer than they are. An isolate that
 * remembers nothing finds both in the directory; if it knows of a later version, it reads the triggers anew.
 */
export type UserTriggers = { version: number; triggers: Trigger[] };

type Owner = { organizationId: number; userId: number };

/** How long an isolate uses what it found without asking the directory, where another isolate may have put it. */
const REMEMBERED_MS = 5_000;
const MOST_ENTRIES = 5_000;
const TRIES = 3;
/** `userId event` → what listens to it, as of a version. */
const remembered = new Cache<string, UserTriggers>(MOST_ENTRIES);
/** The latest version of a user's stream that this isolate has seen. */
const versions = new Cache<number, number>(MOST_ENTRIES);
const section = new Section<UserTriggers>("app-event triggers 1");

const placeOf = (userId: number, event: string): string => `user:${userId}/listeners/${event}`;

/** What this isolate remembers, and how it stands with the stream. */
function recalled(userId: number, event: string, now: number) {
  const entry = remembered.get(`${userId} ${event}`, now);
  const latest = versions.get(userId, now);
  return { latest, current: entry?.version === latest ? entry : undefined };
}

/**
 * Asks the directory for a user's triggers before the user is known to exist: both lie in one of its objects, and share a
 * request. @returns undefined when they aren't needed, or not known there.
 */
export async function foreseeTriggers(
  userId: number,
  event: string,
  now: number,
): Promise<UserTriggers | undefined> {
  if (recalled(userId, event, now).current !== undefined) return undefined;
  return section.peek(placeOf(userId, event));
}

/** The triggers that an app event of this user starts. `foreseen`: asked for by the same request. */
export async function readAppEventTriggers(
  { db, streams }: { db: D1Database; streams: Env["EVENT_STREAMS"] },
  owner: Owner,
  event: string,
  now: number,
  foreseen?: UserTriggers,
): Promise<UserTriggers> {
  const { userId } = owner;
  const { latest, current } = recalled(userId, event, now);
  if (current !== undefined) return current;
  const place = placeOf(userId, event);
  if (foreseen !== undefined && foreseen.version >= (latest ?? 0))
    return remember(userId, event, foreseen, now);
  const found = await section.find(
    [place],
    async () => new Map([[place, await readNow({ db, streams }, owner, event, latest)]]),
    ({ version }) => version >= (latest ?? 0),
  );
  return remember(userId, event, found.get(place) ?? { version: 0, triggers: [] }, now);
}

function remember(userId: number, event: string, read: UserTriggers, now: number): UserTriggers {
  noteVersion(userId, read.version);
  remembered.set(`${userId} ${event}`, read, now + REMEMBERED_MS);
  return read;
}

async function readNow(
  { db, streams }: { db: D1Database; streams: Env["EVENT_STREAMS"] },
  owner: Owner,
  event: string,
  latest: number | undefined,
): Promise<UserTriggers> {
  const version = latest ?? (await streamOf(streams, owner).inspect()).version;
  const triggers = await drizzle(db)
    .select()
    .from(flowTriggers)
    .where(
      and(
        eq(flowTriggers.userId, owner.userId),
        eq(flowTriggers.key, event),
        // Written out: a bound value would not match the partial index.
        sql`kind = 'app-event'`,
        eq(flowTriggers.active, true),
      ),
    )
    .orderBy(flowTriggers.flowId, flowTriggers.componentId);
  return { version, triggers };
}

/** Notes a version of a user's stream: what was read under an older one is not used any more. */
export function noteVersion(userId: number, version: number): void {
  versions.set(userId, Math.max(version, versions.get(userId, 0) ?? 0), Infinity);
}

/**
 * After triggers of a user's flows changed: tells the directory, and raises the version of the user's stream, so that what any
 * isolate remembers is out of date.
 * @throws Refusal `unavailable` when one of them can't be reached: until then the change may show late.
 */
export async function invalidateTriggers(
  { db, streams }: { db: D1Database; streams: Env["EVENT_STREAMS"] },
  owner: Owner,
  flowIds: readonly string[],
): Promise<void> {
  for (let tries = 1; ; tries += 1)
    try {
      await tellDirectory(db, ...flowIds.map((id) => `flow:${id}` as const));
      const cursor = new Date().toISOString();
      const raised = await streamOf(streams, owner).commit({ cursor, events: [], targets: [] });
      return noteVersion(owner.userId, raised.version);
    } catch (error) {
      if (tries < TRIES) continue;
      console.error(JSON.stringify({ at: "triggers", error: String(error) }));
      throw new Refusal({ kind: "unavailable", message: "It may not be in effect yet: try again" });
    }
}

function streamOf(streams: Env["EVENT_STREAMS"], { organizationId, userId }: Owner) {
  return streams.getByName(streamName({ organizationId, source: userSource(userId) }));
}
