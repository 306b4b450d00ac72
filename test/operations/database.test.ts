import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { isNews, projected } from "../../src/operations/database/size";
import { readSizes } from "../../src/operations/database/size.store";
import { watchDatabase } from "../../src/operations/database/watch.io";
import { callV1, createOrganizations, MINE } from "../elements/build";
import { ownOrganization } from "../organization";

const NOW = Date.UTC(2030, 0, 20, 13);
const DAY = 86_400_000;
const day = (ago: number) => NOW - (NOW % DAY) - ago * DAY;

beforeAll(createOrganizations);
afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.prepare("DELETE FROM database_sizes").run();
});

describe("the database's size", () => {
  it.each<[string, { day: number; bytes: number }[], number, number | null, number | null]>([
    ["is all that is known of a new one", [], 500, null, null],
    ["is all that is known on the first day", [{ day: day(0), bytes: 100 }], 500, null, null],
    [
      "tells its growth on the second day",
      [
        { day: day(1), bytes: 400 },
        { day: day(0), bytes: 450 },
      ],
      500,
      100,
      5,
    ],
    [
      "grows by the average of the days that are known",
      [
        { day: day(10), bytes: 100 },
        { day: day(1), bytes: 450 },
      ],
      500,
      40,
      12,
    ],
    ["will never be full when it doesn't grow", [{ day: day(3), bytes: 500 }], 500, 0, null],
    ["will never be full when it shrinks", [{ day: day(3), bytes: 800 }], 500, -100, null],
    ["is full", [{ day: day(1), bytes: 900 }], 1_200, 300, 0],
  ])("%s", (_, sizes, bytes, growthBytesPerDay, daysUntilFull) =>
    expect(projected(sizes, bytes, NOW, 1_000)).toEqual({
      sizeBytes: bytes,
      limitBytes: 1_000,
      growthBytesPerDay,
      daysUntilFull,
    }),
  );

  it.each([
    [undefined, 100, true],
    [1_000, 1_010, false],
    [1_000, 1_011, true],
    [1_000, 989, true],
  ])("%j is news as %j: %s", (noted, bytes, is) =>
    expect(isNews(noted === undefined ? undefined : { day: 0, bytes: noted }, bytes)).toBe(is),
  );

  it("is noted once a day, for a month, and otherwise when it changed", async () => {
    for (let ago = 40; ago >= 0; ago -= 1) {
      await watchDatabase(env_, day(ago) + 60_000);
      await watchDatabase(env_, day(ago) + 120_000);
    }
    const { bytes, sizes } = await readSizes(env.DB);
    expect(bytes).toBeGreaterThan(100_000);
    expect(sizes).toHaveLength(31);
    expect(sizes.at(-1)?.bytes).toBeGreaterThan(0.98 * bytes);
  });

  it("is told to the first organization alone, for all of them share it", async () => {
    await watchDatabase(env_, Date.now() - 2 * DAY);
    const { body } = await callV1("GET", "/stats", MINE);
    expect(body.database).toMatchObject({ limitBytes: 10_000_000_000 });
    expect(body.database.sizeBytes).toBeGreaterThan(100_000);
    expect(body.database.growthBytesPerDay).toEqual(expect.any(Number));
    const other = await ownOrganization();
    expect((await callV1("GET", "/stats", other.authorization)).body.database).toBeUndefined();
  });
});

const env_ = { db: env.DB, streams: env.EVENT_STREAMS };

/** Operational events that tell of the database. */
async function told(): Promise<Record<string, unknown>[]> {
  const stream = env.EVENT_STREAMS.getByName("1/operations");
  const { events } = await stream.events({ after: 0, limit: 1_000 });
  return events
    .filter(({ objectType }) => objectType === "database.filling")
    .map(({ data }) => JSON.parse(data).data);
}

describe("a database that fills up", () => {
  it("is told of once when it is full by seven tenths, and again after a month", async () => {
    const { bytes } = await readSizes(env.DB);
    const before = (await told()).length;
    const since = async () => (await told()).slice(before);
    // Seven tenths of this limit are a little more than there is.
    await watchDatabase(env_, NOW, Math.ceil(bytes / 0.69));
    expect(await since()).toEqual([]);
    const limit = Math.floor(bytes / 0.71);
    for (let minute = 0; minute < 5; minute += 1)
      await Promise.all([
        watchDatabase(env_, NOW + minute * 60_000, limit),
        watchDatabase(env_, NOW + minute * 60_000, limit),
      ]);
    await watchDatabase(env_, NOW + 20 * DAY, limit);
    expect(await since()).toMatchObject([{ limitBytes: limit, growthBytesPerDay: null }]);
    for (let days = 21; days < 40; days += 1) await watchDatabase(env_, NOW + days * DAY, limit);
    expect(await since()).toHaveLength(2);
  });

  it("is told of in the next minute when it could not be told", async () => {
    const { bytes } = await readSizes(env.DB);
    const before = (await told()).length;
    const limit = Math.floor(bytes / 0.8);
    const closed = { getByName: () => ({ commit: () => Promise.reject(new Error("away")) }) };
    const doors = { db: env.DB, streams: closed as unknown as Env["EVENT_STREAMS"] };
    await expect(watchDatabase(doors, NOW, limit)).rejects.toThrow("away");
    await watchDatabase(env_, NOW + 60_000, limit);
    expect((await told()).slice(before)).toHaveLength(1);
  });
});
