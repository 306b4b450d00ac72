import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app";
import { readConfig } from "../../src/config";
import { post } from "../../src/delivery/callback.client";
import { keyring } from "../../src/db/sealed";
import { readDestination } from "../../src/delivery/destinations.store";
import { senderHeaders, senderOf } from "../../src/delivery/own-address";
import { THEIRS } from "../organization";
import { ownOrganization } from "../organization";
import { platform, PUBLIC_URL } from "../platform";
import { described } from "./described";

/** Callbacks into this platform's own inbound addresses: what is accepted arrives, and nowhere else. */

const env = { ...bindings, TRIBUTARY_PUBLIC_URL: PUBLIC_URL };
const config = readConfig(env);
let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const EVENTS = `${PUBLIC_URL}/elements/api-v2/events`;
const CALLBACK = "event.notification.callback.url";

/** An organization of its own, and what its operator does. */
async function organization() {
  const { id: organizationId, authorization } = await ownOrganization();
  const ask = (method: string, path: string, body?: unknown) =>
    on.call(method, path, body, { authorization });
  const make = (key: string, configuration: object = {}) =>
    ask("POST", "/instances", {
      element: { key },
      configuration: { "event.notification.enabled": true, ...configuration },
    });
  const stream = (id: number) => env.EVENT_STREAMS.getByName(`${organizationId}/instance:${id}`);
  const events = async (id: number) => (await stream(id).events({ after: 0, limit: 100 })).events;
  /** What the deliveries' consumer does with a notification of an instance. */
  const callBack = async (id: number, body: string) => {
    const ring = keyring(config.masterKeys);
    const destination = await readDestination(env.DB, ring, organizationId, `instance-${id}`);
    const item = {
      seq: 1,
      n: 1,
      tries: 0,
      destinationId: `instance-${id}`,
      id: `${id}101`,
      createdAt: 0,
      parked: false,
      forced: false,
      noted: false,
      body,
    };
    const doors = { config, inside: async (request: Request) => app.fetch(request, env) };
    const url = destination?.url ?? "";
    const { attempt } = await post({ ...destination!, url }, item, doors, Date.now());
    return attempt;
  };
  return { organizationId, ask, make, stream, events, callBack };
}

const body = (id: string) =>
  JSON.stringify({
    eventId: id,
    topic: "instance-1-sandbox-events",
    message: {
      eventId: id,
      events: [
        {
          objectType: "accounts",
          objectId: "1",
          eventType: "CREATED",
          date: "2026-11-21T20:00:00Z",
        },
        {
          objectType: "accounts",
          objectId: "2",
          eventType: "DELETED",
          date: "2026-11-21T20:00:01Z",
        },
      ],
      raw: { objectType: "accounts", accounts: [{ id: "1", name: "A" }, { id: "2" }] },
    },
  });
const TOLD = [
  { objectType: "accounts", objectId: "1", eventType: "CREATED", data: '{"id":"1","name":"A"}' },
  { objectType: "accounts", objectId: "2", eventType: "DELETED", data: '{"id":"2"}' },
];

describe("a callback into …/events/{connector key}/", () => {
  it.each(["box", "dropbox", "hubspot", "quickbooks", "concur", "github", "sfdc"])(
    "goes to the organization's only instance of %s, and a repeated one is no new event",
    async (key) => {
      const { make, callBack, events } = await organization();
      const { body: to } = await make(key);
      const from = await make("sandbox", { [CALLBACK]: `${EVENTS}/${key}/` });
      expect(from.status, JSON.stringify(from.body)).toBe(200);
      for (let times = 0; times < 2; times += 1)
        expect(await callBack(from.body.id, body("n1"))).toMatchObject({ status: 200 });
      expect(await events(to.id)).toMatchObject(TOLD);
      expect(await events(to.id)).toHaveLength(TOLD.length);
    },
  );

  it("goes to the tenant that it names, in the vendor's form, among the organization's own", async () => {
    const { make, callBack, events } = await organization();
    const stranger = await organization();
    const portal = { "hubspot.portal.id": "4711", "event.vendor.type": "webhook" };
    const [named, other] = [await make("hubspot", portal), await make("hubspot")];
    const theirs = await stranger.make("hubspot", portal);
    const transform =
      '[{"portalId": 4711, "subscriptionType": "contact.creation", "objectId": 7, "occurredAt": 1795000000000}]';
    const from = await make("sandbox", {
      [CALLBACK]: `${EVENTS}/hubspot/`,
      "event.notification.transform": transform,
    });
    expect(from.status, JSON.stringify(from.body)).toBe(200);
    const sent = JSON.stringify([
      { portalId: 4711, subscriptionType: "contact.creation", objectId: 7, occurredAt: 1.795e12 },
    ]);
    expect(await callBack(from.body.id, sent)).toMatchObject({ status: 200 });
    expect(await events(named.body.id)).toMatchObject([{ objectType: "contacts", objectId: "7" }]);
    expect(await events(other.body.id)).toEqual([]);
    expect(await stranger.events(theirs.body.id)).toEqual([]);
    expect((await stranger.stream(theirs.body.id).traces()).kept).toEqual([]);
    // One that names nobody's tenant is refused with a reason, and tried again.
    const attempt = await callBack(from.body.id, body("n2"));
    expect(attempt).toMatchObject({
      status: 400,
      responseBody: expect.stringContaining("several other instances of 'hubspot'"),
    });
  });

  it("goes to a connector that the organization made by its key, which reads it by its own rules", async () => {
    const { ask, make, callBack, events } = await organization();
    const key = `own-${crypto.randomUUID().slice(0, 8)}`;
    expect((await ask("POST", "/elements", described(key))).status).toBe(200);
    const { body: to } = await make(key);
    const from = await make("sandbox", { [CALLBACK]: `${EVENTS}/${key}/` });
    expect(from.status, JSON.stringify(from.body)).toBe(200);
    const sent = '{"action":"opened","issue":{"number":5}}';
    expect(await callBack(from.body.id, sent)).toMatchObject({ status: 200 });
    expect(await events(to.id)).toMatchObject([{ objectType: "issues", objectId: "5" }]);
  });

  it("may name one of several instances", async () => {
    const { make, callBack, events } = await organization();
    const [one, two] = [await make("box"), await make("box")];
    const address = `${EVENTS}/box/${btoa(String(two.body.id))}`;
    const from = await make("sandbox", { [CALLBACK]: address });
    expect(from.status, JSON.stringify(from.body)).toBe(200);
    expect(await callBack(from.body.id, body("n1"))).toMatchObject({ status: 200 });
    expect(await events(two.body.id)).toMatchObject(TOLD);
    expect(await events(one.body.id)).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ["nobody's instance", "box/", []],
    ["one of several", "box/", ["box", "box"]],
    ["an element that isn't there", "nobody/", []],
    ["a connector without webhooks", "sandbox/", []],
    ["no element", "", []],
    ["an instance that isn't there", `box/${btoa("999999999")}`, ["box"]],
    ["another organization's instance", `box/${btoa("1")}`, ["box"]],
    ["an instance of another connector", "dropbox/%ID%", ["box"]],
    ["too much", "box/MQ==/more", ["box"]],
  ])("is refused for %s, with the forms that work; nothing is made", async (_, path, keys) => {
    const { ask, make } = await organization();
    let last = 0;
    for (const key of keys) last = (await make(key)).body.id;
    const url = `${EVENTS}/${path.replace("%ID%", btoa(String(last)))}`;
    const refused = await make("sandbox", { [CALLBACK]: url });
    expect(refused.status).toBe(400);
    expect(refused.body.message).toContain(CALLBACK);
    expect(refused.body.message).toContain("…/events/{element}/{base64 of an instance's id}");
    const { body: count } = await ask("GET", "/instances/count");
    expect(count.totalInstances).toBe(keys.length);
    const other = await make("sandbox");
    const patched = await ask("PATCH", `/instances/${other.body.id}`, {
      configuration: { [CALLBACK]: url },
    });
    expect(patched.status).toBe(400);
  });

  it("doesn't lead to the instance itself, nor back when it is the only one", async () => {
    const { ask, make } = await organization();
    const { body: only } = await make("box");
    const change = (url: string) =>
      ask("PATCH", `/instances/${only.id}`, { configuration: { [CALLBACK]: url } });
    expect((await change(`${EVENTS}/box/`)).status).toBe(400);
    const { body: other } = await make("box");
    expect((await change(`${EVENTS}/box/`)).status).toBe(200);
    // What doesn't change is not looked at again.
    await ask("DELETE", `/instances/${other.id}`);
    expect((await ask("PATCH", `/instances/${only.id}`, { name: "Renamed" })).status).toBe(200);
  });
});

describe("who sends a callback", () => {
  const KEY = "k".repeat(32);
  const url = `${EVENTS}/box/`;
  const sender = { organizationId: 3, instanceId: 27 };
  const sent = (change: Record<string, string> = {}) =>
    new Headers({ ...senderHeaders(sender, { url, body: "{}" }, KEY), ...change });
  const bytes = (text: string) => new TextEncoder().encode(text);

  it.each<[string, Headers, string, string, object | undefined]>([
    ["is told by what we signed", sent(), url, "{}", sender],
    ["is told whatever the query", sent(), `${url}?a=1`, "{}", sender],
    ["isn't told of another body", sent(), url, "{ }", undefined],
    ["isn't told at another address", sent(), `${EVENTS}/dropbox/`, "{}", undefined],
    ["isn't told of another sender", sent({ "tributary-sender": "4/27" }), url, "{}", undefined],
    [
      "isn't told without a signature",
      new Headers({ "tributary-sender": "3/27" }),
      url,
      "{}",
      undefined,
    ],
    [
      "isn't told of a number too long",
      sent({ "tributary-sender": "9".repeat(99) }),
      url,
      "{}",
      undefined,
    ],
    ["isn't told of anybody else's", new Headers(), url, "{}", undefined],
  ])("%s", (_, headers, address, text, expected) => {
    expect(senderOf(headers, { url: address, body: bytes(text) }, KEY)).toEqual(expected);
  });

  it("isn't told to receivers elsewhere, and opens nothing of another organization's", async () => {
    const { make, callBack } = await organization();
    const theirs = await on.call(
      "POST",
      "/instances",
      { element: { key: "box" }, configuration: { "event.notification.enabled": true } },
      { authorization: THEIRS },
    );
    const from = await make("sandbox", { [CALLBACK]: "https://app.example/hook" });
    const headers: Headers[] = [];
    vi.stubGlobal("fetch", async (_: URL, init: RequestInit) => {
      headers.push(new Headers(init.headers));
      return new Response();
    });
    await callBack(from.body.id, body("n1"));
    vi.unstubAllGlobals();
    expect(headers.map((one) => one.has("tributary-sender"))).toEqual([false]);

    const path = `/events/box/${btoa(String(theirs.body.id))}`;
    const signed = senderHeaders(
      { organizationId: 999_999, instanceId: from.body.id },
      { url: `https://any.example/elements/api-v2${path}`, body: body("n1") },
      config.sessionKey,
    );
    expect((await on.deliver(path, body("n1"), signed)).status).toBe(401);
  });
});
