import type { Millis } from "../values/instant";
import type { Entry } from "./pending";

/** A row of `usage_flushes`. */
export type Flush = { id: string; n: number; body: string };

/** Where ids of flushes of this instant and later ones begin: their order is that of time. */
export const flushesFrom = (at: Millis): string => Math.max(0, at).toString(36).padStart(9, "0");

export const flushOf = (entries: readonly Entry[], now: Millis): Flush => ({
  id: `${flushesFrom(now)}-${crypto.randomUUID()}`,
  n: entries.length,
  body: JSON.stringify(entries),
});

/** Stores flushes; one that is there already stays as it is. */
export async function insertFlushes(db: D1Database, rows: readonly Flush[]): Promise<void> {
  const insert = db.prepare("INSERT OR IGNORE INTO usage_flushes (id, n, body) VALUES (?, ?, ?)");
  await db.batch(rows.map(({ id, n, body }) => insert.bind(id, n, body)));
}
