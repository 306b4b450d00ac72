import type { StoredEvent } from "../../src/stream/event";
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { beforeEach, describe, expect, it } from "vitest";
import { app } from "../../src/app";
import { keyring } from "../../src/db/sealed";
import { readDestinations } from "../../src/delivery/destinations.store";
import { tickResources } from "../../src/resources/tick.cron";
import { type Client, freshClient, logOf, takeCallbacks, usedBy, V1 } from "./build";

const posts = takeCallbacks();

let client: Client;
beforeEach(async () => {
  client = await freshClient();
});

const ALL = ["created", "updated", "deleted"];
const doors = { db: env.DB, streams: env.EVENT_STREAMS, ticks: env.TICKS };
const streamOf = (source: string) =>
  env.EVENT_STREAMS.getByName(`${client.organizationId}/${source}`);
async function eventsOf(source: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let after = 0; ;) {
    const page = await streamOf(source).events({ after, limit: 5000 });
    events.push(...page.events);
    if (page.last >= page.head) return events;
    after = page.last;
  }
}

/** Everything `e` holds goes to the webhook `w` in it. */
async function hooked(): Promise<any> {
  await client.make(`${V1}/environments`, { name: "e" });
  await client.make(`${V1}/environments/e/secrets`, { name: "s", spec: { data: { k: "v3ry" } } });
  const webhook = await client.make(`${V1}/environments/e/webhooks`, {
    name: "w",
    spec: {
      url: "http://127.0.0.1:9/hook?a=b",
      headers: { authorization: "mine", "X-Own": "1" },
      auth: { secret: { name: "s", key: "k" } },
    },
  });
  await client.make(`${V1}/resourcehooks`, {
    name: "h",
    spec: {
      triggers: [
        { group: "management", kind: "Environment", name: "e", type: ALL },
        {
          group: "management",
          kind: "*",
          name: "*",
          type: ALL,
          scope: { kind: "Environment", name: "e" },
        },
      ],
      webhooks: ["w"],
    },
  });
  return webhook;
}

const destinationOf = async (id: string) => {
  const ring = keyring([btoa("0123456789abcdef0123456789abcdef")]);
  const named = [{ organizationId: client.organizationId, id }];
  const found = await readDestinations(env.DB, ring, named, Date.now() + Math.random() * 1e9 + 1e6);
  return found.get(id)?.destination;
};

/** Makes a service whose change does not get from the log to the stream. */
async function makeAndCrash(name: string): Promise<void> {
  const broken = {
    ...env,
    EVENT_STREAMS: { getByName: () => ({ commit: () => Promise.reject(new Error("crashed")) }) },
  };
  const request = new Request(`http://tributary.test${V1}/environments/e/apiservices`, {
    method: "POST",
    headers: { authorization: `Bearer key-of-organization-${client.organizationId}` },
    body: JSON.stringify({ name }),
  });
  const response = await app.fetch(request, broken as any, createExecutionContext());
  expect(response.status).toBe(201);
}

describe("a change", () => {
  it("reaches the stream of its scope once, for each webhook, with the event of the reference", async () => {
    const webhook = await hooked();
    await client.make(`${V1}/environments/e/apiservices`, { name: "svc", title: "Music" });
    const stream = streamOf("scope:management/Environment/e");
    const [latest] = await stream.notifications({ before: null, limit: 1, withEvents: true });
    expect(latest?.notification.destinationId).toBe(webhook.metadata.destinationId);
    const event = JSON.parse(latest?.events[0]?.data ?? "");
    expect(event).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-/),
      time: expect.stringMatching(/\+0000$/),
      version: "v1",
      product: "AmplifyCentral",
      correlationId: expect.stringMatching(/^[0-9a-f]{8}-/),
      organization: { id: String(client.organizationId) },
      type: "ResourceCreated",
      payload: expect.objectContaining({
        kind: "APIService",
        name: "svc",
        title: "Music",
        spec: {},
      }),
    });
    expect(latest?.events[0]?.id).toBe(event.id);
  });

  it("is sent with the secret, the own headers and a signature that verifies", async () => {
    const webhook = await hooked();
    await client.make(`${V1}/environments/e/apiservices`, { name: "svc", title: "Signed" });
    const mine = () =>
      posts.find(
        ({ text }) =>
          text.includes('"title":"Signed"') && text.includes(`{"id":"${client.organizationId}"}`),
      );
    await expect.poll(mine).toBeDefined();
    const post = mine();
    expect(post?.url).toBe("http://127.0.0.1:9/hook?a=b");
    expect(post?.headers.get("authorization")).toBe("v3ry");
    expect(post?.headers.get("x-own")).toBe("1");
    expect(post?.headers.get("content-type")).toBe("application/json");
    const [signer] = (await destinationOf(webhook.metadata.destinationId))?.signers ?? [];
    const verifier = new Webhook(signer?.secret ?? "");
    const headers = Object.fromEntries(post?.headers ?? []);
    expect(verifier.verify(post?.text ?? "", headers)).toMatchObject({ type: "ResourceCreated" });
  });

  it.each([
    ["none", undefined],
    ["object", (id: string, object: string) => JSON.stringify([id, "APIService", object])],
    ["source", (id: string) => `${id}|`],
  ])("comes in the order that is asked for its destination: %s", async (ordering, keyOf) => {
    const webhook = await hooked();
    const { destinationId: id } = webhook.metadata;
    const patched = await client.call("PATCH", `/v1/destinations/${id}`, { ordering });
    expect(patched.body).toMatchObject({ ordering });
    const made = await client.make(`${V1}/environments/e/apiservices`, { name: "svc" });
    const stream = streamOf("scope:management/Environment/e");
    const [latest] = await stream.notifications({ before: null, limit: 1, withEvents: false });
    const key = keyOf?.(id, made.metadata.id);
    expect(latest?.notification.keys).toEqual(key === undefined ? undefined : [key]);
  });

  it("names the subresource, and of none in all else", async () => {
    await hooked();
    await client.call("PUT", `${V1}/environments/e/x-lint`, { "x-lint": 1 });
    const [event] = (await eventsOf("scope:-")).slice(-1);
    expect(JSON.parse(event?.data ?? "")).toMatchObject({
      type: "SubResourceUpdated",
      metadata: { subresource: "x-lint" },
      payload: { "x-lint": 1 },
    });
  });

  it("skips a disabled webhook and remarks a secret that is gone", async () => {
    await hooked();
    const path = `${V1}/environments/e/webhooks/w`;
    const { body } = await client.call("GET", path);
    await client.call("PUT", path, {
      ...body,
      spec: { ...body.spec, enabled: false, auth: { secret: { name: "s", key: "none" } } },
    });
    await client.make(`${V1}/environments/e/apiservices`, { name: "svc" });
    const stream = streamOf("scope:management/Environment/e");
    const [latest] = await stream.notifications({ before: null, limit: 1, withEvents: false });
    expect(latest?.notification).toMatchObject({
      state: { kind: "dead", reason: "destination-disabled" },
      attempts: [],
      warnings: [expect.stringContaining("without its secret")],
    });
  });

  it("is handed over by the tick when a crash came between the log and the stream", async () => {
    await hooked();
    await makeAndCrash("svc");
    const source = "scope:management/Environment/e";
    const before = (await eventsOf(source)).length;
    await tickResources(Date.now(), doors);
    const after = await eventsOf(source);
    expect(after).toHaveLength(before + 1);
    const [notification] = await streamOf(source).notifications({
      before: null,
      limit: 1,
      withEvents: false,
    });
    expect(["pending", "delivered"]).toContain(notification?.notification.state.kind);
    await tickResources(Date.now(), doors);
    expect(await eventsOf(source)).toHaveLength(before + 1);
  });

  it("starts a flow as soon as one listens, whoever began that, and once after a crash too", async () => {
    const path = `${V1}/environments/e/apiservices`;
    await client.make(`${V1}/environments`, { name: "e" });
    await client.make(path, { name: "heard-by-nobody" });
    const flowId = `flow-of-${client.organizationId}`;
    await env.DB.prepare(
      `INSERT INTO flow_triggers (flow_id, component_id, organization_id, user_id, kind, key, active,
         steps, properties, created_at)
       VALUES (?, 'T', ?, 1, 'resource', 'management/*', 1, '[{"componentId":"P","port":"out"}]',
         '{"group":"management","kind":"*","name":"*","type":["created"]}', 0)`,
    )
      .bind(flowId, client.organizationId)
      .run();
    await client.make(path, { name: "heard" });
    await makeAndCrash("found");
    await tickResources(Date.now(), doors);
    const stream = streamOf("scope:management/Environment/e");
    const started = await stream.notifications({ before: null, limit: 9, withEvents: true });
    expect(
      started.map(({ notification: { destinationId }, events }) => [
        destinationId,
        JSON.parse(events[0]?.data ?? "").payload.name,
      ]),
    ).toEqual([
      [`flow-${flowId}-P`, "found"],
      [`flow-${flowId}-P`, "heard"],
    ]);
  });
});

describe("a cascade", () => {
  it("tells 1,001 changes of one request, children first, each to the hook once", async () => {
    const webhook = await hooked();
    const { id } = (await client.call("GET", `${V1}/environments/e`)).body.metadata;
    await env.DB.prepare(
      `WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 996)
       INSERT INTO resources SELECT ?1, 'APIService', 'Environment/e', 's' || value, 'id' || value, 't', 0,
         NULL, 100 + value, 0, '1', 0, '1', ?2 FROM n`,
    )
      .bind(
        client.organizationId,
        JSON.stringify({
          attributes: {},
          tags: [],
          finalizers: [],
          spec: {},
          sub: {},
          references: [],
          deletedReferences: [],
          scopeId: id,
        }),
      )
      .run();
    await client.make(`${V1}/environments/e/apiservicerevisions`, {
      name: "rev",
      spec: { apiService: "s7" },
    });
    await client.make(`${V1}/environments/e/apiserviceinstances`, {
      name: "inst",
      spec: { apiServiceRevision: "rev" },
    });
    expect((await client.call("DELETE", `${V1}/environments/e`)).status).toBe(204);
    const log = await logOf(client);
    const deleted = log.filter(({ type }) => type === "ResourceDeleted");
    expect(deleted).toHaveLength(1001);
    expect(new Set(deleted.map(({ correlationId }) => correlationId)).size).toBe(1);
    expect(deleted.slice(0, 2).map(({ payload }) => payload.name)).toEqual(["inst", "rev"]);
    expect(deleted.at(-1).payload.kind).toBe("Environment");
    const mine = { destinationId: webhook.metadata.destinationId, warnings: [] };
    // All but the Secret, whose changes fire no hook.
    expect(deleted.filter(({ targets }) => targets.length === 1)).toHaveLength(1000);
    expect(deleted.at(-1).targets).toEqual([mine]);
    const told = [
      ...(await eventsOf("scope:management/Environment/e")),
      ...(await eventsOf("scope:-")),
    ].filter(({ eventType }) => eventType === "ResourceDeleted");
    expect(new Set(told.map(({ id: event }) => event)).size).toBe(1001);
    expect(await destinationOf(webhook.metadata.destinationId)).toBeDefined();
  });
});

describe("a very full scope", () => {
  it("is emptied part by part, and every change of it is told once", async () => {
    await client.make(`${V1}/environments`, { name: "e" });
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3200)
       INSERT INTO resources SELECT ?1, 'APIService', 'Environment/e', 's' || i, 'id' || i, 't', 0,
         NULL, 100 + i, 0, '1', 0, '1', ?2 FROM n`,
    )
      .bind(
        client.organizationId,
        `{"attributes":{},"tags":[],"finalizers":[],"spec":{},"sub":{},"references":[],"deletedReferences":[]}`,
      )
      .run();
    expect((await client.call("DELETE", `${V1}/environments/e`)).status).toBe(204);
    const deleted = (await logOf(client)).filter(({ type }) => type === "ResourceDeleted");
    expect(deleted).toHaveLength(3201);
    expect(new Set(deleted.map(({ payload }) => payload.name)).size).toBe(3201);
    expect(new Set(deleted.map(({ correlationId }) => correlationId)).size).toBe(1);
    expect(deleted.at(-1).payload.kind).toBe("Environment");
    expect(await eventsOf("scope:management/Environment/e")).toHaveLength(3200);
  });
});

describe("a Webhook's destination", () => {
  it("carries the secret over its own headers, follows the Secret, and goes with the Webhook", async () => {
    const webhook = await hooked();
    const id = webhook.metadata.destinationId;
    expect(await destinationOf(id)).toMatchObject({
      kind: "webhook",
      url: "http://127.0.0.1:9/hook?a=b",
      headers: { "X-Own": "1", Authorization: "v3ry" },
      query: {},
    });
    expect((await destinationOf(id))?.headers["authorization"]).toBeUndefined();
    await client.call("PUT", `${V1}/environments/e/secrets/s`, {
      spec: { data: { k: "changed" } },
    });
    expect((await destinationOf(id))?.headers["Authorization"]).toBe("changed");
    await client.call("DELETE", `${V1}/resourcehooks/h`);
    await client.call("DELETE", `${V1}/environments/e/webhooks/w`);
    expect(await destinationOf(id)).toBeUndefined();
  });

  it("puts the secret into the query where its location says so, sealed all the same", async () => {
    const webhook = await hooked();
    const path = `${V1}/environments/e/webhooks/w`;
    await client.call("PUT", path, {
      spec: {
        url: "http://127.0.0.1:9/hook",
        auth: { secret: { name: "s", key: "k" }, location: { in: "query", name: "token" } },
      },
    });
    const destination = await destinationOf(webhook.metadata.destinationId);
    expect(destination).toMatchObject({ query: { token: "v3ry" }, headers: {} });
    const row = await env.DB.prepare("SELECT * FROM destinations WHERE id = ?")
      .bind(webhook.metadata.destinationId)
      .first();
    expect(JSON.stringify(row)).not.toContain("v3ry");
  });

  it.each([
    [{ url: "ftp://example.com" }, "spec.url"],
    [{ url: "not a url" }, "spec.url"],
    [{ url: "http://10.0.0.1/x" }, "spec.url"],
    [{ url: "https://e.com", headers: { Host: "x" } }, "spec.headers.Host"],
    [{ url: "https://e.com", headers: { "Content-Length": "1" } }, "spec.headers.Content-Length"],
    [{ url: "https://e.com", auth: { location: { in: "query" } } }, "spec.auth.location"],
  ])("refuses %j", async (spec, field) => {
    const { status, body } = await client.call("POST", `${V1}/webhooks`, { name: "w", spec });
    expect([status, body.errors[0].source.parameter]).toEqual([400, field]);
  });
});

describe("the log", () => {
  const topic = (filters: unknown) =>
    client.make(`${V1}/watchtopics`, { name: "t", spec: { filters } });
  const read = (parameters: string) =>
    client.call("GET", `/events/management/v1/watchtopics/t?${parameters}`);

  it("shows what a topic's filters select, Secrets too, without their specs", async () => {
    await client.make(`${V1}/environments`, { name: "before" });
    await topic([
      { group: "*", kind: "*", name: "*", type: ["created"], scope: { kind: "*", name: "*" } },
      { group: "management", kind: "Environment", name: "*", type: ["updated"] },
    ]);
    expect((await read("pageSize=1&sort=sequenceID,DESC")).body).toEqual([]);
    await client.make(`${V1}/environments`, { name: "e" });
    await client.make(`${V1}/environments/e/secrets`, { name: "s", spec: { data: { a: "b" } } });
    await client.make(`${V1}/environments/e/apiservices`, { name: "svc" });
    await client.call("PUT", `${V1}/environments/e/apiservices/svc`, {});
    await client.call("PUT", `${V1}/environments/e/x-lint`, { "x-lint": 1 });
    const { status, body } = await read("sort=sequenceID&page=1&pageSize=100");
    expect(status).toBe(200);
    expect(body.map(({ type, payload }: any) => `${type} ${payload.name}`)).toEqual([
      "ResourceCreated s",
      "ResourceCreated svc",
      "SubResourceUpdated e",
    ]);
    expect(body[0]).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/),
      payload: { finalizers: null, attributes: {}, metadata: { scope: { name: "e" } } },
      metadata: {
        watchTopicSelfLink: "/management/v1/watchtopics/t",
        sequenceID: expect.any(Number),
        subresource: null,
      },
    });
    expect(body[0].payload.spec).toBeUndefined();
    expect(body[2].metadata.subresource).toBe("x-lint");
    const from = body[0].metadata.sequenceID;
    const later = await read(`query=sequenceID>${from}&sort=sequenceID,ASC`);
    expect(later.body).toHaveLength(2);
    const encoded = await read(`query=sequenceID%3E${from}&sort=sequenceID,DESC&pageSize=1`);
    expect(encoded.body[0].metadata.subresource).toBe("x-lint");
  });

  it("answers 410 with the last number once a position is purged, and keeps its numbers", async () => {
    await topic([{ group: "*", kind: "*", name: "*", type: ALL }]);
    for (const name of ["a", "b", "c"]) await client.make(`${V1}/environments`, { name });
    await tickResources(Date.now(), doors);
    await tickResources(Date.now() + 8 * 86_400_000, doors);
    expect(await logOf(client)).toHaveLength(1);
    const gone = await read("query=sequenceID>1");
    expect([gone.status, gone.headers.get("x-axway-max-sequence-id")]).toEqual([410, "4"]);
    expect((await read("query=sequenceID>3")).status).toBe(200);
    expect((await read("query=sequenceID>4")).body).toEqual([]);
    await client.make(`${V1}/environments`, { name: "d" });
    expect((await read("query=sequenceID>4")).body[0].metadata.sequenceID).toBe(5);
  });

  it("refuses what it can't read", async () => {
    await topic([]);
    expect((await read("query=name==x")).status).toBe(400);
    expect((await read("sort=name")).status).toBe(400);
    expect((await client.call("GET", "/events/management/v1/watchtopics/none")).status).toBe(404);
  });
});

describe("cost", () => {
  it("writes at most four rows for a change with a matching hook", async () => {
    await hooked();
    const written = async (task: () => Promise<unknown>) =>
      (await usedBy(task)).reduce((sum, batch) => sum + batch.written, 0);
    const path = `${V1}/environments/e/apiservices`;
    const created = await written(() => client.make(path, { name: "svc" }));
    const updated = await written(() => client.call("PUT", `${path}/svc`, { title: "x" }));
    const deleted = await written(() => client.call("DELETE", `${path}/svc`));
    expect(Math.max(created, updated, deleted)).toBeLessThanOrEqual(4);
    expect(created).toBeGreaterThan(0);
  });
});
