import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { app } from "../../src/app";
import worker from "../../src/index";
import { eventually, receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { firstOrganization, ownOrganization } from "../organization";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** An organization with a tenant that has an endpoint, and a queue of its application. */
async function application() {
  await firstOrganization();
  const { authorization, id: organizationId } = await ownOrganization();
  const call = (method: string, path: string, body?: unknown) =>
    callV1(method, path, authorization, body);
  const queue = `orders-${crypto.randomUUID()}`;
  const tenant = `acme-${crypto.randomUUID().slice(0, 8)}`;
  await call("POST", "/tenants", { id: tenant });
  const url = `https://${crypto.randomUUID()}.example/hook`;
  await call("POST", "/destinations", { url, sources: ["publish"] });
  const got = receiver(
    () => new Response(),
    (one) => one.url === url,
  );
  const bindings = { ...env, PUBLISH_QUEUES: JSON.stringify({ [queue]: organizationId }) };
  return {
    call,
    tenant,
    queue,
    got,
    bindings,
    /** Hands messages over. @returns which were acknowledged, and which come again. */
    bring: async (bodies: readonly unknown[], to: Env = bindings) => {
      const messages = bodies.map((body, index) => ({
        id: `message-${index}`,
        timestamp: new Date(),
        attempts: 1,
        body,
      }));
      const batch = createMessageBatch(queue, messages);
      const context = createExecutionContext();
      await worker.queue(batch, to, context);
      const { explicitAcks, retryMessages } = await getQueueResult(batch, context);
      return { acked: explicitAcks, again: retryMessages.map(({ msgId }) => msgId) };
    },
    refused: async (by = authorization, name = queue) => {
      const path = `https://tributary.example/v1/queues/${name}/inbound`;
      const headers = { authorization: by };
      const response = await app.request(path, { headers }, bindings, createExecutionContext());
      return { status: response.status, body: await response.json<any>() };
    },
  };
}

describe("a message of an application's queue", () => {
  it("is published as by HTTP, to its tenant or to none, once for its event's id or its own", async () => {
    const { bring, got, tenant, call } = await application();
    const messages = [
      { tenant, type: "invoice.paid", id: "inv_1", data: { amount: 1 } },
      '{"type": "invoice.paid", "data": {"amount": 1.10}}',
      new TextEncoder().encode('{"type": "a", "id": "bytes", "data": 1}').buffer,
    ];
    expect(await bring(messages)).toEqual({
      acked: ["message-0", "message-1", "message-2"],
      again: [],
    });
    await eventually(() => got[2]);
    const bodies = got.map(({ body }) => body);
    expect(bodies.map((body) => JSON.parse(body).id).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "bytes",
      "inv_1",
      "message-1",
    ]);
    expect(bodies.find((body) => body.includes("message-1"))).toContain(
      '"data":{"amount": 1.10}'.replace(": ", ":"),
    );
    await bring(messages);
    const kept = await call("GET", `/streams/tenant:${tenant}/events`);
    expect(kept.body.items).toHaveLength(1);
    const event = { type: "invoice.paid", id: "inv_1", data: 2 };
    const again = await call("POST", `/tenants/${tenant}/events`, event);
    expect(again.body).toMatchObject({ duplicate: true });
  });

  it("that can't be published is shown with its reason, and does not come again; its neighbours go", async () => {
    const { bring, refused, tenant, call } = await application();
    const type = { name: "checked", schema: { type: "object", required: ["n"] } };
    expect((await call("POST", "/event-types", type)).status).toBe(201);
    const bad: [unknown, string][] = [
      ["no json", "Expected an event: a JSON object of at most 500 levels"],
      [[1], "Expected an event: a JSON object of at most 500 levels"],
      [10n, "Expected an event: a JSON object of at most 500 levels"],
      [
        { type: "a b", data: 1 },
        "type: Expected 1 to 256 letters, digits, '.', '_', '-', '/' or ':'",
      ],
      [{ type: "a", data: 1, more: 1 }, "more: This field is unknown here"],
      [{ type: "a", tenant: 5, data: 1 }, "tenant: Expected the id of a tenant"],
      [{ type: "a", tenant: "nobody", data: 1 }, "No tenant 'nobody'"],
      [
        { type: "a", deliverAt: "2999-01-01T00:00:00Z", data: 1 },
        "deliverAt: Expected an instant at most 30 days from now",
      ],
      [{ type: "checked", data: {} }, "data.n: This field is missing"],
    ];
    const { acked, again } = await bring([
      ...bad.map(([body]) => body),
      { tenant, type: "a", data: 1 },
    ]);
    expect({ acked: acked.length, again }).toEqual({ acked: bad.length + 1, again: [] });
    const { body } = await refused();
    expect(body.counts.refused).toBe(bad.length);
    const reasons = body.items.map(({ reason }: { reason: string }) => reason);
    for (const [, reason] of bad) expect(reasons).toContainEqual(expect.stringContaining(reason));
    const one = body.items.find(
      ({ reason }: { reason: string }) => reason === "No tenant 'nobody'",
    );
    expect(one).toMatchObject({
      outcome: "refused",
      replayable: false,
      request: { method: "QUEUE", body: '{"type":"a","tenant":"nobody","data":1}' },
    });
    expect((await call("GET", `/streams/tenant:${tenant}/events`)).body.items).toHaveLength(1);
  });

  it("comes again when it is not certain that it was kept, and is one event then", async () => {
    const { bring, bindings, tenant, call } = await application();
    vi.spyOn(console, "error").mockReturnValue();
    const broken = {
      getByName: () => ({ commit: () => Promise.reject(new Error("gone")) }),
    } as unknown as Env["EVENT_STREAMS"];
    const message = { tenant, type: "a", data: 1 };
    expect(await bring([message], { ...bindings, EVENT_STREAMS: broken })).toEqual({
      acked: [],
      again: ["message-0"],
    });
    await bring([message]);
    await bring([message]);
    expect((await call("GET", `/streams/tenant:${tenant}/events`)).body.items).toHaveLength(1);
  });

  it("comes again while no organization, or none that is there, is said to publish it", async () => {
    const { bring, queue } = await application();
    const log = vi.spyOn(console, "error").mockReturnValue();
    for (const PUBLISH_QUEUES of ["{}", JSON.stringify({ [queue]: 999_999_999 })]) {
      const ended = await bring([{ type: "a", data: 1 }], { ...env, PUBLISH_QUEUES } as Env);
      expect(ended.acked).toEqual([]);
    }
    expect(log.mock.calls.flat().join()).toContain("PUBLISH_QUEUES doesn't say");
    expect(log.mock.calls.flat().join()).toContain("No organization 999999999");
  });
});

describe("GET /v1/queues/{name}/inbound", () => {
  it("knows the queues of the organization alone", async () => {
    const [mine, theirs] = [await application(), await ownOrganization()];
    expect((await mine.refused()).body).toMatchObject({ counts: { refused: 0 }, items: [] });
    expect((await mine.refused(theirs.authorization)).status).toBe(404);
    expect((await mine.refused(undefined, "constructor")).status).toBe(404);
  });
});

describe("PUBLISH_QUEUES", () => {
  it.each([
    ["{", "Expected JSON"],
    ['{"orders":"1"}', "Expected the id of an organization"],
    ['{"tributary-polls":1}', "Expected queues of the application's own, none of ours"],
  ])("%s is refused", (PUBLISH_QUEUES, message) => {
    expect(() => readConfig({ ...env, PUBLISH_QUEUES })).toThrow(message);
  });
});
