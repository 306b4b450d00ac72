import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually, receiver } from "../delivery/build";
import { call, callV1, createOrganizations, draft, MINE } from "../elements/build";
import { commit, event, target } from "../stream/build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

type Made = { id: number; source: string; destinationId: string };

async function instance(): Promise<Made> {
  const url = { "event.notification.callback.url": "http://127.0.0.1:9/limits-hook" };
  const { id } = (await call("POST", "/instances", draft(url))).body;
  return { id, source: `instance:${id}`, destinationId: `instance-${id}` };
}

/** One event of `from` that its receiver refuses for good. */
async function refused(from: Made, to: Made = from): Promise<string> {
  const stream = env.EVENT_STREAMS.getByName(`1/${from.source}`);
  const targets = [target({ destinationId: to.destinationId, most: 1 })];
  await stream.commit(commit({ targets, events: [event(crypto.randomUUID())] }));
  return eventually(async () => {
    const [view] = await stream.notifications({ before: null, limit: 1, withEvents: false });
    return view?.notification.state.kind === "dead" ? view.id : undefined;
  });
}

/** A key with these limits and all scopes, as a client of `/v1`. */
async function limited(limits: Record<string, string[]>) {
  const scopes = ["read", "write", "admin", "secrets"];
  const { key } = (await callV1("POST", "/keys", MINE, { name: "k", scopes, limits })).body;
  return (method: string, path: string, body?: unknown) =>
    callV1(method, path, `Bearer ${key}`, body);
}

const RANGE = { from: "2020-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z" };
const ids = (items: any[], name: string) => new Set(items.map((item) => item[name]));

describe("a key of one source", () => {
  it("finds in lists what is its source's, and nothing else", async () => {
    receiver(() => new Response("no", { status: 410 }));
    const [mine, other] = [await instance(), await instance()];
    const dead = [await refused(mine), await refused(other)];
    const ask = await limited({ sources: [mine.source] });
    const destinations = (await ask("GET", "/destinations")).body;
    expect(ids(destinations.items, "id")).toEqual(new Set([mine.destinationId]));
    const deliveries = (await ask("GET", "/deliveries")).body;
    expect(ids(deliveries.items, "id")).toEqual(new Set([dead[0]]));
    const usage = (await ask("GET", "/usage?by=source")).body;
    expect(ids(usage.items, "key")).toEqual(new Set([mine.source]));
    expect((await ask("GET", "/stats")).body.points.at(-1).events).toBeLessThanOrEqual(1);
  });

  it("sends its source's events to no destination that it doesn't reach", async () => {
    const [mine, other] = [await instance(), await instance()];
    const ask = await limited({ sources: [mine.source] });
    const path = `/streams/${mine.source}/replay`;
    const own = { ...RANGE, destinationId: mine.destinationId };
    expect((await ask("POST", path, own)).status).toBe(202);
    const others = { ...RANGE, destinationId: other.destinationId };
    const refusal = await ask("POST", path, others);
    const unknown = await ask("POST", path, { ...RANGE, destinationId: "instance-999999999" });
    expect([refusal.status, unknown.status]).toEqual([404, 404]);
  });

  it("asks for another one's deliveries in vain, by their ids and by their source", async () => {
    receiver(() => new Response("no", { status: 410 }));
    const [mine, other] = [await instance(), await instance()];
    const id = await refused(other);
    const ask = await limited({ sources: [mine.source] });
    for (const [method, path] of [
      ["GET", `/deliveries/${id}`],
      ["POST", `/deliveries/${id}/resend`],
      ["GET", `/deliveries?source=${other.source}`],
      ["GET", `/streams/${other.id}/events`],
    ] as const)
      expect([path, (await ask(method, path)).status]).toEqual([path, 404]);
  });
});

describe("a key of one destination", () => {
  it("reaches the destination, and deliveries to it of whatever source; no stream", async () => {
    receiver(() => new Response("no", { status: 410 }));
    const [mine, other] = [await instance(), await instance()];
    const toIt = [await refused(mine), await refused(other, mine)];
    const elsewhere = await refused(other);
    const ask = await limited({ destinations: [mine.destinationId] });
    expect(ids((await ask("GET", "/destinations")).body.items, "id")).toEqual(
      new Set([mine.destinationId]),
    );
    expect(ids((await ask("GET", "/deliveries")).body.items, "id")).toEqual(new Set(toIt));
    const seen = [...toIt, elsewhere].map(
      async (id) => (await ask("GET", `/deliveries/${id}`)).status,
    );
    expect(await Promise.all(seen)).toEqual([200, 200, 404]);
    expect((await ask("GET", `/streams/${mine.source}/events`)).status).toBe(404);
  });

  it("follows the jobs it starts, and no others", async () => {
    receiver(() => new Response("no", { status: 410 }));
    const [mine, other] = [await instance(), await instance()];
    await refused(other, mine);
    const ask = await limited({ destinations: [mine.destinationId] });
    // Nothing is sent again: the test ends with its last answer.
    const since = { since: RANGE.to };
    const own = await ask("POST", `/destinations/${mine.destinationId}/recover`, since);
    await eventually(async () => {
      await runDurableObjectAlarm(env.EVENT_STREAMS.getByName(`1/${other.source}`));
      const { status, body } = await ask("GET", `/jobs/${own.body.jobId}`);
      expect(status).toBe(200);
      return body.status === "done" ? true : undefined;
    });
    const others = await callV1("POST", `/streams/${other.source}/replay`, MINE, RANGE);
    expect((await ask("GET", `/jobs/${others.body.jobId}`)).status).toBe(404);
  });
});

describe("a key of one tenant", () => {
  const tenant = async (): Promise<string> =>
    (await callV1("POST", "/tenants", MINE, { id: crypto.randomUUID() })).body.id;
  const url = "https://app.example/limits";

  it("makes, finds, changes and deletes the tenant's destinations", async () => {
    const acme = await tenant();
    const ask = await limited({ tenants: [acme] });
    const made = await ask("POST", "/destinations", { url, tenant: acme, name: "billing" });
    expect(made).toMatchObject({
      status: 201,
      body: { tenant: acme, sources: [`tenant:${acme}`] },
    });
    const path = `/destinations/${made.body.id}`;
    expect((await ask("GET", "/destinations?name=billing")).body.items).toHaveLength(1);
    expect((await ask("PATCH", path, { description: "To billing" })).body.description).toBe(
      "To billing",
    );
    const taken = await ask("POST", "/destinations", { url, tenant: acme, name: "billing" });
    expect([taken.status, taken.body.error.field]).toEqual([409, "name"]);
    expect((await ask("DELETE", path)).status).toBe(200);
    expect((await ask("GET", path)).status).toBe(404);
  });

  it("makes none of another tenant, or of none, and learns nothing of what these have", async () => {
    const [acme, other] = [await tenant(), await tenant()];
    const name = crypto.randomUUID();
    const theirs = await callV1("POST", "/destinations", MINE, { url, tenant: other, name });
    const ofNone = await callV1("POST", "/destinations", MINE, { url, name });
    const ask = await limited({ tenants: [acme] });
    const refused = async (body: object) => {
      const { status, body: answer } = await ask("POST", "/destinations", { url, ...body });
      return { status, field: answer.error.field, message: answer.error.message };
    };
    const unknown = crypto.randomUUID();
    const of = (id: string) => ({
      status: 400,
      field: "tenant",
      message: `tenant: No tenant '${id}'`,
    });
    expect(await refused({ tenant: other })).toEqual(of(other));
    expect(await refused({ tenant: unknown })).toEqual(of(unknown));
    for (const body of [{}, { tenant: null }])
      expect(await refused(body)).toMatchObject({ status: 400, field: "tenant" });
    for (const { body } of [theirs, ofNone])
      for (const [method, change] of [
        ["GET", undefined],
        ["PATCH", { name: "mine" }],
        ["DELETE", undefined],
      ] as const)
        expect((await ask(method, `/destinations/${body.id}`, change)).status).toBe(404);
    for (const query of [`name=${name}`, `tenant=${other}`, "tenant=-"])
      expect((await ask("GET", `/destinations?${query}`)).body.items).toEqual([]);
    expect((await ask("POST", "/destinations", { url, tenant: acme, name })).status).toBe(201);
    const source = await limited({ sources: ["instance:1"] });
    expect((await source("POST", "/destinations", { url, tenant: acme })).status).toBe(403);
  });
});
