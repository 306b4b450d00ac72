import { createHmac } from "node:crypto";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { tickFlows } from "../../src/flows/tick.cron";
import { flowDoors } from "../../src/flows/doors";
import { ask, newUser, type SignedIn } from "../accounts/ask";
import { callV1, create, createOrganizations, record } from "../elements/build";
import { step, trigger } from "../flows/build";
import { platform } from "../platform";
import { poll, QUIET, vendor } from "../polling/build";
import { freshClient } from "../resources/build";

/** Every source is counted where its events come in, whichever it is (reference v1-api.md). */

beforeAll(createOrganizations);
afterEach(() => void vi.unstubAllGlobals());

/** What `GET /v1/usage?by=source` says of a source. */
async function usageOf(source: string): Promise<Record<string, number>> {
  const { status, body } = await callV1("GET", "/usage?by=source");
  expect(status).toBe(200);
  return body.items.find(({ key }: { key: string }) => key === source) ?? {};
}

const EVENTS = "/plugins/appmixer/utils/appevents/events";

async function sourceOf(user: SignedIn): Promise<string> {
  const { body } = await ask("GET", "/user", { token: user.token });
  return `user:${body.id}`;
}

/** A running flow of a user. */
async function start({ token }: SignedIn, flow: Record<string, unknown>): Promise<string> {
  const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
  const path = `/flows/${flowId}/coordinator`;
  const { status } = await ask("POST", path, { token, body: { command: "start" } });
  expect(status).toBe(200);
  return flowId;
}

it("has every app event, also when no flow hears of it", async () => {
  const user = await newUser();
  for (let n = 0; n < 5; n += 1) {
    const { status } = await ask("POST", `${EVENTS}/unheard`, { token: user.token, body: { n } });
    expect(status).toBe(200);
  }
  const usage = await usageOf(await sourceOf(user));
  expect(usage).toMatchObject({ events: 5, objectRequests: 5 });
  expect(usage["rowsWritten"]).toBeGreaterThanOrEqual(5);
});

it("counts an app event that is repeated under its key once", async () => {
  const user = await newUser();
  const headers = { "idempotency-key": "once" };
  for (let n = 0; n < 3; n += 1)
    await ask("POST", `${EVENTS}/repeated`, { token: user.token, body: {}, headers });
  expect(await usageOf(await sourceOf(user))).toMatchObject({ events: 1, objectRequests: 3 });
});

it("has what the steps of a flow make of an app event", async () => {
  let posts = 0;
  vi.stubGlobal("fetch", async () => {
    posts += 1;
    return new Response("ok");
  });
  const user = await newUser();
  const lambda = { url: "https://receiver.example/" };
  const below = (sender: string, port: string): Record<string, unknown> => ({
    type: "appmixer.utils.http.Post",
    source: { in: { [sender]: [port] } },
    config: {
      transform: { in: { [sender]: { [port]: { type: "json2new", modifiers: {}, lambda } } } },
    },
  });
  await start(user, {
    T: trigger("followed"),
    P: below("T", "out"),
    Q: below("P", "response"),
  });
  await ask("POST", `${EVENTS}/followed`, { token: user.token, body: {} });
  await expect.poll(() => posts).toBe(2);
  // Counted behind the callback that caused it.
  const source = await sourceOf(user);
  await expect.poll(async () => (await usageOf(source))["events"]).toBe(2);
});

it("has the calls of a flow's webhook, and what a schedule starts", async () => {
  vi.stubGlobal("fetch", async () => new Response("ok"));
  const user = await newUser();
  const below = { P: step({ url: "https://receiver.example/" }) };
  const webhook = { type: "appmixer.utils.http.Webhook", source: {}, config: {} };
  const flowId = await start(user, { T: webhook, ...below });
  expect((await ask("POST", `/flows/${flowId}/components/T`, { body: {} })).status).toBe(202);
  const source = await sourceOf(user);
  expect((await usageOf(source))["events"]).toBe(1);
  const properties = { cron: "* * * * *" };
  const schedule = { type: "tributary.events.schedule.OnTime", source: {}, config: { properties } };
  await start(user, { T: schedule, ...below });
  await env.DB.prepare(
    "UPDATE flow_triggers SET next_minute = 0 WHERE next_minute IS NOT NULL",
  ).run();
  await tickFlows(Date.now(), { ...flowDoors(env), ticks: env.TICKS });
  expect((await usageOf(source))["events"]).toBe(2);
});

it("has every change of a resource", async () => {
  vi.stubGlobal("fetch", async () => new Response("ok"));
  const client = await freshClient();
  const path = "/apis/management/v1/environments";
  await client.make(path, { name: "counted" });
  await client.call("PUT", `${path}/counted`, { name: "counted", title: "New", spec: {} });
  const { body } = await client.call("GET", "/v1/usage?by=source");
  expect(body.items).toMatchObject([{ events: 2 }]);
  expect(body.items[0].rowsWritten).toBeGreaterThanOrEqual(2);
  expect(body.total.events).toBe(2);
});

it("has what a vendor's webhook brings", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const here = await platform();
  const secret = "the-secret-of-the-app";
  const { id } = await here.instance("hubspot", {
    "hubspot.portal.id": "7071",
    "oauth.api.secret": secret,
  });
  const body = JSON.stringify(
    [1, 2, 3].map((objectId) => ({
      eventId: objectId,
      subscriptionId: 1,
      portalId: 7071,
      occurredAt: 1_705_422_467_780,
      subscriptionType: "contact.creation",
      objectId,
    })),
  );
  const timestamp = String(Date.now());
  const url = "https://events.example.com/elements/api-v2/events/hubspot";
  const signature = createHmac("sha256", secret)
    .update(`POST${url}${body}${timestamp}`)
    .digest("base64");
  const answer = await here.deliver("/events/hubspot", body, {
    "x-hubspot-signature-v3": signature,
    "x-hubspot-request-timestamp": timestamp,
  });
  expect(answer.status).toBe(200);
  expect(await usageOf(`instance:${id}`)).toMatchObject({ events: 3, objectRequests: 1 });
});

it("has a poll that found something under its source; idle ones share one line", async () => {
  const instance = await create(QUIET);
  const source = `instance:${instance.id}`;
  const idle = async () => (await usageOf("idle polls"))["polls"] ?? 0;
  vendor({ data: [record("a", Date.now()), record("b", Date.now())] });
  const idleBefore = await idle();
  expect((await poll(instance)).first).toMatchObject({ created: 2 });
  const first = await usageOf(source);
  expect(first).toMatchObject({ polls: 1, events: 2 });
  expect(await idle()).toBe(idleBefore);
  vendor({ data: [] });
  await poll(instance);
  expect(await usageOf(source)).toEqual(first);
  expect(await idle()).toBe(idleBefore + 1);
  const { body } = await callV1("GET", "/usage?by=source");
  expect(body.items.map(({ key }: { key: string }) => key)).not.toContain("");
  expect(body.total.polls).toBeGreaterThanOrEqual(2);
});
