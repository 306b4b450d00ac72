import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { coarsen, COARSENINGS } from "../../src/metering/coarsen.store";
import { noCounts, valuesOf } from "../../src/metering/count";
import { flushOf, insertFlushes } from "../../src/metering/flushes.store";
import { foldFlushes, foldRollups } from "../../src/metering/fold.store";
import { expire } from "../../src/operations/retention.cron";
import { countD1 } from "../d1-rows";
import { callV1, createOrganizations } from "../elements/build";
import { type Own, ownOrganization } from "../organization";

/** What nobody looks back on any more is deleted as fast as it is made, and found without reading the rest. */

const NOW = Date.now();
const DAY = 86_400_000;

beforeAll(createOrganizations);

const NUMBERS =
  "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)";

/** So many exceptions of an organization that changed last at this instant. */
const exceptions = ({ id }: Own, n: number, at: number) =>
  env.DB.prepare(
    `${NUMBERS} INSERT INTO exceptions SELECT ?1 || '-' || ?3 || '-' || n, ?1, 's', 'd', 'dead', NULL, 1, NULL, ?3, ?3 FROM numbers`,
  )
    .bind(id, n, at)
    .run();

const audit = ({ id }: Own, at: number) =>
  env.DB.prepare(
    "INSERT INTO audit (organization_id, at, actor, action, target, request_id, changes) VALUES (?, ?, 'a', 'b', '', '', '[]')",
  )
    .bind(id, at)
    .run();

const left = async (table: string, { id }: Own): Promise<number> =>
  (await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE organization_id = ?`)
    .bind(id)
    .first<number>("n")) ?? 0;

describe("exceptions", () => {
  it("are all deleted in the minute in which they are a month old, however many", async () => {
    const own = await ownOrganization();
    await exceptions(own, 4_500, NOW - 31 * DAY);
    await exceptions(own, 3, NOW - 29 * DAY);
    await expire(NOW, env.DB);
    expect(await left("exceptions", own)).toBe(3);
  });

  it("that are young cost nothing, however many there are", async () => {
    const own = await ownOrganization();
    await expire(NOW, env.DB);
    const read = async () => {
      const counter = countD1();
      await expire(NOW, env.DB);
      counter.end();
      return counter.read;
    };
    const before = await read();
    await exceptions(own, 5_000, NOW - DAY);
    expect(await read()).toBeLessThanOrEqual(before + 10);
  });
});

describe("the audit log", () => {
  it("ends after 400 days, or when its organization says", async () => {
    const [usual, short, long] = await Promise.all([
      ownOrganization(),
      ownOrganization(),
      ownOrganization(),
    ]);
    const keep = async ({ authorization }: Own, auditDays: number) => {
      const { status, body } = await callV1("PATCH", "/organization", authorization, { auditDays });
      expect({ status, days: body.auditDays }).toEqual({ status: 200, days: auditDays });
    };
    await keep(short, 30);
    await keep(long, 3_650);
    const made = { usual: 0, short: await left("audit", short), long: await left("audit", long) };
    for (const days of [29, 31, 399, 401, 3_649, 3_651])
      for (const own of [usual, short, long]) await audit(own, NOW - days * DAY);
    await expire(NOW, env.DB);
    expect(await left("audit", usual)).toBe(made.usual + 3);
    expect(await left("audit", short)).toBe(made.short + 1);
    expect(await left("audit", long)).toBe(made.long + 5);
  });

  it.each([0, 29, 3_651, 31.5, "90", null])("is never kept for %j days", async (auditDays) => {
    const own = await ownOrganization();
    const { status, body } = await callV1("PATCH", "/organization", own.authorization, {
      auditDays,
    });
    expect({ status, field: body.error.field }).toEqual({ status: 400, field: "auditDays" });
    expect(body.error.message).toContain("a whole number of days, 30 to 3650");
    const organization = await callV1("GET", "/organization", own.authorization);
    expect(organization.body.auditDays).toBe(400);
  });
});

it("usage ends after ninety days", async () => {
  const own = await ownOrganization();
  const counts = valuesOf({ ...noCounts(), events: 1 });
  const days = [1, 30, 88, 92, 120];
  const entries = days.map((day) => {
    const at = NOW - day * DAY;
    return [own.id, at - (at % 300_000), "instance:1", "hook", ...counts];
  });
  await insertFlushes(env.DB, [flushOf(entries, NOW - 600_000)]);
  for (let round = 0; round < 50 && (await foldFlushes(env.DB, NOW)); round += 1);
  for (const one of COARSENINGS)
    for (let round = 0; round < 50 && (await coarsen(env.DB, one, NOW)); round += 1);
  await expire(NOW, env.DB);
  expect(await left("usage_totals", own)).toBe(3);
  expect(await left("usage_details", own)).toBe(3);
  // Of destinations only the last day is shown.
  expect(await left("usage_destinations", own)).toBe(1);
});

describe("no statement of the minutely job reads a table from end to end:", () => {
  /** The database, and what was prepared. */
  function recording(): { db: D1Database; texts: Set<string> } {
    const texts = new Set<string>();
    const db = {
      prepare: (text: string) => {
        texts.add(text);
        return env.DB.prepare(text);
      },
      batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    } as unknown as D1Database;
    return { db, texts };
  }

  it.each<[string, (db: D1Database) => Promise<unknown>, atLeast: number]>([
    ["deleting", (db) => expire(NOW, db), 8],
    [
      "folding",
      async (db) => {
        const own = await ownOrganization();
        const entry = [own.id, 300_000, "instance:1", "hook", ...valuesOf(noCounts())];
        await insertFlushes(env.DB, [flushOf([entry], 300_000)]);
        await foldFlushes(db, NOW);
        await foldRollups(db, NOW);
      },
      9,
    ],
    [
      "making coarser",
      async (db) => {
        for (const one of COARSENINGS) {
          const own = await ownOrganization();
          const counts = valuesOf(noCounts());
          await insertFlushes(env.DB, [flushOf([[own.id, 0, "instance:1", "hook", ...counts]], 0)]);
          await foldFlushes(env.DB, NOW);
          for (let round = 0; round < 50 && (await coarsen(db, one, NOW)); round += 1);
        }
      },
      6,
    ],
  ])("%s", async (_, work, atLeast) => {
    const { db, texts } = recording();
    await work(db);
    expect(texts.size).toBeGreaterThanOrEqual(atLeast);
    const tables = new Set(
      (
        await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{
          name: string;
        }>()
      ).results.map(({ name }) => name),
    );
    for (const text of texts) {
      const parameters =
        Math.max(0, ...[...text.matchAll(/\?(\d)/g)].map(([, n]) => Number(n))) ||
        [...text.matchAll(/\?/g)].length;
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
        .bind(...Array.from({ length: parameters }, () => "1"))
        .all<{ detail: string }>();
      const aliases = new Map(
        [...text.matchAll(/(?:FROM|JOIN) (\w+) AS (\w+)/g)].map(([, table, alias]) => [
          alias,
          table,
        ]),
      );
      const scans = results.flatMap(({ detail }) => {
        const [, name = ""] = /^SCAN (\w+)/.exec(detail) ?? [];
        return tables.has(aliases.get(name) ?? name) ? [detail] : [];
      });
      expect({ text, scans }).toEqual({ text, scans: [] });
    }
  });
});
