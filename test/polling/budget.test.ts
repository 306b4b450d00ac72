import { env } from "cloudflare:workers";
import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import worker from "../../src/index";
import type { Instance } from "../../src/instances/instance";
import { readInstance } from "../../src/instances/store";
import { reservePolls } from "../../src/polling/pacing/rate-slots.io";
import {
  createExecutionContext,
  createMessageBatch,
  evictAllDurableObjects,
} from "cloudflare:test";
import {
  call,
  create,
  createOrganizations,
  record,
  stubOutside,
  withToken,
} from "../elements/build";
import { QUIET } from "./build";

beforeAll(createOrganizations);
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

type Kept = { body: any; delaySeconds: number; sentAt: number };

/** True in what a test consumes: what other files of this runtime left under way is none of it. */
const mine = new AsyncLocalStorage<true>();

/** The polls queue of a test: what is sent to it, and when it is to come. */
function pollsQueue() {
  const kept: Kept[] = [];
  const queue: any = {
    async sendBatch(messages: MessageSendRequest[], options?: QueueSendBatchOptions) {
      const delaySeconds = options?.delaySeconds ?? 0;
      const sentAt = Date.now();
      for (const { body } of messages)
        kept.push({ body: structuredClone(body), delaySeconds, sentAt });
    },
  };
  const consume = async (body: unknown) => {
    const batch = createMessageBatch("tributary-polls", [
      { id: "1", timestamp: new Date(), attempts: 1, body },
    ]);
    const bindings = { ...env, POLLS: queue };
    await mine.run(true, () => worker.queue(batch, bindings, createExecutionContext()));
  };
  return { kept, queue, consume };
}

const accounts = new Set<string | null>();

/** Instances of one account: they have the same API key. */
async function sharing(count: number, key: string, change: object = {}) {
  accounts.add(`Bearer ${key}`);
  const made = [];
  for (let index = 0; index < count; index += 1)
    made.push(await create({ ...QUIET, "sandbox.api.key": key, ...change }));
  return made as { id: number; token: string }[];
}

const idsOf = (instances: { id: number }[]) => instances.map(({ id }) => id);

/** A vendor with nothing new, and when it was asked by which of these tests' accounts. */
function askedAt(answer: () => Response = () => Response.json({ data: [] })) {
  const asked: { at: number; key: string | null }[] = [];
  stubOutside(({ headers }) => {
    const key = headers.get("authorization");
    if (accounts.has(key)) asked.push({ at: Date.now(), key });
    return answer();
  });
  return asked;
}

/** The most requests that any window of so many ms saw. */
const mostIn = (times: readonly number[], windowMs: number): number =>
  Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length),
    0,
  );

/** Waiting takes no time: the clock jumps to the earliest instant that anybody waits for. */
function virtualTime(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const waits: { until: number; resolve: () => void }[] = [];
  const realWait = scheduler.wait.bind(scheduler);
  const wait = vi.spyOn(scheduler, "wait").mockImplementation((ms) => {
    if (mine.getStore() !== true) return realWait(ms);
    return new Promise((resolve) => {
      waits.push({ until: Date.now() + ms, resolve });
      setTimeout(() => {
        const first = waits.toSorted((a, b) => a.until - b.until)[0];
        if (first === undefined) return;
        waits.splice(waits.indexOf(first), 1);
        if (first.until > Date.now()) vi.setSystemTime(Math.ceil(first.until));
        first.resolve();
      }, 20);
    });
  });
  onTestFinished(() => wait.mockRestore());
}

describe("instances that share a rate budget", () => {
  it("are polled at that budget: never above it in any window", async () => {
    const instances = await sharing(60, "sixty", { "vendor.rate": "20/1" });
    const asked = askedAt();
    const { kept, consume } = pollsQueue();
    const began = Date.now();
    await Promise.all([
      consume({ ids: idsOf(instances.slice(0, 30)) }),
      consume({ ids: idsOf(instances.slice(30)) }),
    ]);
    const times = asked.map(({ at }) => at);
    expect(times).toHaveLength(60);
    expect(kept).toEqual([]);
    expect(mostIn(times, 1_000)).toBeLessThanOrEqual(20);
    // 59 spaces of 51 ms.
    expect(Date.now() - began).toBeGreaterThanOrEqual(59 * 50);
  });

  it("come back without loss when there is no room, each once, spread over the time it takes", async () => {
    const key = `forty-${crypto.randomUUID()}`;
    const instances = await sharing(40, key, { "vendor.rate": "4/1" });
    const asked = askedAt();
    const { kept, consume } = pollsQueue();
    virtualTime();
    await consume({ ids: idsOf(instances) });
    const first = asked.length;
    expect(first).toBeGreaterThanOrEqual(10);
    expect(first).toBeLessThanOrEqual(22);
    const away = kept.flatMap(({ body }) => body.ids as number[]);
    expect(new Set(away).size).toBe(away.length);
    expect(first + away.length).toBe(40);
    expect(kept[0]?.delaySeconds).toBeGreaterThanOrEqual(1);
    // The next tick finds them waiting, and puts none of them in line again. How far the clock jumped meanwhile is chance.
    const waiting = kept.splice(0);
    vi.setSystemTime(Math.min(...waiting.map(({ sentAt }) => sentAt)));
    await consume({ ids: away });
    expect(asked).toHaveLength(first);
    expect(kept).toEqual([]);
    for (const { body, delaySeconds } of waiting) {
      vi.setSystemTime(Date.now() + delaySeconds * 1_000);
      await consume(body);
    }
    const last = kept.flatMap(({ body }) => body.ids as number[]);
    expect(asked.length + last.length).toBe(40);
  });

  it("are all left alone when the vendor refuses one of them, and no other account is", async () => {
    const [refused, other] = await sharing(2, "limited");
    const [stranger] = await sharing(1, "stranger");
    const sandbox = findConnector("sandbox");
    if (!refused || !other || !stranger || !sandbox) throw new Error("Not made");
    sandbox.rateLimit = { per: "account", seconds: 60, pauseSeconds: 30 };
    onTestFinished(() => void delete sandbox.rateLimit);
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    let isLimited = true;
    const asked = askedAt(() =>
      isLimited
        ? new Response("", { status: 429, headers: { "retry-after": "120" } })
        : Response.json({ data: [record("x", start + 5)] }),
    );
    const { kept, consume } = pollsQueue();
    await consume({ ids: [refused.id] });
    isLimited = false;
    await consume({ ids: [other.id, stranger.id] });
    expect(asked.map(({ key }) => key)).toEqual(["Bearer limited", "Bearer stranger"]);
    expect(kept).toMatchObject([{ body: { ids: [other.id], again: true }, delaySeconds: 120 }]);
    vi.setSystemTime(start + 120_001);
    await consume(kept[0]?.body);
    expect(asked.map(({ key }) => key).slice(2)).toEqual(["Bearer limited"]);
  });

  it("and one whose account has no name keep to it from poll to poll, wherever they run", async () => {
    const instanceOf = async (name: string) => {
      const credentials = { "oauth.user.token": name, "oauth.user.refresh_token": name };
      const { id } = await create(
        { ...QUIET, "event.objects": null, "vendor.rate": "1/60", ...credentials },
        { element: { key: "box" } },
      );
      const instance = await readInstance(env.DB, keyring(readConfig(env).masterKeys), id);
      if (instance === undefined) throw new Error("Not made");
      return instance;
    };
    const [one, other] = [await instanceOf("one"), await instanceOf("other")];
    const { kept, queue } = pollsQueue();
    const doors = { budgets: env.VENDOR_BUDGETS, polls: queue };
    const pacerOf = (instance: Instance) =>
      reservePolls([instance], doors, { again: false, forced: false });
    expect((await pacerOf(one)).admits(one)).toBe(true);
    // As in another isolate: it remembers nothing of the first poll.
    const late = await pacerOf(one);
    expect(late.admits(one)).toBe(false);
    await late.putBack([one], { wake: false, again: false });
    expect(kept).toMatchObject([{ body: { ids: [one.id], again: true } }]);
    expect((await pacerOf(other)).admits(other)).toBe(true);
  });

  it("go on with the pages and resources that found no room, and repeat nothing", async () => {
    const [instance] = await sharing(1, "pages", {
      "vendor.rate": "1/60",
      "event.objects": "accounts,deals",
      "pagination.max": 2,
    });
    if (!instance) throw new Error("Not made");
    const at = Date.now() + 5;
    const asked: string[] = [];
    stubOutside(({ url: { pathname, searchParams } }) => {
      asked.push(`${pathname} ${searchParams.get("page") ?? searchParams.get("offset")}`);
      const isSecond = searchParams.get("page") === "2";
      const data = pathname.endsWith("deals") ? [] : isSecond ? ["c"] : ["a", "b"];
      return Response.json({ data: data.map((id) => record(id, at)) });
    });
    const { kept, consume } = pollsQueue();
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    await consume({ ids: [instance.id] });
    for (let round = 1; round <= 8 && kept.length > 0; round += 1) {
      vi.setSystemTime(start + round * 70_000);
      await consume(kept.shift()?.body);
    }
    expect(kept).toEqual([]);
    expect([...new Set(asked)]).toEqual(["/v1/accounts 1", "/v1/accounts 2", "/v1/deals null"]);
    const { events } = await env.EVENT_STREAMS.getByName(`1/instance:${instance.id}`).events({
      after: 0,
      limit: 10,
    });
    expect(events.map(({ objectId }) => objectId)).toEqual(["a", "b", "c"]);
  });

  it("go on when the clock is set back: what this isolate noted under it holds nobody until then", async () => {
    const [one, other] = await sharing(2, "set-back", { "vendor.rate": "20/1" });
    if (!one || !other) throw new Error("Not made");
    const asked = askedAt();
    const { kept, consume } = pollsQueue();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 86_400_000 });
    await consume({ ids: [one.id] });
    vi.useRealTimers();
    // The objects that keep the budgets have been moved since.
    await evictAllDurableObjects();
    await consume({ ids: [other.id] });
    expect(asked).toHaveLength(2);
    expect(kept).toEqual([]);
  });

  it("make room for a person's hub call, which goes at once", async () => {
    const [instance] = await sharing(1, "hub", { "vendor.rate": "1/2" });
    if (!instance) throw new Error("Not made");
    const asked = askedAt();
    for (let times = 0; times < 3; times += 1)
      expect((await call("GET", "/hubs/crm/accounts", undefined, withToken(instance))).status).toBe(
        200,
      );
    expect(asked).toHaveLength(3);
    const { kept, consume } = pollsQueue();
    await consume({ ids: [instance.id] });
    expect(asked).toHaveLength(3);
    expect(kept).toMatchObject([{ body: { ids: [instance.id] } }]);
  });

  it.each(["100", "0/60", "100/0", "a/b", "100/-1"])(
    "cannot be given the rate '%s'",
    async (rate) => {
      const made = await call("POST", "/instances", {
        element: { key: "sandbox" },
        configuration: { "vendor.rate": rate },
        name: "x",
      });
      expect(made.status).toBe(400);
      expect(made.body.message).toContain("vendor.rate");
    },
  );
});
