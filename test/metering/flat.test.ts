import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it, vi } from "vitest";
import { noCounts, valuesOf } from "../../src/metering/count";
import { flushOf, insertFlushes } from "../../src/metering/flushes.store";
import { STEPS } from "../../src/metering/rollup";
import { activeSources } from "../../src/metering/store";
import { tidyUsage } from "../../src/metering/tidy.io";
import { chunks } from "../../src/values/lists";
import { openBrowser } from "../console/build";
import { countD1 } from "../d1-rows";
import { callV1, create, createOrganizations } from "../elements/build";
import { type Own, ownOrganization } from "../organization";
import { QUIET } from "../polling/build";

/** Pages read as many rows of D1 for an organization of thousands of instances as for one of ten. */

const FEW = 10;
const MANY = inject("isLong") ? 100_000 : 5_000;
const NOW = Date.now();

type Filled = Own & { ids: number[] };

/** An organization with so many instances, each with a destination, in all of which something happened now and then. */
async function filled(many: number): Promise<Filled> {
  const own = await ownOrganization();
  const { id: first } = await create(QUIET, {}, own.authorization);
  const copied = (table: string, changed: Record<string, string>) => async () => {
    const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info(?)")
      .bind(table)
      .all<{ name: string }>();
    const names = results.map(({ name }) => name);
    const where = table === "instances" ? "id = ?1" : "id = 'instance-' || CAST(?1 AS INTEGER)";
    await env.DB.prepare(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
       INSERT INTO ${table} (${names.join()}) SELECT ${names.map((name) => changed[name] ?? name).join()}
       FROM numbers CROSS JOIN ${table} WHERE ${where}`,
    )
      .bind(first, many - 1)
      .run();
  };
  // Out of everybody's way: others number theirs from below.
  const base = 10_000_000 + first * 1_000_000;
  await copied("instances", {
    id: `${base} + n`,
    token_hash: `'flat-' || (${base} + n)`,
    interval: "NULL",
    slot: "NULL",
  })();
  await copied("destinations", {
    id: `'instance-' || (${base} + n)`,
    signing_keys: "'[]'",
    legacy_key_sealed: "NULL",
    headers_sealed: "NULL",
    owner_id: `CAST(${base} + n AS TEXT)`,
  })();
  const ids = [first, ...Array.from({ length: many - 1 }, (_, n) => base + n + 1)];
  const counts = valuesOf({ ...noCounts(), events: 1, delivered: 1, attempts: 1 });
  const hours = [0, 1, 20, 47, 100];
  const entries = hours.flatMap((hour) =>
    ids.map((id) => {
      const at = NOW - hour * STEPS.hour;
      return [own.id, at - (at % STEPS.fine), `instance:${id}`, `instance-${id}`, ...counts];
    }),
  );
  for (const some of chunks(entries, 1_000))
    await insertFlushes(env.DB, [flushOf(some, NOW - STEPS.hour)]);
  for (let minute = 0; minute < 20; minute += 1) await tidyUsage(env.DB, NOW);
  return { ...own, ids };
}

let few: Filled;
let many: Filled;
beforeAll(async () => {
  await createOrganizations();
  few = await filled(FEW);
  many = await filled(MANY);
});

/** How many rows of D1 are read by what `read` does. */
async function rowsRead<T>(read: () => Promise<T>): Promise<{ rows: number; answer: T }> {
  const counter = countD1();
  try {
    return { answer: await read(), rows: counter.read };
  } finally {
    counter.end();
  }
}

const get = (path: string) => async (own: Filled) => {
  const { status, body } = await callV1("GET", path, own.authorization);
  expect(status).toBe(200);
  return body;
};
const sum = (points: Record<string, number>[], name: string): number =>
  points.reduce((total, point) => total + Number(point[name]), 0);

describe("rows read for five thousand instances are those read for ten:", () => {
  it.each<[string, (own: Filled) => Promise<any>, (answer: any, own: Filled) => void]>([
    [
      "usage by day",
      get("/usage"),
      ({ total }, { ids }) => expect(total.events).toBe(5 * ids.length),
    ],
    [
      "series of an hour",
      get("/stats?range=1h"),
      ({ points }, { ids }) => expect(sum(points, "events")).toBeGreaterThanOrEqual(ids.length),
    ],
    [
      "series of a day",
      get("/stats?range=24h"),
      ({ points }, { ids }) => expect(sum(points, "events")).toBe(3 * ids.length),
    ],
    [
      "series of a week",
      get("/stats?range=7d"),
      ({ points }, { ids }) => expect(sum(points, "events")).toBe(5 * ids.length),
    ],
    [
      "ten destinations",
      get("/destinations?limit=10"),
      ({ items }) => {
        expect(items.map(({ stats }: any) => stats.delivered24h)).toEqual(
          Array.from({ length: 10 }, () => 3),
        );
      },
    ],
  ])("%s", async (_, read, check) => {
    const small = await rowsRead(() => read(few));
    check(small.answer, few);
    const large = await rowsRead(() => read(many));
    check(large.answer, many);
    expect(large.rows).toBeLessThanOrEqual(small.rows + 60);
  });

  it("which sources were active", async () => {
    const read = (own: Filled) =>
      rowsRead(() => activeSources(env.DB, own.id, NOW - STEPS.day, 20));
    const [small, large] = [await read(few), await read(many)];
    expect(new Set(small.answer)).toEqual(new Set(few.ids.map((id) => `instance:${id}`)));
    expect(large.answer).toHaveLength(20);
    expect(large.rows).toBeLessThanOrEqual(1_700);
  });

  it.each(["now", "24h", "30d"])("the console's overview of %s", async (range) => {
    const open = async ({ email, password, ids: [oldest] }: Filled) => {
      await env.DB.batch([
        env.DB.prepare("UPDATE instances SET valid = 0 WHERE id = ?").bind(oldest),
        env.DB.prepare("UPDATE destinations SET active = 0 WHERE id = ?").bind(
          `instance-${oldest}`,
        ),
      ]);
      const browser = openBrowser();
      await browser.post("/console/sign-in", { email, password });
      return rowsRead(() => browser.get(`/console?range=${range}`));
    };
    // Copies of an instance cannot be opened, and are left out of what needs attention.
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const [small, large] = [await open(few), await open(many)];
    const events = { now: 1, "24h": 3, "30d": 5 }[range] ?? 0;
    for (const [{ answer }, { ids }] of [
      [small, few],
      [large, many],
    ] as const)
      expect(answer.html).toContain(
        `<b class="num">${(events * ids.length).toLocaleString("en-US")}</b><span>events came in`,
      );
    expect(large.answer.html).toContain("not authenticated");
    expect(large.answer.html).toContain("paused by exhaustion");
    expect(large.rows).toBeLessThanOrEqual(small.rows + 200);
  });
});
