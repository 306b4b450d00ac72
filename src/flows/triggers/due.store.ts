import { and, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { activeUser } from "../../accounts/open.store";
import { flowTriggers } from "../../db/flows";
import type { FlowsPart, Place } from "../../db/tick-parts";
import type { Trigger } from "./trigger";

/** A schedule that is due. `place.minute` is the minute it is due at. */
export type Scheduled = Trigger & { place: Place };

/** Due at a minute, and its user is active. */
const IS_DUE = `next_minute IS NOT NULL AND next_minute <= ?1 AND ${activeUser("t.user_id")}`;

/**
 * Where the pages of the schedules that are due end, in the order in which they came due; the last, which is not full,
 * has no end. One query, which reads the index of schedules and no schedule.
 */
export async function pagesOfDue(db: D1Database, minute: number, size: number): Promise<Place[]> {
  const { results } = await db
    .prepare(
      `SELECT minute, "row" FROM (
         SELECT next_minute AS minute, t.rowid AS "row", row_number() OVER (ORDER BY next_minute, t.rowid) AS n
         FROM flow_triggers AS t INDEXED BY flow_triggers_schedule WHERE ${IS_DUE})
       WHERE n % ?2 = 0`,
    )
    .bind(minute, size)
    .all<Place>();
  return results;
}

/** The schedules of a part that are due, at most `limit`. */
export async function dueSchedules(
  db: D1Database,
  { minute, after, upTo }: FlowsPart,
  limit: number,
): Promise<Scheduled[]> {
  const row = sql<number>`flow_triggers.rowid`;
  const place = sql`(next_minute, flow_triggers.rowid)`;
  const rows = await drizzle(db)
    .select({ trigger: flowTriggers, minute: sql<number>`next_minute`, row })
    .from(flowTriggers)
    .where(
      and(
        sql`next_minute IS NOT NULL AND next_minute <= ${minute}`,
        after === null ? undefined : sql`${place} > (${after.minute}, ${after.row})`,
        upTo === null ? undefined : sql`${place} <= (${upTo.minute}, ${upTo.row})`,
        sql.raw(activeUser("flow_triggers.user_id")),
      ),
    )
    .orderBy(sql`next_minute`, row)
    .limit(limit);
  return rows.map(({ trigger, ...at }) => ({ ...trigger, place: at }));
}

/** Writes down when schedules are due next, in one query; those that somebody else has moved are left as they are. */
export async function moveSchedules(
  db: D1Database,
  moved: readonly { trigger: Scheduled; next: number | null }[],
): Promise<void> {
  if (moved.length === 0) return;
  const rows = moved.map(({ trigger: { flowId, componentId, place }, next }) => [
    flowId,
    componentId,
    place.minute,
    next,
  ]);
  await db
    .prepare(
      `UPDATE flow_triggers SET next_minute = moved.value ->> 3 FROM json_each(?1) AS moved
       WHERE flow_id = moved.value ->> 0 AND component_id = moved.value ->> 1 AND next_minute = moved.value ->> 2`,
    )
    .bind(JSON.stringify(rows))
    .run();
}
