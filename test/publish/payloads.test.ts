import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app";
import { payloadBucket, payloadKey } from "../../src/stream/payloads.io";
import { eventually, receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { firstOrganization, ownOrganization } from "../organization";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const MIB = 1_048_576;
/** As an event that is too large for a callback may have. */
const MORE = MIB + 100_000;
const DAY_MS = 86_400_000;
const bucket = payloadBucket(env) as R2Bucket;
const url = (path: string) => `https://tributary.example${path}`;

/** An organization with a tenant that has an endpoint, and what is asked of it as bytes, with or without a bucket. */
async function publisher(wants: object = {}) {
  await firstOrganization();
  const { authorization, id: organizationId } = await ownOrganization();
  const call = (method: string, path: string, body?: unknown) =>
    callV1(method, path, authorization, body);
  const tenant = `acme-${crypto.randomUUID().slice(0, 8)}`;
  await call("POST", "/tenants", { id: tenant });
  const address = `https://${crypto.randomUUID()}.example/hook`;
  const made = await call("POST", "/destinations", { url: address, tenant, ...wants });
  expect(made.status).toBe(201);
  const stream = `${organizationId}/tenant:${tenant}`;
  const got = receiver(
    () => new Response(),
    (one) => one.url === address,
  );
  const publish = async (
    body: string | Uint8Array,
    bindings: object = env,
    headers: Record<string, string> = {},
  ) => {
    const bytes = Buffer.from(body);
    const response = await app.request(
      url(`/v1/tenants/${tenant}/events`),
      {
        method: "POST",
        headers: { authorization, "content-length": String(bytes.byteLength), ...headers },
        body: bytes,
      },
      bindings,
      createExecutionContext(),
    );
    return { status: response.status, body: await response.json<any>() };
  };
  const names = async () =>
    (await bucket.list({ prefix: payloadKey(stream, "") })).objects.map(({ key }) => key);
  return { call, tenant, stream, got, publish, names };
}

const get = (address: string) => app.request(address, {}, env, createExecutionContext());

/** An event of `bytes` bytes in all. */
function eventOf(bytes: number, more: object = {}): string {
  const empty = JSON.stringify({ type: "report.made", ...more, data: { text: "" } });
  return empty.replace('""', `"${"ä".repeat(8)}${"x".repeat(bytes - empty.length - 16)}"`);
}
const dataOf = (event: string): string => event.slice(event.indexOf('{"text"'), -1);

/** Publishes an event that is too large for a callback. @returns what its endpoint got. */
async function large(one: Awaited<ReturnType<typeof publisher>>, more: object = {}) {
  const event = eventOf(MORE, more);
  const { status, body } = await one.publish(event);
  expect({ status, body }).toMatchObject({ status: 202, body: { duplicate: false } });
  const { body: told, headers } = await eventually(() => one.got.at(-1));
  return { event, id: body.id as string, told, headers };
}

describe("an event of at most a mebibyte", () => {
  it("goes with its callback", async () => {
    const one = await publisher();
    const event = eventOf(MIB);
    expect((await one.publish(event)).status).toBe(202);
    const { body } = await eventually(() => one.got[0]);
    expect(JSON.stringify(JSON.parse(body).data)).toBe(dataOf(event));
    expect(await one.names()).toEqual([]);
  });

  it("is all that is taken where no bucket is bound", async () => {
    const one = await publisher();
    const { status, body } = await one.publish(eventOf(MIB + 1), { ...env, PAYLOADS: undefined });
    expect({ status, error: body.error }).toMatchObject({
      status: 413,
      error: {
        code: "too_large",
        message:
          "The body is larger than 1048576 bytes: up to 26214400 are taken where an R2 bucket is bound as PAYLOADS",
      },
    });
  });
});

describe("a larger event", () => {
  it("is told by a URL that opens its data to whoever has it", async () => {
    const one = await publisher();
    const { event, id, told } = await large(one);
    const { payload, ...others } = JSON.parse(told);
    expect(others).toMatchObject({ id, type: "report.made", tenant: one.tenant, data: null });
    const bytes = Buffer.from(dataOf(event));
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
    expect(payload).toEqual({
      url: expect.stringMatching(/^https?:\/\/[^/]+\/v1\/payloads\//),
      contentType: "application/json",
      size: bytes.byteLength,
      sha256: digest,
      expiresAt: expect.stringMatching(/Z$/),
    });
    const response = await get(payload.url);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "content-length": String(bytes.byteLength),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it("is opened by nothing else", async () => {
    const other = await publisher();
    const one = await publisher();
    const { payload } = JSON.parse((await large(one)).told);
    const signed = new URL(payload.url);
    const changed = async (change: (address: URL) => void) => {
      const address = new URL(signed);
      change(address);
      return (await get(address.href)).status;
    };
    const signature = signed.searchParams.get("signature") ?? "";
    const set = (name: string, value: string) => (address: URL) =>
      address.searchParams.set(name, value);
    expect(await changed(set("signature", ""))).toBe(404);
    expect(await changed(set("signature", `${signature.slice(0, -2)}AA`))).toBe(404);
    expect(await changed(set("expires", String(Date.now() + 10 * DAY_MS)))).toBe(404);
    expect(await changed((at) => (at.pathname = at.pathname.replace(one.tenant, "-")))).toBe(404);
    expect(
      await changed((at) => (at.pathname = at.pathname.replace(one.tenant, other.tenant))),
    ).toBe(404);
    expect(await changed(() => undefined)).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(payload.expiresAt) });
    const response = await get(payload.url);
    expect([response.status, (await response.json<any>()).error.message]).toEqual([
      410,
      "The URL has expired",
    ]);
  });

  it("is taken once for its id, and its data kept once", async () => {
    const one = await publisher();
    const { told } = await large(one, { id: "one" });
    const again = await one.publish(eventOf(MORE, { id: "one" }));
    expect(again.body).toEqual({ id: "one", duplicate: true, destinations: 1 });
    const [name = "", ...others] = await one.names();
    expect(others).toEqual([]);
    expect(told).toContain(name.slice(name.indexOf("/tenant:") + 1).split("/")[1]);
    const both = ["two", "two"].map((id) => one.publish(eventOf(MORE, { id })));
    const answers = await Promise.all(both);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(answers.filter(({ body }) => body.duplicate)).toHaveLength(1);
    expect(await one.names()).toHaveLength(2);
  });

  it.each([
    ["raw", (told: string, payloadUrl: string) => JSON.parse(told).payload.url === payloadUrl],
    ["cloudevents-structured", (told: string, at: string) => JSON.parse(told).dataref === at],
  ])("is told in the format %s, whatever an endpoint's filter says", async (format, isTold) => {
    const one = await publisher({ format, filter: "data.n > 3" });
    const { told } = await large(one);
    const [address = ""] = /https?:\/\/[^"]+\/v1\/payloads[^"]+/.exec(told) ?? [];
    expect(isTold(told, address)).toBe(true);
    expect((await get(address)).status).toBe(200);
  });

  it("may be compressed", async () => {
    const one = await publisher();
    const zipped = new Blob([eventOf(MORE)]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(zipped).arrayBuffer());
    expect((await one.publish(bytes, env, { "content-encoding": "gzip" })).status).toBe(202);
    expect(await one.names()).toHaveLength(1);
  });

  it.each<[string, () => string | Uint8Array, number, string]>([
    ["no JSON", () => eventOf(MORE).slice(0, -1), 400, "It ends too early"],
    ["no UTF-8", () => Buffer.from(eventOf(MORE), "latin1"), 400, "not UTF-8"],
    ["two data", () => eventOf(MORE, { data: 1 }).replace("{", '{"data":1,'), 400, "Expected once"],
    ["a type with a space", () => eventOf(MORE, { type: "a b" }), 400, "type: Expected"],
    ["large metadata", () => eventOf(MORE).replace("data", "metadata"), 413, "All but 'data'"],
    ["a day too late", () => eventOf(MORE, { deliverAt: "2999-01-01T00:00:00Z" }), 400, "30 days"],
  ])("is refused with %s, and nothing is kept", async (_, event, status, message) => {
    const one = await publisher();
    const refused = await one.publish(event());
    expect(refused).toMatchObject({ status, body: { error: {} } });
    expect(refused.body.error.message).toContain(message);
    expect(await one.names()).toEqual([]);
  });

  it("has at most 25 MiB", async () => {
    const one = await publisher();
    const length = { "content-length": String(25 * MIB + 1) };
    const refused = await one.publish("{}", env, length);
    expect([refused.status, refused.body.error.message]).toEqual([
      413,
      "The body is larger than 26214400 bytes",
    ]);
  });

  it("is refused when its type has a schema, and when its length isn't told", async () => {
    const one = await publisher();
    const type = { name: "report.made", schema: { type: "object" } };
    expect((await one.call("POST", "/event-types", type)).status).toBe(201);
    const refused = await one.publish(eventOf(MORE));
    expect([refused.status, refused.body.error.message]).toEqual([
      413,
      "The type 'report.made' has a schema: its events are at most 1048576 bytes",
    ]);
    const untold = await one.publish(eventOf(MORE), env, { "content-length": "" });
    expect([untold.status, untold.body.error.message]).toEqual([
      413,
      "The body is larger than 1048576 bytes: of more, up to 26214400, its Content-Length must tell",
    ]);
  });
});

describe("the data of a larger event", () => {
  const upkeep = (stream: string) =>
    env.EVENT_STREAMS.getByName(stream).upkeep({ isOwnerless: false });

  it("is deleted when its event is, once it was kept as long", async () => {
    const one = await publisher();
    await large(one);
    const [name = ""] = await one.names();
    const orphan = name.replace(/-[0-9a-f]{32}-/, `-${"0".repeat(32)}-`);
    await bucket.put(orphan, "1");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6 * DAY_MS });
    await upkeep(one.stream);
    expect(await one.names()).toHaveLength(2);
    vi.setSystemTime(Date.now() + 2 * DAY_MS);
    await upkeep(one.stream);
    expect(await one.names()).toEqual([]);
  });

  it("is deleted with its tenant", async () => {
    const one = await publisher();
    const { payload } = JSON.parse((await large(one)).told);
    const path = `/tenants/${one.tenant}?cascade=true`;
    expect((await one.call("DELETE", path)).status).toBe(202);
    expect((await get(payload.url)).status).toBe(404);
    expect(await one.names()).toEqual([]);
  });

  it("is erased with what its event is about", async () => {
    const one = await publisher();
    await large(one, { key: "anna" });
    await one.publish(eventOf(MORE, { key: "otto" }));
    expect(await one.names()).toHaveLength(2);
    await env.EVENT_STREAMS.getByName(one.stream).expunge("published", "anna");
    expect(await one.names()).toHaveLength(1);
  });
});

describe("POST …/events/batch", () => {
  it("takes no event of more than a mebibyte", async () => {
    const one = await publisher();
    const events = [JSON.parse(eventOf(MIB + 1)), { type: "a", data: 1 }];
    const { body } = await one.call("POST", `/tenants/${one.tenant}/events/batch`, { events });
    expect(body.items).toMatchObject([
      { error: { code: "too_large", field: "data" } },
      { duplicate: false },
    ]);
  });
});
