import { runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { readConfig } from "../../src/config";
import { checkEgress } from "../../src/http/egress";
import { HOSTILE } from "../http/hostile";
import { eventually, receiver } from "../delivery/build";
import { commit, event, target } from "../stream/build";
import { call, callV1, createOrganizations, draft, MINE, THEIRS } from "../elements/build";
import { ownOrganization } from "../organization";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

const ok = (): Response => new Response("ok");
const v1 = (method: string, path: string, body?: unknown, who = MINE) =>
  callV1(method, path, who, body);

/** An instance with a destination that the tests may call, and its stream. */
async function instance(
  change: Record<string, unknown> = {},
): Promise<{ id: number; destinationId: string }> {
  const { body } = await call(
    "POST",
    "/instances",
    draft({ "event.notification.callback.url": "http://127.0.0.1:9/operations-hook", ...change }),
  );
  return { id: body.id, destinationId: `instance-${body.id}` };
}

async function delivered(id: number, ids: string[], kind = "delivered"): Promise<void> {
  const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
  await stream.commit(
    commit({
      targets: [target({ destinationId: `instance-${id}`, most: 1 })],
      events: ids.map((one) => event(`${id}-${one}`)),
    }),
  );
  await eventually(async () => {
    const views = await stream.notifications({ before: null, limit: 50, withEvents: false });
    return views.every(({ notification }) => notification.state.kind === kind) && true;
  });
}

describe("events of a stream", () => {
  it.each(["scope:Environment/one", "scope:", "scope:a/b/c/d", "user:", "tenant:1", "instance:01"])(
    "are not to be had under the name %s, which no source has",
    async (source) => {
      const { status } = await v1("GET", `/streams/${encodeURIComponent(source)}/events`);
      expect(status).toBe(404);
    },
  );

  it("are read oldest first, page by page, and further by a named consumer", async () => {
    receiver(ok);
    const { id } = await instance();
    await delivered(id, ["a", "b", "c"]);
    const first = await v1("GET", `/streams/instance:${id}/events?limit=2`);
    expect(first.body.items.map((one: any) => one.seq)).toEqual([1, 2]);
    expect(first.body.items[0]).toMatchObject({
      objectType: "accounts",
      eventType: "CREATED",
      data: { id: `${id}-a` },
      notificationIds: [`${id}101`],
    });
    await v1("PUT", `/streams/${id}/consumers/etl`, { cursor: first.body.next });
    const rest = await v1("GET", `/streams/${id}/consumers/etl/events`);
    expect(rest.body.items.map((one: any) => one.seq)).toEqual([3]);
    expect(rest.body.head).toBe(3);
    const long = await v1("PUT", `/streams/${id}/consumers/${"x".repeat(201)}`, {
      cursor: first.body.next,
    });
    expect({ status: long.status, field: long.body.error.field }).toEqual({
      status: 400,
      field: "name",
    });
    expect((await v1("GET", `/streams/${id}/events?cursor=nonsense`)).body.error).toMatchObject({
      code: "invalid_field",
      field: "cursor",
    });
  });

  it("are delivered again over a range, also those that never had a destination", async () => {
    const received = receiver(ok);
    const { id } = await instance({ "event.notification.callback.url": "" });
    const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
    await stream.commit(
      commit({ targets: [target({ destinationId: null })], events: [event(`${id}-kept`)] }),
    );
    await call("PATCH", `/instances/${id}`, {
      configuration: { "event.notification.callback.url": "http://127.0.0.1:9/late" },
    });
    const range = { from: "2020-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z" };
    const { status, body } = await v1("POST", `/streams/instance:${id}/replay`, range);
    expect(status).toBe(202);
    await eventually(async () => {
      await runDurableObjectAlarm(stream);
      return (await v1("GET", `/jobs/${body.jobId}`)).body.status === "done" && true;
    });
    await eventually(async () => received.some(({ url }) => url.endsWith("/late")) && true);
    expect((await v1("GET", `/jobs/${body.jobId}`)).body).toMatchObject({
      kind: "replay",
      processed: 1,
    });
  });
});

describe("deliveries", () => {
  it("show their request and tries, secrets masked, and can be sent again to a destination that is off", async () => {
    const received = receiver(() => new Response("no", { status: 410 }));
    const { id, destinationId } = await instance({
      "event.notification.basic.username": "u",
      "event.notification.basic.password": "p",
    });
    await delivered(id, ["x"], "dead");
    const listed = await v1("GET", `/deliveries?destinationId=${destinationId}`);
    expect(listed.body.items).toMatchObject([
      { status: "dead", reason: "gone", attempts: 1, objectIds: [`object-${id}-x`] },
    ]);
    const one = await v1("GET", `/deliveries/${listed.body.items[0].id}`);
    expect(one.body.request.headers["authorization"]).toBe("********");
    expect(one.body.attemptLog).toMatchObject([{ n: 1, status: 410, responseBody: "no" }]);
    expect((await v1("GET", `/destinations/${destinationId}`)).body).toMatchObject({
      status: "disabled",
      enabled: false,
    });
    const before = received.length;
    expect((await v1("POST", `/deliveries/${listed.body.items[0].id}/resend`)).status).toBe(202);
    await eventually(async () => received.length > before && true);
    expect((await v1("GET", `/destinations/${destinationId}`)).body).toMatchObject({
      enabled: false,
    });
  });

  it("without a source are filtered by what they hold, with one by their state; neither takes nonsense", async () => {
    receiver(() => new Response("no", { status: 410 }));
    const { id, destinationId } = await instance();
    await delivered(id, ["p", "q"], "dead");
    const mine = `destinationId=${destinationId}`;
    const some = await v1("GET", `/deliveries?${mine}&objectId=object-${id}-p`);
    expect(some.body.items.map(({ objectIds }: any) => objectIds)).toEqual([[`object-${id}-p`]]);
    expect((await v1("GET", `/deliveries?${mine}&eventType=DELETED`)).body.items).toEqual([]);
    const dead = await v1("GET", `/deliveries?source=${id}&status=dead`);
    expect(dead.body.items).toHaveLength(2);
    const odd = await v1("GET", `/deliveries?source=${id}&status=lost`);
    expect(odd).toMatchObject({ status: 400, body: { error: { field: "status" } } });
    expect((await v1("GET", "/deliveries?source=nonsense")).status).toBe(404);
    expect((await v1("GET", `/deliveries?source=${id}`, undefined, THEIRS)).status).toBe(404);
  });

  it("show the warnings of their notifications", async () => {
    receiver(ok);
    const stream = env.EVENT_STREAMS.getByName("1/scope:management/Environment/warned");
    await stream.commit(
      commit({
        targets: [target({ destinationId: null, warnings: ["Webhook 'gone' does not exist"] })],
        events: [event("warned")],
      }),
    );
    const { body } = await v1("GET", "/deliveries?source=scope:management/Environment/warned");
    expect(body.items).toMatchObject([
      { status: "held", destinationId: null, warnings: ["Webhook 'gone' does not exist"] },
    ]);
  });

  it("that are dead since an instant are recovered as paged work", async () => {
    let answer = (): Response =>
      new Response("no", { status: 400, headers: { "webhook-delivery": "abort-message" } });
    receiver(() => answer());
    const { id, destinationId } = await instance();
    await delivered(id, ["1", "2", "3"], "dead");
    answer = ok;
    const { body } = await v1("POST", `/destinations/${destinationId}/recover`, {
      since: "2020-01-01T00:00:00Z",
    });
    const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
    await eventually(async () => {
      await runDurableObjectAlarm(stream);
      return (await v1("GET", `/jobs/${body.jobId}`)).body.status === "done" && true;
    });
    await eventually(async () => {
      const { items } = (await v1("GET", `/deliveries?source=instance:${id}`)).body;
      return items.every((one: any) => one.status === "delivered") && true;
    });
    expect((await v1("GET", `/deliveries?destinationId=${destinationId}`)).body.items).toEqual([]);
  });
});

describe("destinations", () => {
  it("are changed, and their instances say the same", async () => {
    const { id, destinationId } = await instance();
    const change = {
      rate: 5,
      ordering: "object",
      deadHead: "block",
      retrySchedule: [0, 5],
      filter: "eventType = 'CREATED'",
      transform: "{ 'id': id }",
      headers: { "X-Key": "k" },
    };
    const { body } = await v1("PATCH", `/destinations/${destinationId}`, change);
    expect(body).toMatchObject({
      ...change,
      headers: { "X-Key": "********" },
      status: "healthy",
      signing: { keys: [{ algorithm: "v1" }] },
    });
    const { configuration } = (await call("GET", `/instances/${id}`)).body;
    expect(configuration).toMatchObject({
      "event.notification.rate": "5",
      "event.notification.ordering.dead": "block",
      "event.notification.retry.schedule": "0,5",
    });
  });

  it.each([
    [{ rate: -1 }, "rate"],
    [{ ordering: "lifo" }, "ordering"],
    [{ deadHead: "wait" }, "deadHead"],
    [{ filter: "(((" }, "filter"],
    [{ filter: "$now()" }, "filter"],
    [{ transform: "$eval('1')" }, "transform"],
    [{ transform: "[1..10000000]" }, "transform"],
    [{ transform: "$match(a, /(a+)+\\1/)" }, "transform"],
    [{ headers: { Host: "x" } }, "headers"],
    [{ unknown: 1 }, "unknown"],
  ])("refuse %j naming the field", async (change, field) => {
    const { destinationId } = await instance();
    const { status, body } = await v1("PATCH", `/destinations/${destinationId}`, change);
    expect(status).toBe(400);
    expect(body.error.field).toBe(field);
  });

  it("are tested through the very same path", async () => {
    const received = receiver(ok);
    const { destinationId } = await instance();
    const { body } = await v1("POST", `/destinations/${destinationId}/test`, {
      event: { hello: "world" },
    });
    expect(body).toMatchObject({ n: 1, status: 200, error: null });
    expect(received.at(-1)).toMatchObject({ body: '{"hello":"world"}' });
    expect(received.at(-1)?.headers.get("webhook-signature")).toMatch(/^v1,/);
  });

  it("rotate keys, at most three of them alive, and tell their secrets to nobody else", async () => {
    const { destinationId } = await instance();
    const before = (await v1("GET", `/destinations/${destinationId}/signing-secret`)).body.secret;
    await v1("POST", `/destinations/${destinationId}/rotate`, {});
    const after = await v1("POST", `/destinations/${destinationId}/rotate`, { algorithm: "v1a" });
    expect(after.body.signing.keys).toHaveLength(3);
    const told = (await v1("GET", `/destinations/${destinationId}/signing-secret`)).body;
    expect(told.secret).not.toBe(before);
    expect(told.publicKey).toMatch(/^whpk_/);
    expect((await v1("POST", `/destinations/${destinationId}/rotate`, {})).status).toBe(409);
    expect(
      (await v1("GET", `/destinations/${destinationId}/signing-secret`, undefined, THEIRS)).status,
    ).toBe(404);
  });
});

describe("another organization", () => {
  it("sees nothing of ours, and can't tell whether it exists", async () => {
    const { id, destinationId } = await instance();
    const known = [
      `/streams/instance:${id}/events`,
      `/destinations/${destinationId}`,
      `/deliveries/${id}101`,
      `/streams/${id}/consumers/etl`,
    ];
    for (const path of known) {
      const { status, body } = await v1("GET", path, undefined, THEIRS);
      expect({ path, status, code: body.error.code }).toEqual({
        path,
        status: 404,
        code: "not_found",
      });
    }
    const { authorization } = await ownOrganization();
    expect((await v1("GET", "/destinations", undefined, authorization)).body.items).toEqual([]);
  });
});

describe("keys, audit and the organization", () => {
  it("limits a key to its scopes and its life, and writes every change down", async () => {
    const made = (await v1("POST", "/keys", { name: "ci", scopes: ["read"] })).body;
    const bearer = `Bearer ${made.key}`;
    expect((await v1("GET", "/destinations", undefined, bearer)).status).toBe(200);
    expect((await v1("PATCH", "/destinations/instance-1", {}, bearer)).status).toBe(403);
    expect((await v1("GET", "/keys", undefined, bearer)).status).toBe(403);
    expect((await v1("POST", "/keys", { name: "x", scopes: ["admin"] }, bearer)).status).toBe(403);
    const { items } = (await v1("GET", "/audit?action=key.create")).body;
    expect(items.find(({ target }: any) => target === made.id)).toMatchObject({
      actor: "user:1",
      route: "POST /v1/keys",
      changes: ["name", "scopes"],
    });
    await v1("DELETE", `/keys/${made.id}`);
    expect((await v1("GET", "/destinations", undefined, bearer)).status).toBe(401);
    const past = { name: "old", scopes: ["read"], expiresAt: "2020-01-01T00:00:00Z" };
    expect((await v1("POST", "/keys", past)).status).toBe(400);
  });

  it("ends the moment it expires, though it was used just before", async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const { key } = (await v1("POST", "/keys", { name: "short", scopes: ["read"], expiresAt }))
      .body;
    const status = async (aheadMs: number): Promise<number> => {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(expiresAt) + aheadMs });
      return (await v1("GET", "/destinations", undefined, `Bearer ${key}`)).status;
    };
    onTestFinished(() => void vi.useRealTimers());
    expect([await status(-1_000), await status(-1), await status(0)]).toEqual([200, 200, 401]);
  });

  it.each([0, 31, 1.5, "3"])("refuses to keep events for %j days", async (retentionDays) => {
    const { status, body } = await v1("PATCH", "/organization", { retentionDays });
    expect({ status, field: body.error.field }).toEqual({ status: 400, field: "retentionDays" });
    expect(body.error.message).toContain("a whole number of days, 1 to 30");
  });

  it("tells the operations callback of what went wrong", async () => {
    const received = receiver(({ url }) =>
      url.endsWith("/operations") ? ok() : new Response("no", { status: 410 }),
    );
    await v1("PATCH", "/organization", {
      operationsCallback: { url: "http://127.0.0.1:9/operations" },
      retentionDays: 14,
    });
    const { id, destinationId } = await instance();
    await delivered(id, ["dies"], "dead");
    const told = await eventually(async () => {
      const bodies = received
        .filter(({ url }) => url.endsWith("/operations"))
        .map(({ body }) => JSON.parse(body))
        .filter(({ data }) => data.destinationId === destinationId);
      return bodies.length >= 2 && bodies;
    });
    expect(new Set(told.map(({ type }: any) => type))).toEqual(
      new Set(["delivery.dead", "destination.disabled"]),
    );
  });

  it("describes its routes as OpenAPI, with examples", async () => {
    const response = await exports.default.fetch("https://tributary.example/openapi.json");
    const { openapi, paths } = await response.json<any>();
    expect(openapi).toMatch(/^3\.1/);
    for (const [path, methods] of Object.entries<any>(paths))
      for (const [method, route] of Object.entries<any>(methods)) {
        const named = { path, method };
        expect(Object.keys(route.responses)).toEqual(expect.arrayContaining(["409", "429"]));
        const answers: any[] = Object.values(route.responses);
        const examples = answers.map((one) => one.content?.["application/json"]?.example);
        expect({ ...named, example: examples.some((one) => one !== undefined) }).toEqual({
          ...named,
          example: true,
        });
        const body = route.requestBody?.content["application/json"];
        if (body !== undefined)
          expect({ ...named, example: body.example !== undefined }).toEqual({
            ...named,
            example: true,
          });
      }
    expect(paths["/v1/deliveries"].get.parameters.map(({ name }: any) => name)).toEqual([
      "limit",
      "cursor",
      "from",
      "to",
      "objectType",
      "objectId",
      "eventType",
      "text",
      "tenant",
      "source",
      "destinationId",
      "status",
    ]);
    for (const path of [
      "/v1/instances/{id}",
      "/v1/instances/{id}/poll",
      "/v1/instances/{id}/signing-secret",
      "/v1/streams/{source}/events",
      "/v1/streams/{source}/consumers/{name}",
      "/v1/streams/{source}/consumers/{name}/events",
      "/v1/streams/{source}/replay",
      "/v1/streams/{source}/objects/{objectType}/{objectId}",
      "/v1/destinations",
      "/v1/destinations/{id}",
      "/v1/destinations/{id}/signing-secret",
      "/v1/destinations/{id}/test",
      "/v1/destinations/{id}/recover",
      "/v1/destinations/{id}/cancel",
      "/v1/deliveries",
      "/v1/deliveries/{id}/resend",
      "/v1/deliveries/{id}/cancel",
      "/v1/jobs/{id}",
      "/v1/stats",
      "/v1/keys/{id}",
      "/v1/audit",
      "/v1/organization",
      "/v1/deliveries/{id}",
      "/v1/destinations/{id}/rotate",
      "/v1/keys",
      "/v1/usage",
    ])
      expect(Object.keys(paths)).toContain(path);
    expect(
      paths["/v1/destinations/{id}"].patch.requestBody.content["application/json"].schema
        .properties,
    ).toHaveProperty("rate");
  });
});

it("answers unknown paths and methods in its own format", async () => {
  for (const [method, path] of [
    ["GET", "/nothing"],
    ["DELETE", "/usage"],
    ["POST", "/destinations/a/b/c"],
  ] as const)
    expect(await v1(method, path)).toMatchObject({
      status: 404,
      body: { error: { code: "not_found", message: `No route ${method} /v1${path}` } },
    });
});

describe("hostile addresses", () => {
  const { egress } = readConfig(env);
  const refusedHere = HOSTILE.filter((url) => url.trim() !== "" && !checkEgress(url, egress).ok);

  it.each(refusedHere)("%s is refused as callback and as vendor base", async (url) => {
    for (const key of ["event.notification.callback.url", "base.url", "oauth.base.url"]) {
      const { status, body } = await call("POST", "/instances", draft({ [key]: url }));
      expect({ key, status }).toEqual({ key, status: 400 });
      expect(body.message).toContain(key);
    }
  });
});
