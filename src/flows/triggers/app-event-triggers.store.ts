import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flowTriggers } from "../../db/flows";
import { streamName } from "../../stream/stream-name";
import { Refusal } from "../../http/refusal";
import { userSource } from "../ids";
import type { Trigger } from "./trigger";
import { Cache } from "../../values/cache";

/**
 * Which flows hear of a user's app events. An isolate keeps what it read together with the version of the user's
 * stream, read before it; every change of triggers raises that version; a commit names the version it stands on
 * and is refused when it is an old one. So a flow that was stopped is never started from memory, and no event
 * pays for it.
 */
export type Heard = { version: number; triggers: Trigger[] };

type Owner = { organizationId: number; userId: number };

/** A switch that died half-way, before it was answered, shows after this. */
const TRUST_MS = 5_000;
const MOST_KNOWN = 5_000;
const TRIES = 3;
const heard = new Cache<string, Heard>(MOST_KNOWN);
const versions = new Cache<number, number>(MOST_KNOWN);

/** The triggers that an app event of this user sets off. */
export async function readHeard(
  { db, streams }: { db: D1Database; streams: Env["EVENT_STREAMS"] },
  owner: Owner,
  event: string,
  now: number,
): Promise<Heard> {
  const { userId } = owner;
  const key = `${userId} ${event}`;
  const entry = heard.get(key, now);
  const known = versions.get(userId, now);
  if (entry !== undefined && entry.version === known) return entry;
  const version = known ?? (await streamOf(streams, owner).inspect()).version;
  learnVersion(userId, version);
  const triggers = await drizzle(db)
    .select()
    .from(flowTriggers)
    .where(
      and(
        eq(flowTriggers.userId, userId),
        eq(flowTriggers.key, event),
        // Written out: a bound value would not match the partial index.
        sql`kind = 'app-event'`,
        eq(flowTriggers.active, true),
      ),
    )
    .orderBy(flowTriggers.flowId, flowTriggers.componentId);
  const read = { version, triggers };
  heard.set(key, read, now + TRUST_MS);
  return read;
}

/** A commit was refused: what was read under an older version counts no more. */
export function learnVersion(userId: number, version: number): void {
  versions.set(userId, Math.max(version, versions.get(userId, 0) ?? 0), Infinity);
}

/**
 * Tells a user's stream that triggers changed: what anybody read before is out of date.
 * @throws Refusal `unavailable` when it could not be told: the change may show late.
 */
export async function announceTriggers(streams: Env["EVENT_STREAMS"], owner: Owner): Promise<void> {
  for (let tries = 1; ; tries += 1)
    try {
      const cursor = new Date().toISOString();
      const told = await streamOf(streams, owner).commit({ cursor, events: [], targets: [] });
      return learnVersion(owner.userId, told.version);
    } catch (error) {
      if (tries < TRIES) continue;
      console.error(JSON.stringify({ at: "triggers", error: String(error) }));
      throw new Refusal({ kind: "unavailable", message: "It may not be in effect yet: try again" });
    }
}

function streamOf(streams: Env["EVENT_STREAMS"], { organizationId, userId }: Owner) {
  return streams.getByName(streamName({ organizationId, source: userSource(userId) }));
}
