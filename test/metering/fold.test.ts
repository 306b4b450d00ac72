import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { type Counts, COLUMNS, noCounts, valuesOf } from "../../src/metering/count";
import { coarsen, COARSENINGS } from "../../src/metering/coarsen.store";
import { foldFlushes, foldRollups } from "../../src/metering/fold.store";
import { flushOf, insertFlushes } from "../../src/metering/flushes.store";
import type { Entry } from "../../src/metering/pending";
import { STEPS } from "../../src/metering/rollup";
import {
  destinationsOfDay,
  usageByDay,
  usageBySource,
  usageSeries,
} from "../../src/metering/store";
import { tidyUsage } from "../../src/metering/tidy.io";
import { countD1 } from "../d1-rows";
import { ownOrganization } from "../organization";
import { simulate } from "./isolates";

const NOW = Date.now();
const MINUTE = 60_000;
const HOUR = STEPS.hour;
const DAY = STEPS.day;
const fine = (at: number) => at - (at % STEPS.fine);
let last = 800_000_000;
/** An organization that nothing else is counted for: it needs no row of its own. */
const fresh = () => (last += 1);

const counts = (more: Partial<Counts>): Counts => ({ ...noCounts(), ...more });

const entry = (
  organizationId: number,
  at: number,
  source: string,
  destinationId: string,
  more: Partial<Counts>,
): Entry => [organizationId, fine(at), source, destinationId, ...valuesOf(counts(more))];

/** Writes down what one isolate counted, long enough ago to be folded. */
const flushed = (entries: Entry[]) => insertFlushes(env.DB, [flushOf(entries, NOW - 10 * MINUTE)]);

const everything = (organizationId: number) => ({
  organizationId,
  from: NOW - 100 * DAY,
  to: NOW + HOUR,
});
/** What all that was counted for an organization adds up to, as totals, by source, and for each destination. */
async function readAll(organizationId: number) {
  const span = everything(organizationId);
  const [days, sources] = [await usageByDay(env.DB, span), await usageBySource(env.DB, span)];
  const sum = (all: { counts: Counts }[]) =>
    all.reduce((total, { counts: { events, delivered } }) => total + events + delivered, 0);
  const bySource = sources.map(({ key, counts: { events, delivered } }) => [
    key,
    events,
    delivered,
  ]);
  return { total: sum(days), ofSources: sum(sources), bySource };
}

const rowsOf = async (table: string, organizationId: number): Promise<{ step: number }[]> =>
  (
    await env.DB.prepare(`SELECT * FROM ${table} WHERE organization_id = ?`)
      .bind(organizationId)
      .all<{ step: number }>()
  ).results;

const counted = fc.record({
  ageMs: fc.integer({ min: 0, max: 95 * DAY }),
  source: fc.integer({ min: 0, max: 150 }),
  to: fc.integer({ min: 0, max: 3 }),
  events: fc.integer({ min: 0, max: 9 }),
  delivered: fc.integer({ min: 0, max: 9 }),
});

describe("what isolates counted", () => {
  it("adds up to the same before it is folded, after, and however coarse it became", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(counted, { minLength: 1, maxLength: 60 }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (isolates) => {
          const id = fresh();
          const all = isolates.flat();
          for (const some of isolates)
            await flushed(
              some.map(({ ageMs, source, to, events, delivered }) =>
                entry(id, NOW - ageMs, `instance:${source}`, to === 0 ? "" : `hook-${to}`, {
                  events,
                  delivered,
                }),
              ),
            );
          const before = await readAll(id);
          expect(before.total).toBe(all.reduce((sum, one) => sum + one.events + one.delivered, 0));
          expect(before.ofSources).toBe(before.total);
          await foldFlushes(env.DB, NOW);
          expect(await readAll(id)).toEqual(before);
          await tidyUsage(env.DB, NOW);
          expect(await readAll(id)).toEqual(before);
        },
      ),
      { numRuns: inject("isLong") ? 300 : 5 },
    );
  });

  it("is counted once when two ticks fold at the same time", async () => {
    const id = fresh();
    for (let n = 0; n < 20; n += 1)
      await flushed([entry(id, NOW - HOUR * n, "instance:1", "hook", { events: 1, delivered: 2 })]);
    await Promise.all([tidyUsage(env.DB, NOW), tidyUsage(env.DB, NOW), tidyUsage(env.DB, NOW)]);
    expect(await readAll(id)).toEqual({
      total: 60,
      ofSources: 60,
      bySource: [["instance:1", 20, 40]],
    });
  });

  it.each([0, 1, 2, 3])("is counted once when a fold's statement %i fails", async (nth) => {
    const id = fresh();
    await flushed([entry(id, NOW, "instance:1", "hook", { events: 1, delivered: 2 })]);
    await expect(foldFlushes(failingAt(nth), NOW)).rejects.toThrow("no such table");
    await foldFlushes(env.DB, NOW);
    expect((await readAll(id)).total).toBe(3);
    const { delivered } = (await destinationsOfDay(env.DB, id, ["hook"], NOW)).get("hook") ?? {};
    expect(delivered).toBe(2);
  });

  it("is taken once, though an isolate offers it twice", async () => {
    const id = fresh();
    const flush = flushOf([entry(id, NOW, "instance:1", "", { events: 1 })], NOW);
    await insertFlushes(env.DB, [flush]);
    await insertFlushes(env.DB, [flush]);
    expect((await readAll(id)).total).toBe(1);
  });

  it("waits for its five minutes, so that a busy source is written once for all of them", async () => {
    const id = fresh();
    await foldFlushes(env.DB, NOW + HOUR);
    const at = NOW + HOUR;
    await insertFlushes(env.DB, [flushOf([entry(id, at, "instance:1", "", { events: 1 })], at)]);
    await foldFlushes(env.DB, at + 4 * MINUTE);
    expect(await rowsOf("usage_totals", id)).toEqual([]);
    await foldFlushes(env.DB, at + 6 * MINUTE);
    expect(await rowsOf("usage_totals", id)).toHaveLength(1);
  });
});

/** The same database, but one statement of each batch is of a table that isn't there. */
const failingAt = (nth: number): D1Database =>
  ({
    prepare: (text: string) => env.DB.prepare(text),
    batch: (statements: D1PreparedStatement[]) =>
      env.DB.batch(statements.with(nth, env.DB.prepare("DELETE FROM nowhere"))),
  }) as unknown as D1Database;

describe("age", () => {
  it.each([
    ["an hour", HOUR, STEPS.fine, STEPS.fine],
    ["a day", DAY, STEPS.fine, STEPS.hour],
    ["three days", 3 * DAY + HOUR, STEPS.hour, STEPS.day],
    ["ten days", 10 * DAY, STEPS.day, STEPS.day],
  ])(
    "of %s: totals and details are as fine as they are looked at",
    async (_, age, total, detail) => {
      const id = fresh();
      await flushed([entry(id, NOW - age, "instance:1", "hook", { events: 1 })]);
      await tidyUsage(env.DB, NOW);
      expect((await rowsOf("usage_totals", id)).map(({ step }) => step)).toEqual([total]);
      expect((await rowsOf("usage_details", id)).map(({ step }) => step)).toEqual([detail]);
    },
  );

  it("makes few rows of many: a day of three hundred sources ends as a row for each 64 keys", async () => {
    const id = fresh();
    const begin = NOW - (NOW % DAY) - 5 * DAY;
    for (let hour = 0; hour < 24; hour += 6)
      await flushed(
        Array.from({ length: 300 }, (_, n) =>
          entry(id, begin + hour * HOUR, `instance:${n}`, "", { events: 1 }),
        ),
      );
    await tidyUsage(env.DB, NOW);
    expect((await rowsOf("usage_details", id)).length).toBeLessThanOrEqual(8);
    const sums = await usageBySource(env.DB, everything(id));
    expect(sums).toHaveLength(300);
    expect(new Set(sums.map(({ counts: { events } }) => events))).toEqual(new Set([4]));
  });

  it("goes on where a tick stopped, and never beyond what is old enough", async () => {
    const id = fresh();
    const [details] = COARSENINGS;
    if (details === undefined) throw new Error("Nothing becomes coarser");
    await flushed(
      [1, 3, 4, 5].map((hours) => entry(id, NOW - hours * HOUR, "instance:1", "", { events: 1 })),
    );
    await foldFlushes(env.DB, NOW);
    for (let round = 0; round < 200 && (await coarsen(env.DB, details, NOW)); round += 1);
    const steps = (await rowsOf("usage_details", id)).map(({ step }) => step);
    expect(steps.filter((step) => step === STEPS.hour).length).toBeGreaterThanOrEqual(2);
    expect(steps).toContain(STEPS.fine);
    expect((await readAll(id)).ofSources).toBe(4);
  });

  it("leaves the points of a chart where they are", async () => {
    const id = fresh();
    const from = Math.floor(NOW / (2 * HOUR)) * 2 * HOUR - 7 * DAY;
    const ages = [0, 1, 30, 50, 100, 160].map((hours) => hours * HOUR);
    await flushed(ages.map((age) => entry(id, NOW - age, "instance:1", "", { events: 1 })));
    const span = { organizationId: id, from, to: NOW };
    const points = await usageSeries(env.DB, span, 2 * HOUR);
    await tidyUsage(env.DB, NOW);
    expect(await usageSeries(env.DB, span, 2 * HOUR)).toEqual(points);
    expect(points.reduce((sum, point) => sum + point.counts.events, 0)).toBe(6);
  });
});

describe("what older versions wrote", () => {
  it("is moved bit by bit, and counts once", async () => {
    const { id } = await ownOrganization();
    const rows = Array.from({ length: 2_500 }, (_, n) => [
      id,
      fine(NOW - n * 10 * MINUTE),
      `instance:${n % 7}`,
      n % 2 === 0 ? "" : "hook",
      ...valuesOf(counts({ events: 1, delivered: n % 2 })),
    ]);
    const columns = rows[0]?.map((_, index) => `json_extract(value, '$[${index}]')`).join();
    await env.DB.prepare(
      `INSERT INTO rollups (organization_id, bucket, source, destination_id, ${COLUMNS.join()}) SELECT ${columns} FROM json_each(?)`,
    )
      .bind(JSON.stringify(rows))
      .run();
    expect(await foldRollups(env.DB, NOW)).toBe(true);
    await tidyUsage(env.DB, NOW);
    const { total, ofSources, bySource } = await readAll(id);
    expect({ total, ofSources }).toEqual({ total: 3_750, ofSources: 3_750 });
    expect(bySource).toHaveLength(7);
    const left = env.DB.prepare("SELECT count(*) AS n FROM rollups WHERE organization_id = ?");
    expect(await left.bind(id).first()).toEqual({ n: 0 });
    const day = (await destinationsOfDay(env.DB, id, ["hook"], NOW)).get("hook");
    expect(day?.delivered).toBeGreaterThanOrEqual(72);
    // Whoever deletes the organization finds the streams that only these rows named.
    const noted = env.DB.prepare("SELECT count(*) AS n FROM objects WHERE organization_id = ?");
    expect(await noted.bind(id).first()).toEqual({ n: 7 });
  });
});

describe("rows written, folded and deleted again", () => {
  it.each([
    { isolates: 1, perSecond: 10, sources: 5 },
    { isolates: 20, perSecond: 10, sources: 5 },
    ...(inject("isLong")
      ? [
          { isolates: 20, perSecond: 40, sources: 20 },
          { isolates: 200, perSecond: 100, sources: 50 },
        ]
      : []),
  ])("of D1 are at most 0.02 a delivery: %o", async (load) => {
    const id = fresh();
    const start = fine(NOW - 2 * DAY);
    const minutes = inject("isLong") ? 60 : 20;
    const ran = simulate({ ...load, minutes, start, organizationId: id });
    const written = await writtenBy(ran.rows, start, minutes);
    console.log(JSON.stringify({ ...load, perDelivery: written / ran.deliveries }));
    expect(written / ran.deliveries).toBeLessThanOrEqual(0.02);
    expect((await readAll(id)).total).toBe(2 * ran.deliveries);
  });

  it("of D1 are one and a half an event where a thousand sources have one event each", async () => {
    const id = fresh();
    const start = fine(NOW - 2 * DAY);
    const load = { isolates: 20, perSecond: 1, sources: 1e6, minutes: 17 };
    const ran = simulate({ ...load, start, organizationId: id });
    const written = await writtenBy(ran.rows, start, load.minutes);
    console.log(JSON.stringify({ ...load, perDelivery: written / ran.deliveries }));
    expect(written / ran.deliveries).toBeLessThanOrEqual(1.5);
  });
});

/** How many rows of D1 are written when these come in, with a tick each minute. */
async function writtenBy(
  rows: ReturnType<typeof simulate>["rows"],
  start: number,
  minutes: number,
): Promise<number> {
  await foldFlushes(env.DB, NOW + DAY);
  const counter = countD1();
  let next = 0;
  for (let minute = 1; minute <= minutes + 10; minute += 1) {
    const now = start + minute * MINUTE;
    for (; (rows[next]?.at ?? Infinity) <= now; next += 1)
      await insertFlushes(env.DB, [flushOf(rows[next]?.entries ?? [], rows[next]?.at ?? 0)]);
    await tidyUsage(env.DB, now);
  }
  const { written } = counter;
  counter.end();
  return written;
}
