import type { Millis } from "../values/instant";
import { coarsen, COARSENINGS } from "./coarsen.store";
import { foldFlushes, foldRollups } from "./fold.store";

/** Batches of each kind in one minute. What they leave is done in the next. */
const MOST_BATCHES = 100;

/** Minutely: folds what isolates counted into the usage, and makes coarser what has grown old, as much as there is. */
export async function tidyUsage(db: D1Database, now: Millis): Promise<void> {
  await asLongAs(() => foldFlushes(db, now));
  await asLongAs(() => foldRollups(db, now));
  for (const one of COARSENINGS) await asLongAs(() => coarsen(db, one, now));
}

async function asLongAs(work: () => Promise<boolean>): Promise<void> {
  for (let batches = 1; batches <= MOST_BATCHES && (await work()); batches += 1);
}
