import { type Noted, objectsOf } from "../db/upkeep";
import { IDLE_POLLS } from "../metering/rollup";
import { count, watchCounts } from "../metering/counter.io";
import { chunks } from "../values/lists";
import type { ErasureDoors } from "./erasure/erase.io";

const AT_ONCE = 20;

/**
 * Once a minute: looks after those objects whose turn it is, each once a day. Streams purge what is older than their
 * retention, which no alarm does for a quiet one; objects that have nothing to keep go.
 */
export async function tickUpkeep(now: number, doors: ErasureDoors): Promise<void> {
  const minuteOfDay = Math.floor(now / 60_000) % 1_440;
  const all = await objectsOf(doors.db, minuteOfDay);
  for (const some of chunks(all, AT_ONCE))
    await Promise.all(some.map((one) => lookAfter(one, doors)));
  if (all.length > 0) watchCounts(doors.db);
}

async function lookAfter(noted: Noted, doors: ErasureDoors): Promise<void> {
  const { organizationId, kind, name } = noted;
  try {
    const rowsWritten = await keptUp(noted, doors);
    // Counted for the organization: a rollup of its own for each source would cost more than what it counts.
    const key = { organizationId, source: IDLE_POLLS, destinationId: "" };
    count(key, { rowsWritten, objectRequests: 1 }, Date.now());
  } catch (error) {
    // One that fails holds up no other, and has its turn tomorrow.
    console.error(JSON.stringify({ at: "upkeep", kind, name, error: String(error) }));
  }
}

/** @returns how many rows were written. */
async function keptUp({ kind, name, isOwnerless }: Noted, doors: ErasureDoors): Promise<number> {
  switch (kind) {
    case "stream":
      return doors.streams.getByName(name).upkeep({ isOwnerless });
    case "endpoint":
      await doors.endpoints.getByName(name).upkeep();
      return 0;
    case "budget":
      await doors.budgets.getByName(name).upkeep();
      return 0;
  }
}
