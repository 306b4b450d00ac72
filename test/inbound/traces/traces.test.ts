import { createHmac } from "node:crypto";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ask } from "../../accounts/ask";
import { readConfig } from "../../../src/config";
import { hopHeaders, MOST_HOPS } from "../../../src/delivery/own-address";
import { callV1, THEIRS } from "../../elements/build";
import { MINE } from "../../organization";
import { platform, PUBLIC_URL, stored } from "../../platform";
import { described } from "../described";

const KEY = "a-key-of-traces";
let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
  expect((await on.call("POST", "/elements", described("traced"))).status).toBe(200);
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const start = async (configuration: Record<string, unknown> = {}, element = "traced") => {
  const { id } = await on.instance(element, {
    "event.vendor.signature.key": KEY,
    ...configuration,
  });
  const send = async (body: string, key = KEY, headers: Record<string, string> = {}) =>
    (
      await on.deliver(`/events/${element}/${btoa(String(id))}`, body, {
        "x-signature": createHmac("sha256", key).update(body).digest("hex"),
        ...headers,
      })
    ).status;
  const traces = async () => (await callV1("GET", `/instances/${id}/inbound`)).body;
  const replay = (traceId: string) =>
    callV1("POST", `/instances/${id}/inbound/${traceId}/replay`, MINE);
  const events = async () => (await stored(on, id)).map(({ objectId }) => objectId);
  return { id, send, traces, replay, events };
};
const opened = (number: string) => JSON.stringify({ action: "opened", issue: { number } });

describe("promise 14, a verified input that yields nothing leaves a trace its owner can see", () => {
  it.each<[string, string, string, string, Record<string, unknown>]>([
    ["that tells nothing", '{"zen":"x"}', "no-event", "no change found in it", {}],
    ["that is a form of nothing", "a=1&b=2", "no-event", "no change found in it", {}],
    ["that is empty", "", "no-event", "no change found in it", {}],
    [
      "that can't be read",
      "some words",
      "no-event",
      "The body is neither JSON nor XML nor a form",
      {},
    ],
    [
      "that is too deep",
      "[".repeat(600),
      "no-event",
      "The body is nested deeper than 500 levels",
      {},
    ],
    [
      "of an entity",
      "<!DOCTYPE a><a/>",
      "no-event",
      "Expected XML without a document type or entities",
      {},
    ],
    [
      "for an instance that hears nothing",
      opened("1"),
      "ignored",
      "events are off",
      { "event.notification.enabled": false },
    ],
  ])("of a delivery %s", async (_, body, outcome, reason, configuration) => {
    const one = await start(configuration);
    await one.send(body);
    const { counts, items } = await one.traces();
    expect(counts).toMatchObject({ [outcome]: 1 });
    expect(items).toEqual([
      expect.objectContaining({ outcome, reason, replayable: true, replayedAt: null }),
    ]);
    expect(items[0].request).toMatchObject({ method: "POST", body, bytes: body.length });
  });

  it("of an event that the instance's filter turns away: it is listed, sent to nobody, and says so", async () => {
    const one = await start({ "event.notification.filter": "objectId = '2'" });
    for (const number of ["1", "2"]) expect(await one.send(opened(number))).toBe(200);
    const { body } = await callV1("GET", `/streams/instance:${one.id}/events`);
    expect(body.items).toEqual([
      expect.objectContaining({ objectId: "1", filtered: true, notificationIds: [] }),
      expect.objectContaining({ objectId: "2", notificationIds: [expect.any(String)] }),
    ]);
    expect(body.items[1]).not.toHaveProperty("filtered");
    expect((await one.traces()).items).toEqual([]);
  });

  it("of one that comes twice, the second time; of one that becomes an event none", async () => {
    const one = await start();
    expect(await one.send(opened("1"))).toBe(200);
    expect((await one.traces()).items).toEqual([]);
    await one.send(opened("1"));
    expect((await one.traces()).items).toMatchObject([{ outcome: "no-event", reason: "repeated" }]);
  });
});

describe("a delivery that is refused", () => {
  it("leaves its reason, without what could prove anything to us", async () => {
    const one = await start();
    expect(await one.send("{}", "another-key", { cookie: "c=1", authorization: "Bearer x" })).toBe(
      401,
    );
    const { counts, items } = await one.traces();
    expect(counts).toMatchObject({ refused: 1 });
    expect(items).toMatchObject([{ outcome: "refused", reason: "wrong-signature" }]);
    expect(items[0].request.headers).not.toHaveProperty("cookie");
    expect(items[0].request.headers).not.toHaveProperty("authorization");
    expect(items[0].request.headers["x-signature"]).toBe("********");
    expect(JSON.stringify(items)).not.toContain(KEY);
  });

  it("that goes round in a circle leaves that, and is 400, proved or not", async () => {
    const one = await start();
    const { sessionKey } = readConfig(env);
    const hops = hopHeaders(MOST_HOPS, sessionKey);
    expect(await one.send(opened("1"), KEY, hops)).toBe(400);
    expect(await one.send(opened("1"), "another-key", hops)).toBe(400);
    const { counts, items } = await one.traces();
    expect(counts).toMatchObject({ refused: 2 });
    expect(items.map((item: any) => item.reason)).toEqual([
      "goes round in a circle",
      "goes round in a circle",
    ]);
    expect(await one.events()).toEqual([]);
    expect(await one.send(opened("1"), KEY, hopHeaders(MOST_HOPS - 1, sessionKey))).toBe(200);
    expect(await one.events()).toEqual(["1"]);
  });

  it("doesn't tell the token that its address has", async () => {
    const { id, configuration } = await on.instance("sfdc", {
      "sfdc.organization.id": "00Dtraces",
    });
    const token = configuration["event.vendor.token"] ?? "";
    await on.deliver(`/events/sfdc/${id}?token=${token}x&more=1`, "<a/>");
    const { items } = (await callV1("GET", `/instances/${id}/inbound`)).body;
    expect(items[0].request.url).toBe(`${PUBLIC_URL}/elements/api-v2/events/sfdc/${id}?more=1`);
  });

  it("can't push out what proved ones left, and writes no more rows than the bound", async () => {
    const one = await start();
    await one.send('{"zen":"x"}');
    const before = (await on.streamOf(one.id).meter()).rowsWritten;
    for (let sent = 0; sent < 160; sent += 1) await one.send(`{"n":${sent}}`, "another-key");
    const { counts, items } = await one.traces();
    expect(counts["no-event"]).toBe(1);
    expect(counts.refused).toBeGreaterThanOrEqual(100);
    expect(items).toHaveLength(50);
    const proved = await callV1("GET", `/instances/${one.id}/inbound?outcome=no-event`);
    expect(proved.body.items).toHaveLength(1);
    expect((await on.streamOf(one.id).meter()).rowsWritten - before).toBeLessThan(450);
  });
});

describe("a kept delivery", () => {
  it("is replayed after the connector was mended, and marked", async () => {
    const definition = described("mended", {
      extraction: { ...described("x").webhook.extraction, objectId: { path: "wrong" } },
    });
    await on.call("POST", "/elements", definition);
    const one = await start({}, "mended");
    await one.send(opened("7"));
    const [trace] = (await one.traces()).items;
    expect((await one.replay(trace.id)).body).toEqual({
      outcome: "no-event",
      events: 0,
      reason: "no change found in it",
    });
    const made = (await on.call("GET", "/elements/mended")).body;
    expect((await on.call("PUT", `/elements/${made.key}`, described("mended"))).status).toBe(200);
    await vi.waitFor(async () => {
      expect((await one.replay(trace.id)).body).toEqual({
        outcome: "accepted",
        events: 1,
        reason: null,
      });
    }, 15_000);
    expect(await one.events()).toEqual(["7"]);
    expect((await one.traces()).items[0].replayedAt).toEqual(expect.any(String));
  });

  it("that was refused is replayed only once its signature fits", async () => {
    const one = await start();
    await one.send(opened("8"), "the-right-key");
    const [trace] = (await one.traces()).items;
    expect((await one.replay(trace.id)).body).toEqual({
      outcome: "refused",
      events: 0,
      reason: "wrong-signature",
    });
    expect(await one.events()).toEqual([]);
    await on.call("PATCH", `/instances/${one.id}`, {
      configuration: { "event.vendor.signature.key": "the-right-key" },
    });
    expect((await one.replay(trace.id)).body).toMatchObject({ outcome: "accepted", events: 1 });
    expect(await one.events()).toEqual(["8"]);
  });

  it("of more than 4 KB is shown in part, and not replayed", async () => {
    const one = await start();
    await one.send(JSON.stringify({ zen: "x".repeat(5_000) }));
    const [trace] = (await one.traces()).items;
    expect(trace).toMatchObject({ replayable: false });
    expect(trace.request.body).toHaveLength(4_096);
    expect(trace.request.bytes).toBe(5_010);
    expect((await one.replay(trace.id)).status).toBe(409);
  });

  it("is nobody else's, and gone with an object's data", async () => {
    const one = await start();
    await one.send('{"zen":"x"}');
    const [trace] = (await one.traces()).items;
    const path = `/instances/${one.id}/inbound`;
    expect((await callV1("GET", path, THEIRS)).status).toBe(404);
    expect((await callV1("POST", `${path}/${trace.id}/replay`, THEIRS)).status).toBe(404);
    expect((await callV1("POST", `${path}/999/replay`)).status).toBe(404);
    expect((await callV1("GET", `${path}?outcome=lost`)).body.error.field).toBe("outcome");
    await callV1("DELETE", `/streams/instance:${one.id}/objects/issues/1`);
    expect((await one.traces()).items).toEqual([]);
  });
});

describe("a delivery for a tenant that nobody has", () => {
  it("is kept for the operator; of an organization's own connector, for its owner", async () => {
    await on.deliver("/events/hubspot", '[{"portalId":"nobody-traced"}]');
    const operator = { token: env.BOOTSTRAP_KEY };
    const seen = await ask("GET", "/v1/connectors/hubspot/inbound", operator);
    expect(seen.body.items[0]).toMatchObject({
      outcome: "unrouted",
      request: { body: '[{"portalId":"nobody-traced"}]' },
    });
    expect((await callV1("GET", "/connectors/hubspot/inbound")).status).toBe(404);
    const route = { tenants: [{ path: "team" }], equals: ["routed.team"] };
    const { id } = (await on.call("POST", "/elements", described("routed", { route }))).body;
    expect((await on.deliver(`/events/${id}`, '{"team":"nobody"}')).status).toBe(200);
    expect((await callV1("GET", "/connectors/routed/inbound")).body.items).toMatchObject([
      { outcome: "unrouted" },
    ]);
    expect((await callV1("GET", "/connectors/routed/inbound", THEIRS)).status).toBe(404);
  });
});
