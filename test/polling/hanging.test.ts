import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { call, create, createOrganizations, record, withToken } from "../elements/build";
import { consume, emitted, keepingQueue, poll, QUIET, streamOf, vendor } from "./build";

beforeAll(createOrganizations);
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const MINUTE = 60_000;
const pass = (ms: number) => void vi.setSystemTime(Date.now() + ms);

type Instance = Awaited<ReturnType<typeof create>>;

/** The two queues of polls, emptied by the test. */
function lanes() {
  const [fast, slow] = [keepingQueue(), keepingQueue()];
  const bindings = { POLLS: fast.queue, POLLS_SLOW: slow.queue };
  return {
    fast: fast.bodies,
    slow: slow.bodies,
    take: (message: object, lane: "" | "-slow" = "") =>
      consume(`tributary-polls${lane}`, [message], bindings),
  };
}

/** A vendor that answers, or with whom each request waits half a minute for nothing. */
function hangingVendor(hangs: (url: URL) => boolean, data: unknown[] = []) {
  return vendor((url) => {
    if (!hangs(url)) return Response.json({ data });
    pass(30_000);
    throw new Error("Network connection lost");
  });
}

const reach = async (instance: Instance) => {
  const path = "/instances/event-poller-records";
  const { body } = await call("GET", path, undefined, withToken(instance));
  return body[0].unreachable;
};

describe("a vendor that hangs", () => {
  const three = { ...QUIET, "event.objects": "accounts,contacts,deals" };

  it("is asked once in a poll, however many resources there are, then left alone, and shown so", async () => {
    const instance = await create(three);
    const requests = hangingVendor(() => true);
    const { take, slow } = lanes();
    await take({ ids: [instance.id] });
    expect(requests()).toHaveLength(1);
    expect(await reach(instance)).toEqual({
      since: expect.any(String),
      because: expect.stringContaining("cannot be reached"),
      nextTry: expect.any(String),
    });
    await take({ ids: [instance.id] });
    expect(requests()).toHaveLength(1);
    expect(slow).toEqual([]);
  });

  it("is tried again in the slow lane when its time has come, and an answer ends it", async () => {
    const instance = await create(QUIET);
    let isHanging = true;
    const requests = hangingVendor(() => isHanging, [record("a", Date.now() + 5)]);
    const { take, slow } = lanes();
    await take({ ids: [instance.id] });
    pass(MINUTE);
    await take({ ids: [instance.id] });
    expect(requests()).toHaveLength(1);
    expect(slow).toMatchObject([{ ids: [instance.id], again: false }]);
    await take(slow.shift(), "-slow");
    expect(requests()).toHaveLength(2);
    pass(2 * MINUTE);
    isHanging = false;
    await take({ ids: [instance.id] });
    await take(slow.shift(), "-slow");
    expect(await emitted(instance)).toEqual(["CREATED a"]);
    expect(await reach(instance)).toBeNull();
    await take({ ids: [instance.id] });
    expect(requests()).toHaveLength(4);
  });

  it("is tried at once for a person, and that ends it too", async () => {
    const instance = await create(three);
    let isHanging = true;
    const requests = hangingVendor(() => isHanging);
    await lanes().take({ ids: [instance.id] });
    isHanging = false;
    expect((await poll(instance)).status).toBe(200);
    expect(requests()).toHaveLength(4);
    expect(await reach(instance)).toBeNull();
  });

  it("keeps what webhooks asked for, once, until its next try", async () => {
    const instance = await create({ ...QUIET, "event.vendor.type": "polling,webhook" });
    hangingVendor(() => true);
    const { take, fast, slow } = lanes();
    await take({ ids: [instance.id] });
    for (let wakes = 0; wakes < 3; wakes += 1) await take({ ids: [instance.id], wake: true });
    expect([fast, slow]).toEqual([[], []]);
    const kept = await runInDurableObject(streamOf(instance), (_, state) =>
      state.storage.sql
        .exec<{ value: string }>("SELECT value FROM meta WHERE key = 'wake'")
        .toArray(),
    );
    expect(kept.map(({ value }) => JSON.parse(value))).toMatchObject([
      { message: { ids: [instance.id], wake: true } },
    ]);
  });

  it("with one resource alone, whose answers are refusals, leaves the others to be polled", async () => {
    const instance = await create(three);
    const requests = vendor(({ pathname }) =>
      pathname.endsWith("accounts")
        ? new Response("no", { status: 500 })
        : Response.json({ data: [] }),
    );
    await lanes().take({ ids: [instance.id] });
    expect(requests()).toHaveLength(3);
    expect(await reach(instance)).toBeNull();
  });
});

describe("a message with vendors that hang", () => {
  it("puts what it has no time for back on its queue as it came, and loses none", async () => {
    const instances: Instance[] = [];
    for (let made = 0; made < 9; made += 1)
      instances.push(await create({ ...QUIET, "base.url": `http://127.0.0.1:${20_000 + made}` }));
    const ids = instances.map(({ id }) => id);
    const requests = hangingVendor(
      ({ port }) => port === "20000" || port === "20001",
      [record("a", Date.now() + MINUTE)],
    );
    const { take, fast, slow } = lanes();
    const dueAt = Date.now();
    pass(MINUTE * 2);
    await take({ ids, dueAt });
    const begun = new Set(requests().map(({ port }) => Number(port) - 20_000));
    const unbegun = ids.filter((_, index) => !begun.has(index));
    expect(unbegun.length).toBeGreaterThan(0);
    expect(new Set(fast.flatMap((message) => message.ids))).toEqual(new Set(unbegun));
    expect(fast).toContainEqual(expect.objectContaining({ dueAt, again: false, wake: false }));
    expect(slow).toEqual([]);
    for (let more = fast.shift(); more !== undefined; more = fast.shift()) await take(more);
    for (const instance of instances.slice(2))
      expect(await emitted(instance)).toEqual(["CREATED a"]);
  });
});

describe("a long list", () => {
  it("is left when the message's minute is over, and read on from there in the slow lane", async () => {
    const instance = await create({ ...QUIET, "pagination.max": 1 });
    const at = Date.now() + 5;
    const requests = vendor(({ searchParams }) => {
      pass(25_000);
      const page = Number(searchParams.get("page"));
      return Response.json({ data: page > 5 ? [] : [record(String(page), at)] });
    });
    const { take, fast, slow } = lanes();
    await take({ ids: [instance.id] });
    expect(requests().map(({ searchParams }) => searchParams.get("page"))).toEqual(["1", "2", "3"]);
    expect(fast).toEqual([]);
    expect(slow).toMatchObject([{ ids: [instance.id], again: true, resources: ["accounts"] }]);
    await take(slow.shift(), "-slow");
    expect(requests()[3]?.searchParams.get("page")).toBe("4");
    for (let more = slow.shift(); more !== undefined; more = slow.shift())
      await take(more, "-slow");
    expect(await emitted(instance)).toEqual(["1", "2", "3", "4", "5"].map((id) => `CREATED ${id}`));
  });
});
