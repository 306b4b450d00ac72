import { prepareStreamNotes } from "../db/objects";
import type { Millis } from "../values/instant";
import { COLUMNS } from "./count";
import { flushesFrom } from "./flushes.store";
import { STEPS } from "./rollup";

/** Sources and destinations that share a row of `usage_details`. */
const KEYS_A_ROW = 64;
/** What one batch folds: a batch holds up all other queries while it runs. */
const MOST_KEYS = 20_000;
const MOST_FLUSHES = 500;
/** Flushes are folded when the oldest is this old, or there are this many: a busy key is then written once for all of them. */
const FOLD_EVERY_MS = 300_000;
const MANY_FLUSHES = 200;
const ROLLUPS_A_BATCH = 2_000;

const names = COLUMNS.join(", ");
const summed = COLUMNS.map((name) => `sum(${name}) AS ${name}`).join(", ");
const added = COLUMNS.map((name) => `${name} = ${name} + excluded.${name}`).join(", ");

/** The counts in the JSON array `value`, which has them from `offset` on. */
export const countsIn = (value: string, offset: number): string =>
  COLUMNS.map((name, index) => `json_extract(${value}, '$[${index + offset}]') AS ${name}`).join(
    ", ",
  );

/**
 * Folds what isolates wrote into the tables that are read. One batch adds the counts up and deletes the flushes that
 * they came from: whatever is killed, each counts once. @returns whether more waits.
 */
export async function foldFlushes(db: D1Database, now: Millis): Promise<boolean> {
  const { results } = await db
    .prepare("SELECT id, n FROM usage_flushes WHERE id > '' ORDER BY id LIMIT ?")
    .bind(MOST_FLUSHES)
    .all<{ id: string; n: number }>();
  const isOld = (results[0]?.id ?? "z") < flushesFrom(now - FOLD_EVERY_MS);
  if (!isOld && results.length < MANY_FLUSHES) return false;
  const ids: string[] = [];
  for (let keys = 0; keys < MOST_KEYS && ids.length < results.length;) {
    const { id, n } = results[ids.length] ?? { id: "", n: 0 };
    ids.push(id);
    keys += n;
  }
  const chosen = "id IN (SELECT value FROM json_each(?1))";
  const entries = `SELECT ${STEPS.fine} AS step, json_extract(e.value, '$[0]') AS organization_id,
      json_extract(e.value, '$[1]') AS bucket, json_extract(e.value, '$[2]') AS source,
      json_extract(e.value, '$[3]') AS destination_id, ${countsIn("e.value", 4)}
    FROM usage_flushes AS f, json_each(f.body) AS e WHERE f.${chosen}`;
  await db.batch(
    [...adding(entries), `DELETE FROM usage_flushes WHERE ${chosen}`].map((text) =>
      db.prepare(text).bind(JSON.stringify(ids)),
    ),
  );
  return ids.length < results.length || results.length === MOST_FLUSHES;
}

/** Moves some of what older versions wrote, in the same way; streams that only these rows name are written down. @returns whether more waits. */
export async function foldRollups(db: D1Database, now: Millis): Promise<boolean> {
  const chosen = `SELECT * FROM rollups WHERE organization_id > 0
    ORDER BY organization_id, bucket, source, destination_id LIMIT ${ROLLUPS_A_BATCH}`;
  const step = `CASE WHEN bucket < ?1 THEN ${STEPS.hour} ELSE ${STEPS.fine} END`;
  const entries = `SELECT ${step} AS step, organization_id, bucket - bucket % ${step} AS bucket, source,
      destination_id, ${names} FROM (${chosen})`;
  const keys = "organization_id, bucket, source, destination_id";
  const results = await db.batch([
    ...adding(entries).map((text) => db.prepare(text).bind(now - 2 * STEPS.day)),
    prepareStreamNotes(db, chosen),
    db.prepare(`DELETE FROM rollups WHERE (${keys}) IN (SELECT ${keys} FROM (${chosen}))`),
  ]);
  return results.at(-1)?.meta.changes === ROLLUPS_A_BATCH;
}

/** The statements that add up `entries`: columns step, organization, bucket, source, destination, counts. */
const adding = (entries: string): string[] => [
  intoTotals(entries),
  intoDetails(entries),
  intoDestinations(entries),
];

export const intoTotals = (entries: string): string =>
  `INSERT INTO usage_totals (step, organization_id, bucket, ${names})
   SELECT step, organization_id, bucket, ${summed} FROM (${entries}) WHERE true GROUP BY 1, 2, 3
   ON CONFLICT DO UPDATE SET ${added}`;

/** Neighbours in the order of their sources share a row. */
export const intoDetails = (entries: string): string =>
  `INSERT INTO usage_details (step, organization_id, bucket, id, body)
   SELECT step, organization_id, bucket, min(source) || ' ' || lower(hex(randomblob(8))),
     json_group_array(json_array(source, destination_id, ${names})) FROM (
       SELECT *, (row_number() OVER (PARTITION BY step, organization_id, bucket ORDER BY source, destination_id) - 1) / ${KEYS_A_ROW} AS part
       FROM (SELECT step, organization_id, bucket, source, destination_id, ${summed}
             FROM (${entries}) GROUP BY 1, 2, 3, 4, 5))
   GROUP BY step, organization_id, bucket, part`;

/** The hours of a destination's day are one row, which is read, added to, and written again. */
const intoDestinations = (entries: string): string => {
  const key = "day, organization_id, destination_id";
  const day = `bucket - bucket % ${STEPS.day} AS day`;
  return `WITH fresh AS MATERIALIZED (
      SELECT ${day}, organization_id, destination_id, bucket - bucket % ${STEPS.hour} AS hour, ${names}
      FROM (${entries}) WHERE destination_id <> '')
    INSERT INTO usage_destinations (${key}, body)
    SELECT ${key}, json_group_array(json_array(hour, ${names})) FROM (
      SELECT ${key}, hour, ${summed} FROM (
        SELECT * FROM fresh UNION ALL
        SELECT d.day, d.organization_id, d.destination_id, json_extract(h.value, '$[0]'), ${countsIn("h.value", 1)}
        FROM (SELECT DISTINCT ${key} FROM fresh) AS k CROSS JOIN usage_destinations AS d
          ON d.day = k.day AND d.organization_id = k.organization_id AND d.destination_id = k.destination_id,
          json_each(d.body) AS h)
      GROUP BY ${key}, hour)
    WHERE true GROUP BY ${key}
    ON CONFLICT DO UPDATE SET body = excluded.body`;
};
