import type { Millis } from "../values/instant";
import { COLUMNS, type CountColumns, type Counts, countsFrom } from "./count";
import { countsIn } from "./fold.store";
import { IDLE_POLLS, STEPS } from "./rollup";

/** Sources and destinations of which alone counts are read. */
export type Of = { sources: readonly string[]; destinations: readonly string[] };
export type Span = { organizationId: number; from: Millis; to: Millis; of?: Of | undefined };

const names = COLUMNS.join(", ");
const summed = COLUMNS.map((name) => `sum(${name}) AS ${name}`).join(", ");
const steps = `(SELECT value AS step FROM json_each('${JSON.stringify(Object.values(STEPS))}')) AS s`;
/** Rows of a table that sum up some time between ?2 and ?3: of each step, found by the key. */
const overlapping = (table: string): string =>
  `${steps} CROSS JOIN ${table} AS t ON t.step = s.step AND t.organization_id = ?1
     AND t.bucket > ?2 - s.step AND t.bucket <= ?3`;
/** What isolates wrote in the last minutes, which isn't folded yet. */
const unfolded = `SELECT ${STEPS.fine} AS step, json_extract(e.value, '$[1]') AS bucket, json_extract(e.value, '$[2]') AS source,
    json_extract(e.value, '$[3]') AS destination_id, ${countsIn("e.value", 4)}
  FROM usage_flushes AS f, json_each(f.body) AS e WHERE json_extract(e.value, '$[0]') = ?1
    AND json_extract(e.value, '$[1]') > ?2 - ${STEPS.fine} AND json_extract(e.value, '$[1]') <= ?3`;

/** Of all sources: as many rows whatever the number of sources. */
const totals = `SELECT t.step, t.bucket, ${COLUMNS.map((name) => `t.${name}`).join(", ")} FROM ${overlapping("usage_totals")}
  UNION ALL SELECT step, bucket, ${names} FROM (${unfolded})`;
const details = `SELECT t.step, t.bucket, json_extract(e.value, '$[0]') AS source,
    json_extract(e.value, '$[1]') AS destination_id, ${countsIn("e.value", 2)}
  FROM ${overlapping("usage_details")}, json_each(t.body) AS e
  UNION ALL ${unfolded}`;
const chosen = `SELECT * FROM (${details}) WHERE source IN (SELECT value FROM json_each(?4 ->> '$.sources'))
  OR destination_id IN (SELECT value FROM json_each(?4 ->> '$.destinations'))`;

type Summed<Key> = { key: Key; counts: Counts };
type Row<Key> = CountColumns & { key: Key };

async function sums<Key>(
  db: D1Database,
  { organizationId, from, to, of }: Span,
  key: string,
  isBySource = false,
): Promise<Summed<Key>[]> {
  const rows = of !== undefined ? chosen : isBySource ? details : totals;
  const { results } = await db
    .prepare(`SELECT ${key} AS key, ${summed} FROM (${rows}) GROUP BY 1 ORDER BY 1`)
    .bind(organizationId, from, to, ...(of === undefined ? [] : [JSON.stringify(of)]))
    .all<Row<Key>>();
  return results.map((row) => ({ key: row.key, counts: countsFrom(row) }));
}

/** Counts by day (UTC), as the instant at which it begins. What is older than some days counts in whole days. */
export const usageByDay = (db: D1Database, span: Span): Promise<Summed<Millis>[]> =>
  sums(db, span, `bucket - bucket % ${STEPS.day}`);

/** Counts by source. What is older than some hours counts in whole hours, then in whole days. */
export const usageBySource = (db: D1Database, span: Span): Promise<Summed<string>[]> =>
  sums(db, span, "source", true);

/** Counts of each `pointMs` from `span.from` on, as the instant at which it begins; those without any are left out. */
export const usageSeries = (
  db: D1Database,
  span: Span,
  pointMs: number,
): Promise<Summed<Millis>[]> =>
  sums(db, span, `max(bucket, ?2) - (max(bucket, ?2) - ?2) % ${pointMs}`);

/** Counts of deliveries to some destinations in the last 24 hours, by whole hours. */
export async function destinationsOfDay(
  db: D1Database,
  organizationId: number,
  destinationIds: readonly string[],
  now: Millis,
): Promise<Map<string, Counts>> {
  const rows = `SELECT d.destination_id, ${countsIn("h.value", 1)}
      FROM (SELECT value AS day FROM json_each(?5)) AS days CROSS JOIN (SELECT value AS id FROM json_each(?4)) AS ids
      CROSS JOIN usage_destinations AS d
        ON d.day = days.day AND d.organization_id = ?1 AND d.destination_id = ids.id,
        json_each(d.body) AS h
      WHERE json_extract(h.value, '$[0]') BETWEEN ?2 AND ?3
    UNION ALL SELECT destination_id, ${names} FROM (${unfolded})
      WHERE destination_id IN (SELECT value FROM json_each(?4))`;
  const from = Math.floor(now / STEPS.hour) * STEPS.hour - STEPS.day;
  const today = now - (now % STEPS.day);
  const { results } = await db
    .prepare(`SELECT destination_id AS key, ${summed} FROM (${rows}) GROUP BY 1`)
    .bind(
      organizationId,
      from,
      now,
      JSON.stringify(destinationIds),
      JSON.stringify([today - STEPS.day, today]),
    )
    .all<Row<string>>();
  return new Map(results.map((row) => [row.key, countsFrom(row)]));
}

/** Of each step so many rows are looked through for sources, and so many entries in them: the latest, not all there are. */
const RECENT = { rows: 100, entries: 300 };

/**
 * Sources for which something was counted since an instant, the most recent first, as far as the latest rows name them:
 * those whose names begin with `prefix`.
 */
export async function activeSources(
  db: D1Database,
  organizationId: number,
  since: Millis,
  limit: number,
  prefix = "",
): Promise<string[]> {
  const recent = Object.values(STEPS).map(
    (step) =>
      `SELECT * FROM (SELECT t.bucket, json_extract(e.value, '$[0]') AS source FROM (
         SELECT bucket, body FROM usage_details WHERE step = ${step} AND organization_id = ?1
           AND bucket > ?2 - ${step} ORDER BY bucket DESC LIMIT ${RECENT.rows}) AS t, json_each(t.body) AS e
       LIMIT ${RECENT.entries})`,
  );
  const { results } = await db
    .prepare(
      `SELECT source FROM (${recent.join(" UNION ALL ")} UNION ALL SELECT bucket, source FROM (${unfolded}))
       WHERE source <> '${IDLE_POLLS}' AND substr(source, 1, length(?5)) = ?5
       GROUP BY source ORDER BY max(bucket) DESC LIMIT ?4`,
    )
    .bind(organizationId, since, Number.MAX_SAFE_INTEGER, limit, prefix)
    .all<{ source: string }>();
  return results.map(({ source }) => source);
}
