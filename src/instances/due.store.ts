import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

/** A tick that comes later than this many minutes polls everything once instead of minute by minute. */
const MOST_MINUTES = 1_440;

/**
 * Ids of the instances due in any of the minutes from `from` to `to`: those whose slot is one of the
 * minutes' remainders. Reads one row an interval and the due ones, both from the schedule's index.
 */
export async function dueInstances(db: D1Database, from: number, to: number): Promise<number[]> {
  const first = Math.max(from, to - MOST_MINUTES + 1);
  const rows = await drizzle(db).all<{ id: number }>(sql`
    WITH RECURSIVE
      intervals(n) AS (
        SELECT min(interval) FROM instances WHERE interval IS NOT NULL
        UNION ALL
        SELECT (SELECT min(interval) FROM instances WHERE interval > n) FROM intervals WHERE n IS NOT NULL
      ),
      minutes(m) AS (SELECT ${first} UNION ALL SELECT m + 1 FROM minutes WHERE m < ${to}),
      slots(interval, slot) AS (SELECT DISTINCT n, m % n FROM intervals, minutes WHERE n IS NOT NULL)
    SELECT instances.id AS id FROM slots CROSS JOIN instances INDEXED BY instances_schedule
    WHERE instances.interval = slots.interval AND instances.slot = slots.slot AND instances.interval IS NOT NULL`);
  return rows.map(({ id }) => id);
}
