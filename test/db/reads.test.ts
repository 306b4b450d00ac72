import {
  createExecutionContext,
  createMessageBatch,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import type worker from "../../src/index";
import { ask, newUser } from "../accounts/ask";
import { callV1, create, record, stubOutside } from "../elements/build";
import { MINE } from "../organization";
import { step, trigger } from "../flows/build";
import { platform } from "../platform";
import { keepDeliveries, QUIET, streamOf } from "../polling/build";
import { countD1 } from "../d1-rows";

/**
 * What an event reads of D1 in an isolate that never heard of its source, after another one had an event of it: with many
 * isolates, and many sources that have few events each, that is what every event reads.
 */

type Isolate = {
  fetch(path: string, init: RequestInit): Promise<Response>;
  consume(queue: string, bodies: readonly object[]): Promise<void>;
};

/** The whole Worker with a memory of its own. */
async function newIsolate(): Promise<Isolate> {
  vi.resetModules();
  const { default: own }: { default: typeof worker } = await import("../../src/index");
  return {
    async fetch(path, init) {
      const context = createExecutionContext();
      const request = new Request(`https://events.example.com${path}`, init);
      const response = await own.fetch(request, env, context);
      await waitOnExecutionContext(context);
      return response;
    },
    async consume(queue, bodies) {
      const messages = bodies.map((body, index) => ({
        id: String(index),
        timestamp: new Date(),
        attempts: 1,
        body,
      }));
      const context = createExecutionContext();
      await own.queue(createMessageBatch(queue, messages), env, context);
      await waitOnExecutionContext(context);
    },
  };
}

let main: Awaited<ReturnType<typeof platform>>;
let before: Isolate;
let cold: Isolate;
beforeAll(async () => {
  // The one that is loaded last is the Worker that other helpers ask.
  [cold, before] = [await newIsolate(), await newIsolate()];
  main = await platform();
  stubOutside(() => new Response("ok"));
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** The queries that the second isolate asks of D1, after the first has done the same. */
async function readsOf(
  work: (isolate: Isolate) => Promise<unknown>,
  prepare = async () => {},
): Promise<string[]> {
  await prepare();
  await work(before);
  await prepare();
  const { queries } = countD1();
  await work(cold);
  return queries;
}

const SECRET = "the-app's-secret";
let last = 0;

/** A contact that was made in a portal, as HubSpot tells it. */
function signedDelivery(path: string, portalId: string): [path: string, init: RequestInit] {
  const url = `/elements/api-v2${path}`;
  const body = JSON.stringify([
    {
      eventId: (last += 1),
      subscriptionId: 1,
      portalId: Number(portalId),
      occurredAt: 1705422467780,
      subscriptionType: "contact.creation",
      objectId: last,
    },
  ]);
  const timestamp = String(Date.now());
  const signature = createHmac("sha256", SECRET)
    .update(`POSThttps://events.example.com${url}${body}${timestamp}`)
    .digest("base64");
  const headers = {
    "content-type": "application/json",
    "x-hubspot-signature-v3": signature,
    "x-hubspot-request-timestamp": timestamp,
  };
  return [url, { method: "POST", body, headers }];
}

const hubspot = (portalId: string, url: string | null) =>
  main.instance("hubspot", {
    "hubspot.portal.id": portalId,
    "oauth.api.secret": SECRET,
    "event.notification.callback.url": url,
  });

async function deliver(isolate: Isolate, path: string, portalId: string): Promise<void> {
  const answer = await isolate.fetch(...signedDelivery(path, portalId));
  expect(answer.status).toBe(200);
}

const ofInstance = ({ id }: { id: number }) => `/events/hubspot/${btoa(String(id))}`;

it("of a webhook to an instance's own address", async () => {
  const instance = await hubspot("77001", null);
  const queries = await readsOf((isolate) => deliver(isolate, ofInstance(instance), "77001"));
  expect(await streamOf(instance).events({ after: 0, limit: 9 })).toMatchObject({
    events: [{}, {}],
  });
  expect(queries).toEqual([]);
});

it("of a webhook that names the vendor's tenant", async () => {
  const instance = await hubspot("77002", null);
  const queries = await readsOf((isolate) => deliver(isolate, "/events/hubspot", "77002"));
  expect(await streamOf(instance).events({ after: 0, limit: 9 })).toMatchObject({
    events: [{}, {}],
  });
  expect(queries).toEqual([]);
});

it("of a lone polled change that a webhook woke the poll for", async () => {
  const instance = await create(QUIET);
  const queries = await readsOf(async (isolate) => {
    const records = [record(`r${(last += 1)}`, Date.now() + 5)];
    stubOutside(() => Response.json({ data: records }));
    await isolate.consume("tributary-polls", [{ ids: [instance.id], wake: true }]);
  });
  expect(await streamOf(instance).events({ after: 0, limit: 9 })).toMatchObject({
    events: [{}, {}],
  });
  expect(queries).toEqual([]);
});

it("of an app event, its flow and the flow's step", async () => {
  const { token } = await newUser();
  const { id } = (await ask("GET", "/user", { token })).body;
  const url = "http://127.0.0.1:9/step";
  const flow = { T: trigger("rare"), P: step({ url }) };
  const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
  await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
  const sent = stubOutside(() => new Response("ok"));
  const kept = await keepDeliveries(env.EVENT_STREAMS.getByName(`1/user:${id}`));
  const queries = await readsOf(async (isolate) => {
    const answer = await isolate.fetch("/plugins/appmixer/utils/appevents/events/rare", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    });
    expect(await answer.json()).toMatchObject({ triggers: [{}] });
    await isolate.consume("tributary-deliveries", kept.splice(0));
  });
  expect(sent.filter((one) => one.url.href === url)).toHaveLength(2);
  expect(queries).toEqual([]);
});

it("of a batch of deliveries, each to another destination", async () => {
  const portals = Array.from({ length: 10 }, (_, index) => String(77100 + index));
  const instances = await Promise.all(
    portals.map((portal) => hubspot(portal, `http://127.0.0.1:9/${portal}`)),
  );
  const kept = await Promise.all(instances.map((instance) => keepDeliveries(streamOf(instance))));
  const sent = stubOutside(() => new Response("ok"));
  const queries = await readsOf(
    (isolate) =>
      isolate.consume(
        "tributary-deliveries",
        kept.flatMap((messages) => messages.splice(0)),
      ),
    async () => {
      for (const [index, instance] of instances.entries())
        await deliver(before, ofInstance(instance), portals[index] ?? "");
    },
  );
  expect(sent.filter(({ url }) => url.port === "9")).toHaveLength(20);
  expect(queries).toEqual([]);
});

it("of who asks, of a request with an API key", async () => {
  const { key } = (await callV1("POST", "/keys", MINE, { name: "k", scopes: ["read"] })).body;
  const queries = await readsOf(async (isolate) => {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await isolate.fetch("/v1/usage", { method: "GET", headers });
    expect(answer.status).toBe(200);
  });
  // The note of its use is a write that nobody waits for, once an hour.
  const reads = queries.filter((query) => /^select/i.test(query));
  expect(reads.filter((query) => /api_keys|users/.test(query))).toEqual([]);
});
