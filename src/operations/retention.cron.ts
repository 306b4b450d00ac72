import { prepareChallengeExpiry } from "../accounts/passkeys/store";
import { prepareSessionExpiry } from "../accounts/members/sessions.store";
import { prepareExceptionExpiry } from "../delivery/exceptions.store";
import { prepareRollupExpiry } from "../metering/store";
import { prepareJobExpiry } from "../stream/jobs/store";
import type { ErasureDoors } from "./erasure/erase.io";
import { tickErasure } from "./erasure/tick.io";

/** How long rows that operators look back on are kept. */
const KEPT_MS = 30 * 86_400_000;
/** The most rows of each table that one round deletes: a mass delete would hold up other queries. */
const ROWS = 1_000;

/** Minutely: goes on deleting organizations and users. Hourly: deletes exceptions, rollups and finished jobs that nobody looks back on any more, and sessions and challenges that are over. */
export async function tidy(now: number, doors: ErasureDoors): Promise<void> {
  await Promise.all([tickErasure(Date.now(), doors), expire(now, doors.db)]);
}

async function expire(now: number, db: D1Database): Promise<void> {
  if (new Date(now).getUTCMinutes() !== 0) return;
  const before = now - KEPT_MS;
  await db.batch([
    prepareExceptionExpiry(db, before, ROWS),
    prepareRollupExpiry(db, before, ROWS),
    prepareJobExpiry(db, before, ROWS),
    prepareSessionExpiry(db, now, ROWS),
    prepareChallengeExpiry(db, now, ROWS),
  ]);
}
