import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config";
import { tick } from "../../src/polling/tick.cron";
import { saveLastMinute } from "../../src/db/schedule";
import { create, createOrganizations } from "../elements/build";
import { keepingQueue, meteredDatabase } from "./build";

const MINUTE = 60_000;
/** A minute divisible by every interval used here. */
const NOON = Date.UTC(2026, 5, 1, 12);

beforeAll(createOrganizations);
beforeEach(async () => {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM instances WHERE id > 1000"),
    env.DB.prepare("DELETE FROM outdated"),
    env.DB.prepare("UPDATE instances SET interval = NULL, slot = NULL"),
    env.DB.prepare("DELETE FROM schedule"),
  ]);
});

let last = 1_000;

/** So many more instances of an interval and slot, written as rows. @returns the first id. */
async function addInstances(count: number, interval: number | null, slot: number | null) {
  const model = await create();
  const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info('instances')").all<{
    name: string;
  }>();
  const columns = results.map(({ name }) => name);
  const changed: Record<string, string> = {
    id: `${last} + i`,
    token_hash: `'token-' || (${last} + i)`,
    interval: String(interval),
    slot: String(slot),
  };
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO instances (${columns.join()})
     SELECT ${columns.map((name) => changed[name] ?? name).join()} FROM n, instances WHERE id = ?`,
  )
    .bind(model.id)
    .run();
  await env.DB.prepare("UPDATE instances SET interval = NULL, slot = NULL WHERE id = ?")
    .bind(model.id)
    .run();
  const first = last + 1;
  last += count;
  return first;
}

/** One tick by the clock: the ids it dispatched, and what it cost. */
async function tickAt(at: number, schedule: "clock" | "ticks" = "clock") {
  const { queue, bodies } = keepingQueue();
  const { db, meter } = meteredDatabase();
  const config = { ...readConfig(env), schedule };
  await tick(at, { db, polls: queue, config });
  const ids: number[] = bodies.flatMap((body) => body.ids);
  return { ids: ids.toSorted((a, b) => a - b), messages: bodies.length, ...meter };
}

describe("a tick", () => {
  it("dispatches 10,000 due instances, reads them and a lookup an interval, and writes one row", async () => {
    const first = await addInstances(10_000, 15, 0);
    const intervals = 3;
    await addInstances(700, 15, 7);
    await addInstances(300, 60, 1);
    await addInstances(200, 1_440, 719);
    await saveLastMinute(env.DB, NOON / MINUTE - 1);
    const { ids, messages, rowsRead, rowsWritten } = await tickAt(NOON);
    expect(ids).toEqual(Array.from({ length: 10_000 }, (_, index) => first + index));
    expect(messages).toBe(100);
    expect(rowsWritten).toBe(1);
    // Beside the due ones: the schedule's own row, and to find each interval the row it begins with.
    expect(rowsRead).toBeGreaterThanOrEqual(10_000);
    expect(rowsRead).toBeLessThanOrEqual(10_000 + 10 * (intervals + 1));
  });

  it("that finds nothing due reads a lookup an interval, however many instances there are", async () => {
    await addInstances(3_000, 15, 7);
    await saveLastMinute(env.DB, NOON / MINUTE - 1);
    const { ids, rowsRead, rowsWritten } = await tickAt(NOON);
    expect(ids).toEqual([]);
    expect(rowsRead).toBeLessThanOrEqual(20);
    expect(rowsWritten).toBe(1);
  });

  it("three minutes late polls what was due in each minute, each once", async () => {
    const slots: number[] = [];
    for (const slot of [0, 1, 2, 3, 4]) slots.push(await addInstances(2, 5, slot));
    const everyMinute = await addInstances(1, 1, 0);
    await tickAt(NOON);
    const late = await tickAt(NOON + 3 * MINUTE);
    const due = [1, 2, 3].flatMap((slot) => [slots[slot] ?? 0, (slots[slot] ?? 0) + 1]);
    expect(late.ids).toEqual([...due, everyMinute]);
    expect(late.rowsWritten).toBe(1);
    expect((await tickAt(NOON + 4 * MINUTE)).ids).toEqual([
      slots[4] ?? 0,
      (slots[4] ?? 0) + 1,
      everyMinute,
    ]);
  });

  it("that comes twice in a minute, or late after a later one, dispatches nothing and writes nothing", async () => {
    await addInstances(1, 1, 0);
    expect((await tickAt(NOON)).ids).toHaveLength(1);
    for (const at of [NOON, NOON + MINUTE - 1, NOON - 5 * MINUTE])
      expect(await tickAt(at)).toMatchObject({ ids: [], rowsWritten: 0 });
  });

  it("advances schedule time by a minute each time it comes, on the local stack", async () => {
    const first = await addInstances(1, 2, 0);
    const second = await addInstances(1, 2, 1);
    const seen = [];
    for (let count = 0; count < 4; count += 1) seen.push((await tickAt(NOON, "ticks")).ids);
    expect(seen).toEqual([[first], [second], [first], [second]]);
  });

  it("leaves out what is not polled at all", async () => {
    await addInstances(5, null, null);
    expect((await tickAt(NOON)).ids).toEqual([]);
  });
});
