import { prepareAuditExpiry } from "../accounts/audit.store";
import { prepareChallengeExpiry } from "../accounts/passkeys/store";
import { prepareSessionExpiry } from "../accounts/members/sessions.store";
import { prepareConnectExpiry } from "../accounts/tenants/connect-sessions.store";
import { preparePortalExpiry } from "../accounts/tenants/portal-sessions.store";
import { tellAll } from "../db/directory/tell";
import { prepareExceptionExpiry } from "../delivery/exceptions.store";
import { prepareUsageExpiry } from "../metering/coarsen.store";
import { tidyUsage } from "../metering/tidy.io";
import { prepareJobExpiry } from "../stream/jobs/store";
import { watchDatabase } from "./database/watch.io";
import type { ErasureDoors } from "./erasure/erase.io";
import { tickUpkeep } from "./upkeep.io";
import { tickErasure } from "./erasure/tick.io";

/** How long rows that operators look back on are kept. */
const KEPT_MS = 30 * 86_400_000;
/** The most rows that one statement deletes: a mass delete would hold up other queries. */
const ROWS = 1_000;
/** How often each is repeated in one minute while it finds as many: 72 million rows a day are more than anybody makes. */
const ROUNDS = 50;

/**
 * Minutely: goes on deleting organizations and users, looks after some objects, tells the directory what nobody has told it,
 * folds the usage, and deletes what nobody looks back on any more (exceptions, finished jobs, entries of the audit log,
 * sessions and challenges that are over), as much as there is.
 */
export async function tidy(now: number, doors: ErasureDoors): Promise<void> {
  const { db } = doors;
  await Promise.all([
    tickErasure(Date.now(), doors).finally(() => tellAll(db)),
    tickUpkeep(now, doors),
    tidyUsage(db, now),
    expire(now, db),
    watchDatabase(doors, now),
  ]);
}

/** @returns how many rows were deleted. */
export async function expire(now: number, db: D1Database): Promise<number> {
  const before = now - KEPT_MS;
  let due = [
    prepareExceptionExpiry(db, before, ROWS),
    prepareAuditExpiry(db, now, ROWS),
    prepareJobExpiry(db, before, ROWS),
    prepareSessionExpiry(db, now, ROWS),
    preparePortalExpiry(db, now, ROWS),
    prepareConnectExpiry(db, now, ROWS),
    prepareChallengeExpiry(db, now, ROWS),
    ...prepareUsageExpiry(db, now, ROWS),
  ];
  let deleted = 0;
  for (let round = 1; round <= ROUNDS && due.length > 0; round += 1) {
    const results = await db.batch(due);
    const changes = results.map(({ meta }) => meta.changes);
    deleted += changes.reduce((sum, n) => sum + n, 0);
    due = due.filter((_, index) => changes[index] === ROWS);
  }
  return deleted;
}
