import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { noteObject } from "../../src/db/objects";
import { sliceOf } from "../../src/db/upkeep";
import { tickUpkeep } from "../../src/operations/upkeep.io";
import { foundation } from "../accounts/ask";
import { cases } from "../cases";
import { commit, event, target } from "../stream/build";

beforeAll(foundation);

const DAY_MS = 86_400_000;
const doors = {
  db: env.DB,
  streams: env.EVENT_STREAMS,
  endpoints: env.ENDPOINTS,
  budgets: env.VENDOR_BUDGETS,
};

/** The tick of the minute in which an object has its turn. */
async function turnOf(name: string): Promise<void> {
  const { row, size } = (await env.DB.prepare(
    "SELECT rowid AS row, (SELECT max(rowid) FROM objects) AS size FROM objects WHERE name = ?",
  )
    .bind(name)
    .first<{ row: number; size: number }>()) ?? { row: 0, size: 0 };
  const minute = Array.from({ length: 1_440 }, (_, at) => at).find((at) => {
    const [after, upTo] = sliceOf(size, at);
    return row > after && row <= upTo;
  });
  const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const said = vi.spyOn(console, "error");
  await tickUpkeep(midnight + (minute ?? 0) * 60_000, doors);
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
}

const isNoted = async (name: string): Promise<boolean> =>
  (await env.DB.prepare("SELECT 1 FROM objects WHERE name = ?").bind(name).first()) !== null;

/** Whether an object stores anything at all, its tables and alarm included. */
const isThere = <T extends Rpc.DurableObjectBranded>(
  stub: DurableObjectStub<T>,
): Promise<boolean> =>
  runInDurableObject(stub, async (_, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray();
    return tables.length > 0 || (await storage.getAlarm()) !== null;
  });

function later(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

it("gives each object one turn a day, whatever their number, and the same one while they become more", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300_000 }), fc.nat(1_439), (size, minute) => {
      const turns = Array.from({ length: 1_440 }, (_, at) => sliceOf(size, at));
      expect(turns[0]?.[0]).toBe(0);
      expect(turns.at(-1)?.[1]).toBeGreaterThanOrEqual(size);
      for (const [at, [after]] of turns.entries())
        if (at > 0) expect(after).toBe(turns[at - 1]?.[1]);
      const grown = 2 ** Math.ceil(Math.log2(size));
      expect(sliceOf(grown, minute)).toEqual(sliceOf(size, minute));
    }),
    { numRuns: cases(20, 500) },
  );
});

describe("a stream", () => {
  const made = async (source: string) => {
    const name = `1/${source}`;
    const stream = env.EVENT_STREAMS.getByName(name);
    const kept = { events: [event("a")], targets: [target({ destinationId: null })] };
    await stream.commit(commit({ ...kept, cursor: "c" }));
    return { name, stream };
  };

  it("whose source was deleted keeps what its retention keeps, and then goes as a whole", async () => {
    const { name, stream } = await made(`instance:${2e9 + Math.floor(Math.random() * 1e9)}`);
    await turnOf(name);
    expect(await stream.event("a")).not.toBeNull();
    later(8 * DAY_MS);
    await turnOf(name);
    expect([await isNoted(name), await isThere(stream)]).toEqual([false, false]);
    expect(await stream.event("a")).toBeNull();
    expect(await stream.total()).toBe(0);
    await stream.upkeep({ isOwnerless: true });
    expect(await isThere(stream)).toBe(false);
  });

  it("whose source is there loses what is older than its retention, and keeps its cursor", async () => {
    const { name, stream } = await made(`scope:${crypto.randomUUID()}/Kind/name`);
    later(8 * DAY_MS);
    await turnOf(name);
    expect(await stream.event("a")).toBeNull();
    expect([await isNoted(name), await stream.inspect()]).toMatchObject([true, { cursor: "c" }]);
  });

  it("that was killed between going and being forgotten is forgotten the next day", async () => {
    const { name, stream } = await made(`user:${2e9 + Math.floor(Math.random() * 1e9)}`);
    await stream.erase();
    expect(await isNoted(name)).toBe(true);
    await turnOf(name);
    expect([await isNoted(name), await isThere(stream)]).toEqual([false, false]);
  });
});

describe("an endpoint", () => {
  const fail = { status: 500 };
  const made = async () => {
    const name = `1/https://${crypto.randomUUID()}.example/`;
    const endpoint = env.ENDPOINTS.getByName(name);
    await endpoint.report({ results: Array(10).fill(fail), ended: 0, unreported: 0 });
    expect((await endpoint.view()).state).toBe("open");
    await vi.waitFor(async () => expect(await isNoted(name)).toBe(true));
    return { name, endpoint };
  };

  it("that is well goes; it is made anew when its circuit opens", async () => {
    const { name, endpoint } = await made();
    await endpoint.close();
    await turnOf(name);
    expect([await isNoted(name), (await endpoint.view()).state]).toEqual([false, "closed"]);
    await endpoint.report({ results: Array(10).fill(fail), ended: 0, unreported: 0 });
    await vi.waitFor(async () => expect(await isNoted(name)).toBe(true));
    expect(await isThere(endpoint)).toBe(true);
  });

  it("that is down stays, until nobody has called it for a week", async () => {
    const { name, endpoint } = await made();
    await turnOf(name);
    expect((await endpoint.view()).state).toBe("open");
    later(8 * DAY_MS);
    await turnOf(name);
    expect([await isNoted(name), await isThere(endpoint)]).toEqual([false, false]);
  });

  it("that has always been well stores nothing", async () => {
    const endpoint = env.ENDPOINTS.getByName(`1/https://${crypto.randomUUID()}.example/`);
    await endpoint.report({ results: [{ status: 200 }], ended: 0, unreported: 0 });
    expect(await isThere(endpoint)).toBe(false);
  });
});

it("a budget without a pause goes", async () => {
  const name = `1/${crypto.randomUUID()}`;
  const budget = env.VENDOR_BUDGETS.getByName(name);
  await budget.pause("a", Date.now() + 60_000);
  await noteObject(env.DB, "budget", name);
  await turnOf(name);
  expect(await isThere(budget)).toBe(true);
  later(120_000);
  await turnOf(name);
  expect([await isNoted(name), await isThere(budget)]).toEqual([false, false]);
});
