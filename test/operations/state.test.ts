import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { endpointName } from "../../src/delivery/endpoint-name";
import { createAccounts, signIn, type Browser } from "../console/build";
import { eventually, receiver } from "../delivery/build";
import { call, callV1, createOrganizations, draft, MINE } from "../elements/build";
import { commit, event, target } from "../stream/build";

let browser: Browser;
beforeAll(async () => {
  await createOrganizations();
  await createAccounts();
  browser = await signIn("anna@mine.example");
});
afterEach(() => vi.unstubAllGlobals());

const v1 = (method: string, path: string, body?: unknown) => callV1(method, path, MINE, body);
const ok = (): Response => new Response("ok");
const failing = (): Response => new Response("no", { status: 500 });

let made = 0;
/** An instance whose callback tries once, and what is around it. */
async function instance(change: Record<string, unknown> = {}) {
  made += 1;
  const url = `http://127.0.0.1:9/state-${made}-${crypto.randomUUID()}`;
  const settings = {
    "event.notification.callback.url": url,
    "event.notification.retry.schedule": "0",
    ...change,
  };
  const { id } = (await call("POST", "/instances", draft(settings))).body;
  const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
  const kinds = async () =>
    (await stream.notifications({ before: null, limit: 50, withEvents: false })).map(
      ({ notification }) => notification.state.kind,
    );
  const send = async (name: string) => {
    const to = target({ destinationId: `instance-${id}`, most: 1 });
    await stream.commit(commit({ targets: [to], events: [event(`${id}-${name}`)] }));
  };
  const become = (...expected: string[]) =>
    eventually(async () => {
      await runDurableObjectAlarm(stream);
      return JSON.stringify(await kinds()) === JSON.stringify(expected) && true;
    });
  const path = `/destinations/instance-${id}`;
  /** What every surface says of the state. */
  const told = async () => {
    const { body: listed } = await v1("GET", `/deliveries?source=instance:${id}`);
    const { body: troubled } = await v1("GET", `/deliveries?destinationId=instance-${id}`);
    return [
      (await v1("GET", path)).body.state,
      (await call("GET", `/instances/${id}`)).body.callbackState,
      ...[...listed.items, ...troubled.items].map((one: any) => one.destinationState),
    ];
  };
  return { id, url, path, send, become, told };
}

type Made = Awaited<ReturnType<typeof instance>>;
const pauses: Record<string, (one: Made) => Promise<void>> = {
  "paused by exhaustion": async ({ send, become, path }) => {
    receiver(failing);
    await send("a");
    await become("dead");
    await eventually(async () => (await v1("GET", path)).body.enabled === false);
    await send("b");
    await become("held", "dead");
  },
  "paused by receiver": async ({ send, become, path }) => {
    receiver(() => new Response("no", { status: 410 }));
    await send("a");
    await become("dead");
    await eventually(async () => (await v1("GET", path)).body.enabled === false);
    await send("b");
    await become("dead", "dead");
  },
  "paused by owner": async ({ send, become, path }) => {
    receiver(ok);
    await v1("PATCH", path, { enabled: false });
    await send("a");
    await send("b");
    await become("dead", "dead");
  },
};

/** Every way to switch a callback on again. */
const revivals: Record<string, (one: Made) => Promise<unknown>> = {
  "POST enable": ({ path }) => v1("POST", `${path}/enable`),
  "PATCH enabled": ({ path }) => v1("PATCH", path, { enabled: true }),
  "the console": ({ path }) => browser.post(`/console${path}/enable`),
  "saving the instance": ({ id }) => call("PATCH", `/instances/${id}`, { name: "again" }),
  "saving a setting": ({ id }) =>
    call("PATCH", `/instances/${id}/configuration/event.notification.rate`, {
      propertyValue: "100",
    }),
  "enabling the instance": ({ id }) => call("PUT", `/instances/${id}/enabled`),
};
const OWNERS = ["POST enable", "PATCH enabled", "the console"];

describe("promise 13: a state has one name everywhere, with since and because", () => {
  it.each(Object.keys(pauses))("%s", async (name) => {
    const one = await instance();
    const before = Date.now();
    await pauses[name]?.(one);
    const told = await eventually(async () => {
      const states = await one.told();
      return states.length === 6 && states;
    });
    // A destination itself also tells it in the words of the reference (`is`, `by`).
    const shared = told.map(({ name: named, since, because }) => ({ named, since, because }));
    expect(new Set(shared.map((state) => JSON.stringify(state))).size).toBe(1);
    expect(told[0]).toMatchObject({ name, because: expect.any(String) });
    expect(Date.parse(told[0].since)).toBeGreaterThanOrEqual(before);
    for (const page of [`/console/instances/${one.id}`, `/console/deliveries/${one.id}101`]) {
      const { html } = await browser.get(page);
      expect(html).toContain(name);
    }
    const { items } = (await v1("GET", `/deliveries?source=instance:${one.id}`)).body;
    for (const { reason, because } of items) {
      expect(reason).not.toBeNull();
      expect(because).toContain(name);
    }
  });

  it("degraded, from the first failure to the next delivery", async () => {
    const one = await instance({ "event.notification.retry.schedule": "0,0.2,600" });
    let answer = failing;
    receiver(() => answer());
    await one.send("a");
    await eventually(async () => (await v1("GET", one.path)).body.state.name === "degraded");
    expect((await v1("GET", one.path)).body).toMatchObject({ enabled: true, status: "degraded" });
    expect((await call("GET", `/instances/${one.id}`)).body.callbackState).toMatchObject({
      name: "degraded",
      because: "Answered with 500",
    });
    answer = ok;
    await one.send("b");
    await eventually(async () => (await v1("GET", one.path)).body.state.name === "active");
  });
});

describe("a callback that was paused", () => {
  const rows = Object.keys(pauses).flatMap((name) =>
    Object.keys(revivals)
      .filter((way) => name === "paused by exhaustion" || OWNERS.indexOf(way) === 0)
      .map((way): [string, string] => [name, way]),
  );
  it.each(rows)("when %s is revived by %s, and gets what waited", async (name, way) => {
    const one = await instance();
    await pauses[name]?.(one);
    await eventually(async () => {
      const { stats } = (await v1("GET", one.path)).body;
      return stats.dead + stats.pending === 2;
    });
    receiver(ok);
    await revivals[way]?.(one);
    await one.become("delivered", "delivered");
    expect((await v1("GET", one.path)).body).toMatchObject({
      enabled: true,
      state: { name: "active", since: null, because: null },
    });
  });

  it("by its owner stays so when the instance is saved", async () => {
    const one = await instance();
    await pauses["paused by owner"]?.(one);
    await revivals["saving the instance"]?.(one);
    expect((await v1("GET", one.path)).body.state.name).toBe("paused by owner");
  });

  it("is not recovered, and is told why; one without dead notifications neither", async () => {
    const one = await instance();
    const since = "2020-01-01T00:00:00Z";
    const none = await v1("POST", `${one.path}/recover`, { since });
    expect(none).toMatchObject({
      status: 202,
      body: { total: 0, because: "The destination has no dead notification" },
    });
    await pauses["paused by exhaustion"]?.(one);
    const off = (await v1("POST", `${one.path}/recover`, { since })).body;
    expect(off).toMatchObject({ jobId: expect.any(String), total: 0 });
    expect((await v1("GET", `/jobs/${off.jobId}`)).body).toMatchObject({ status: "done" });
    expect(off.because).toContain("paused by exhaustion since");
    const shown = await browser.post(`/console${one.path}/recover`);
    const { html } = await browser.get(shown.location ?? "");
    expect(html).toContain("paused by exhaustion since");
  });

  it("says how many it recovers, and of what time none are", async () => {
    const abort = { "webhook-delivery": "abort-message" };
    receiver(() => new Response("no", { status: 400, headers: abort }));
    const one = await instance();
    await one.send("a");
    await one.send("b");
    await one.become("dead", "dead");
    await eventually(async () => (await v1("GET", one.path)).body.stats.dead === 2);
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await v1("POST", `${one.path}/recover`, { since: later })).body).toMatchObject({
      total: 0,
      because: expect.stringContaining("has 2 dead"),
    });
    receiver(ok);
    const all = await v1("POST", `${one.path}/recover`, { since: "2020-01-01T00:00:00Z" });
    expect(all.body).toMatchObject({ jobId: expect.any(String), total: 2, because: null });
    await one.become("delivered", "delivered");
  });
});

describe("a test", () => {
  it.each(Object.keys(pauses))(
    "reaches a destination that is %s, and changes nothing",
    async (name) => {
      const one = await instance();
      await pauses[name]?.(one);
      receiver(ok);
      const { status, body } = await v1("POST", `${one.path}/test`, {});
      expect({ status, body }).toMatchObject({ status: 200, body: { n: 1, status: 200 } });
      expect((await v1("GET", one.path)).body.state.name).toBe(name);
    },
  );

  it("says that the circuit is open, while it is; enabling closes it", async () => {
    const one = await instance({ "event.notification.retry.schedule": "0,600" });
    const endpoint = env.ENDPOINTS.getByName(endpointName(1, one.url));
    const results = Array.from({ length: 10 }, () => ({ status: 500 }));
    await endpoint.report({ results, ended: 0, unreported: 0 });
    receiver(ok);
    const { status, body } = await v1("POST", `${one.path}/test`, {});
    expect({ status, message: body.error.message }).toEqual({
      status: 503,
      message: expect.stringContaining("The circuit is open since"),
    });
    expect((await v1("POST", `${one.path}/enable`)).body.circuit.state).toBe("closed");
    expect((await v1("POST", `${one.path}/test`, {})).body).toMatchObject({ status: 200 });
  });
});
