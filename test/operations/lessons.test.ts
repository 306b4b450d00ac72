import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { eventually, receiver } from "../delivery/build";
import { commit, event, target } from "../stream/build";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { recentInstances } from "../../src/instances/list.store";
import { createAccounts, signIn } from "../console/build";
import { call, callV1, create, draft, MINE, THEIRS } from "../elements/build";
import { poll, QUIET, vendor } from "../polling/build";

/**
 * Failures that users of other webhook services reported, where more than one delivery is concerned, and
 * what operators are told.
 */

beforeAll(createAccounts);
afterEach(() => vi.unstubAllGlobals());

it("given equal names in two tenants, then alerts, caches, portal and search never cross", async () => {
  const url = `http://127.0.0.1:9/shared-by-name-${crypto.randomUUID()}`;
  const answers = { [MINE]: 410, [THEIRS]: 200 };
  const seen: string[] = [];
  const received = receiver(({ headers }) => {
    const who = headers.get("x-tenant") === "mine" ? MINE : THEIRS;
    seen.push(who);
    return new Response("", { status: answers[who] ?? 500 });
  });
  const made = async (who: string, tenant: string) => {
    const headers = JSON.stringify({ "x-tenant": tenant });
    const body = draft(
      { "event.notification.callback.url": url, "event.notification.callback.headers": headers },
      { name: "Same name" },
    );
    const { body: instance } = await call("POST", "/instances", body, who);
    return Number(instance.id);
  };
  const ids = { mine: await made(MINE, "mine"), theirs: await made(THEIRS, "theirs") };
  const streams = [
    env.EVENT_STREAMS.getByName(`1/instance:${ids.mine}`),
    env.EVENT_STREAMS.getByName(`2/instance:${ids.theirs}`),
  ];
  for (const [index, id] of [ids.mine, ids.theirs].entries())
    await streams[index]?.commit(
      commit({
        targets: [target({ destinationId: `instance-${id}`, most: 1 })],
        events: [event("the-same-id", { objectId: "the-same-object" })],
      }),
    );
  const stateOf = async (index: number) =>
    (await streams[index]?.notification(1))?.notification.state.kind;
  await eventually(async () => (await stateOf(0)) === "dead" && (await stateOf(1)) === "delivered");
  expect(received.filter((one) => one.url === url)).toHaveLength(2);
  // Caches: what is known of the one destination is not taken for the other.
  const enabled = async (id: number, who: string) =>
    (await callV1("GET", `/destinations/instance-${id}`, who)).body.enabled;
  expect([await enabled(ids.mine, MINE), await enabled(ids.theirs, THEIRS)]).toEqual([false, true]);
  // Search.
  const search = async (who: string) =>
    (await callV1("GET", "/deliveries?objectId=the-same-object", who)).body.items.length;
  expect([await search(MINE), await search(THEIRS)]).toEqual([1, 0]);
  for (const [who, id] of [
    [MINE, ids.theirs],
    [THEIRS, ids.mine],
  ] as const)
    expect((await callV1("GET", `/streams/instance:${id}/events`, who)).status).toBe(404);
  // Alerts.
  const alerts = async (organizationId: number) => {
    const stream = env.EVENT_STREAMS.getByName(`${organizationId}/operations`);
    const { events } = await stream.events({ after: 0, limit: 100_000 });
    return events
      .filter(({ data }) => [ids.mine, ids.theirs].some((id) => data.includes(`instance-${id}"`)))
      .map(({ eventType }) => eventType)
      .toSorted();
  };
  await eventually(async () => (await alerts(1)).length >= 2 && true);
  expect(await alerts(1)).toEqual(["delivery.dead", "destination.disabled"]);
  expect(await alerts(2)).toEqual([]);
  // Portal.
  const [anna, otto] = [await signIn("anna@mine.example"), await signIn("otto@theirs.example")];
  expect((await anna.get(`/console/instances/${ids.mine}`)).status).toBe(200);
  expect((await otto.get(`/console/instances/${ids.mine}`)).status).toBe(404);
  expect((await otto.get("/console/instances")).html).not.toContain(`/instances/${ids.mine}"`);
});

it("given invalid inbound signatures in bulk, then no authenticated rate budget is consumed and no log row written", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const { body: instance } = await call("POST", "/instances", {
    element: { key: "hubspot" },
    configuration: {
      "event.vendor.type": "webhook",
      "hubspot.portal.id": "4711",
      "oauth.api.secret": "the-real-secret",
    },
    name: "Hubspot",
  });
  const counts = async () => {
    // What others did is counted in tables of usage meanwhile.
    const tables = ["exceptions", "audit", "jobs"];
    const rows = await Promise.all(
      tables.map((table) =>
        env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>(),
      ),
    );
    return rows.map((row) => row?.n);
  };
  const before = await counts();
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const answer = await exports.default.fetch(
        "https://tributary.example/elements/api-v2/events/hubspot",
        {
          method: "POST",
          headers: {
            "x-hubspot-signature-v3": btoa(`forged ${index}`),
            "x-hubspot-request-timestamp": String(Date.now()),
          },
          body: JSON.stringify([{ eventId: index, portalId: 4711, objectId: index }]),
        },
      );
      await answer.text();
      return answer.status;
    }),
  );
  expect(new Set(statuses.map((status) => status === 429 || status >= 500))).toEqual(
    new Set([false]),
  );
  expect(await counts()).toEqual(before);
  const stream = env.EVENT_STREAMS.getByName(`1/instance:${instance.id}`);
  expect((await stream.events({ after: 0, limit: 10 })).events).toEqual([]);
  // Who has the right to ask is answered as before.
  expect((await callV1("GET", `/streams/instance:${instance.id}/events`)).status).toBe(200);
  vi.restoreAllMocks();
});

it("tells operators of a poller that is switched off at its hundredth failure", async () => {
  const instance = await create(QUIET);
  vendor(() => Response.json({ error: { message: "Broken" } }, { status: 500 }));
  for (let failures = 0; failures < 100; failures += 1)
    expect((await poll(instance)).status).toBe(502);
  expect((await poll(instance)).status).toBe(409);
  const { events } = await env.EVENT_STREAMS.getByName("1/operations").events({
    after: 0,
    limit: 200,
    filter: JSON.stringify({ eventType: "poller.disabled" }),
  });
  const told = events.map(({ data }) => JSON.parse(data));
  expect(told.filter(({ data }) => data.instanceId === instance.id)).toMatchObject([
    { type: "poller.disabled", data: { failureCount: 100, resource: "accounts" } },
  ]);
});

it("looks for org-wide lists at the instances that were active last, then at the newest", async () => {
  const made = [];
  for (let index = 0; index < 5; index += 1) made.push(Number((await create(QUIET)).id));
  const [first = 0, second = 0, , , newest = 0] = made;
  const ring = keyring(readConfig(env).masterKeys);
  const ids = async (active: number[], limit: number) =>
    (await recentInstances(env.DB, ring, 1, limit, active)).map(({ id }) => id);
  expect(await ids([second, first], 3)).toEqual([second, first, newest]);
  expect(await ids([], 1)).toEqual([newest]);
  expect(await ids([999_999], 1)).toEqual([newest]);
});
