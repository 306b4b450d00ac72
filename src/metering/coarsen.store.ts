import { owners } from "../db/owners";
import type { Millis } from "../values/instant";
import { COLUMNS } from "./count";
import { countsIn, intoDetails, intoTotals } from "./fold.store";
import { STEPS } from "./rollup";

const DAY_MS = STEPS.day;
/** How long usage can be looked back on. */
const KEPT_MS = 90 * DAY_MS;
/** Rows that one batch takes together. */
const ROWS = { usage_totals: 1_000, usage_details: 300 } as const;

type Table = keyof typeof ROWS;
export type Coarsening = { table: Table; from: number; to: number; ageMs: number };

/**
 * What becomes coarser when. An organization's totals are few, and stay as fine as charts show them. Details are many:
 * they are five minutes fine for two hours, hours for two days.
 */
export const COARSENINGS: readonly Coarsening[] = [
  { table: "usage_details", from: STEPS.fine, to: STEPS.hour, ageMs: 2 * STEPS.hour },
  { table: "usage_details", from: STEPS.hour, to: STEPS.day, ageMs: 2 * DAY_MS },
  { table: "usage_totals", from: STEPS.fine, to: STEPS.hour, ageMs: 2 * DAY_MS },
  { table: "usage_totals", from: STEPS.hour, to: STEPS.day, ageMs: 8 * DAY_MS },
];

const entriesOf = {
  usage_totals: (rows: string) =>
    `SELECT ?5 AS step, organization_id, ?3 AS bucket, ${COLUMNS.join(", ")} FROM (${rows})`,
  usage_details: (rows: string) =>
    `SELECT ?5 AS step, d.organization_id, ?3 AS bucket, json_extract(e.value, '$[0]') AS source,
       json_extract(e.value, '$[1]') AS destination_id, ${countsIn("e.value", 2)}
     FROM (${rows}) AS d, json_each(d.body) AS e`,
};
const keyOf = { usage_totals: "bucket", usage_details: "bucket, id" };
const orderOf = { usage_totals: "bucket", usage_details: "id" };

/**
 * Sums up rows of one organization and of one hour or day, the oldest, once it is old enough. One batch writes the sums
 * and deletes the rows. @returns whether there was something to do, and more may be.
 */
export async function coarsen(
  db: D1Database,
  { table, from, to, ageMs }: Coarsening,
  now: Millis,
): Promise<boolean> {
  const before = Math.floor((now - ageMs) / to) * to;
  const due = await db
    .prepare(
      `${owners(table, "step = ?1 AND")}
       SELECT id, (SELECT min(bucket) FROM ${table} WHERE step = ?1 AND organization_id = owners.id) AS oldest
       FROM owners WHERE id IS NOT NULL AND oldest < ?2 LIMIT 1`,
    )
    .bind(from, before)
    .first<{ id: number; oldest: number }>();
  if (due === null) return false;
  const begins = due.oldest - (due.oldest % to);
  const chosen = `FROM ${table} WHERE step = ?1 AND organization_id = ?2 AND bucket >= ?3 AND bucket < ?4
    ORDER BY ${orderOf[table]} LIMIT ${ROWS[table]}`;
  const entries = entriesOf[table](`SELECT * ${chosen}`);
  const key = keyOf[table];
  const bound = [from, due.id, begins, begins + to];
  await db.batch([
    db
      .prepare(table === "usage_totals" ? intoTotals(entries) : intoDetails(entries))
      .bind(...bound, to),
    db
      .prepare(
        `DELETE FROM ${table} WHERE step = ?1 AND organization_id = ?2 AND (${key}) IN (SELECT ${key} ${chosen})`,
      )
      .bind(...bound),
  ]);
  return true;
}

/** The statements that delete what is too old to be looked back on, at most `limit` rows each. */
export const prepareUsageExpiry = (
  db: D1Database,
  now: Millis,
  limit: number,
): D1PreparedStatement[] => [
  ...(["usage_totals", "usage_details"] as const).map((table) => {
    const columns = `step, organization_id, ${keyOf[table]}`.split(", ");
    return db
      .prepare(
        `${owners(table, "step = ?1 AND")}
         DELETE FROM ${table} WHERE (${columns.join()}) IN (
           SELECT ${columns.map((name) => `t.${name}`).join()} FROM owners CROSS JOIN ${table} AS t
             ON t.step = ?1 AND t.organization_id = owners.id AND t.bucket < ?2 LIMIT ?3)`,
      )
      .bind(STEPS.day, now - KEPT_MS, limit);
  }),
  db
    .prepare(
      `DELETE FROM usage_destinations WHERE (day, organization_id, destination_id) IN (
         SELECT day, organization_id, destination_id FROM usage_destinations WHERE day < ? LIMIT ?)`,
    )
    .bind(now - 3 * DAY_MS, limit),
];
