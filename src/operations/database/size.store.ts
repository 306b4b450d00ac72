import type { Millis } from "../../values/instant";
import type { Size } from "./size";

const DAY_MS = 86_400_000;
/** Sizes are looked back on for this long, and so long the operator isn't told once more. */
const KEPT_DAYS = 30;

export type Sizes = { bytes: number; sizes: (Size & { announcedAt: Millis | null })[] };

/** The database's size as it is now, which each answer of it tells, and that of the last days. */
export async function readSizes(db: D1Database): Promise<Sizes> {
  const { results, meta } = await db
    .prepare("SELECT day, bytes, announced_at AS announcedAt FROM database_sizes ORDER BY day")
    .all<Sizes["sizes"][number]>();
  return { bytes: meta.size_after, sizes: results };
}

/** Notes the size of a day, and forgets those of long ago. */
export async function noteSize(db: D1Database, { day, bytes }: Size): Promise<void> {
  await db.batch([
    db
      .prepare(
        "INSERT INTO database_sizes (day, bytes) VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
      )
      .bind(day, bytes),
    db.prepare("DELETE FROM database_sizes WHERE day < ?").bind(day - KEPT_DAYS * DAY_MS),
  ]);
}

/** @returns whether the caller is the first who has something to say of it in `KEPT_DAYS`. */
export async function claimAnnouncement(
  db: D1Database,
  day: Millis,
  now: Millis,
): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `UPDATE database_sizes SET announced_at = ? WHERE day = ?
         AND NOT EXISTS (SELECT 1 FROM database_sizes WHERE announced_at IS NOT NULL)`,
    )
    .bind(now, day)
    .run();
  return meta.changes === 1;
}

/** It could not be said after all. */
export async function dropAnnouncement(db: D1Database): Promise<void> {
  await db.prepare("UPDATE database_sizes SET announced_at = NULL").run();
}
