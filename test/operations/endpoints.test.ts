import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { ask, foundation } from "../accounts/ask";
import { eventually, receiver } from "../delivery/build";
import { ownOrganization } from "../organization";
import { commit, event, freshStream, target } from "../stream/build";

let token = "";
const TENANT = `acme-${crypto.randomUUID()}`;

beforeAll(async () => {
  token = (await foundation()).apiKey;
  await ask("POST", "/v1/tenants", { token, body: { id: TENANT, name: "Acme" } });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const HOOK = "http://127.0.0.1:9/hook";
const made = async (body: object = {}) =>
  (await ask("POST", "/v1/destinations", { token, body: { url: HOOK, ...body } })).body;
const at = (id: string, rest = ""): string => `/v1/destinations/${id}${rest}`;

it("makes a destination by API, shows and changes all that it says of itself, and deletes it", async () => {
  const body = {
    url: "http://127.0.0.1:9/hook?token=secret-of-the-hook",
    name: `orders ${crypto.randomUUID()}`,
    tenant: TENANT,
    description: "To billing",
    eventTypes: ["order.*"],
    channels: ["eu"],
    filter: "data.total > 1",
    headers: { "x-team": "billing", authorization: "Bearer secret-of-billing" },
    ordering: "object",
    rate: 5,
    retrySchedule: [0, 5],
    metadata: { plan: "gold" },
  };
  const { status, body: one } = await ask("POST", "/v1/destinations", { token, body });
  expect([status, one]).toMatchObject([
    201,
    {
      ...body,
      kind: "endpoint",
      ownerId: one.id,
      url: "http://127.0.0.1:9/hook?token=********",
      headers: { "x-team": "billing", authorization: "********" },
      sources: [`tenant:${TENANT}`],
      enabled: true,
      state: { name: "active", is: "active", by: null },
    },
  ]);
  const secret = await ask("GET", at(one.id, "/signing-secret"), { token });
  expect(secret.body.secret).toMatch(/^whsec_/);
  const change = {
    channels: [],
    rate: null,
    name: null,
    url: "http://127.0.0.1:9/other?token=********",
  };
  const changed = await ask("PATCH", at(one.id), { token, body: change });
  expect([changed.status, changed.body]).toMatchObject([
    200,
    { ...change, eventTypes: ["order.*"], description: "To billing", ordering: "object" },
  ]);
  expect((await ask("POST", at(one.id, "/disable"), { token })).body).toMatchObject({
    enabled: false,
    state: { is: "paused", by: "operator" },
  });
  expect((await ask("POST", at(one.id, "/enable"), { token })).body.enabled).toBe(true);
  expect((await ask("DELETE", at(one.id), { token })).status).toBe(200);
  expect((await ask("GET", at(one.id), { token })).status).toBe(404);
  const { body: audit } = await ask("GET", "/v1/audit?limit=50", { token });
  const deeds = audit.items.filter(({ target }: any) => String(target).includes(one.id));
  expect(deeds.map(({ action }: any) => action)).toEqual([
    "destination.delete",
    "destination.enable",
    "destination.disable",
    "destination.update",
    "signing-secret.read",
    "destination.create",
  ]);
  expect(JSON.stringify(audit)).not.toContain("secret-of-");
});

it("tells all that is wrong with a destination, each by its field", async () => {
  const { status, body } = await ask("POST", "/v1/destinations", {
    token,
    body: {
      url: "http://169.254.169.254/latest",
      tenant: "no tenant",
      sources: ["instance:27", "instances", "tenant:other"],
      eventTypes: [],
      filter: "(",
      headers: { host: "a" },
      rate: 0,
      colour: "red",
      metadata: { text: "x".repeat(9_000) },
    },
  });
  expect(status).toBe(400);
  expect(body.error.faults.map(({ field }: any) => field).toSorted()).toEqual([
    "colour",
    "eventTypes",
    "filter",
    "headers",
    "metadata",
    "rate",
    "sources.1",
    "sources.2",
    "tenant",
    "url",
  ]);
  const nobody = await ask("POST", "/v1/destinations", { token, body: { url: HOOK, tenant: "x" } });
  expect([nobody.status, nobody.body.error.field]).toEqual([400, "tenant"]);
  const only = await ask("POST", "/v1/destinations", { token, body: {} });
  expect([only.status, only.body.error.field, only.body.error.faults]).toEqual([
    400,
    "url",
    undefined,
  ]);
});

it("changes nothing that a destination's owner decides, and moves none to another tenant", async () => {
  const one = await made({ tenant: TENANT });
  const moved = await ask("PATCH", at(one.id), { token, body: { tenant: "other" } });
  expect([moved.status, moved.body.error.field]).toEqual([400, "tenant"]);
  const same = await ask("PATCH", at(one.id), { token, body: { tenant: TENANT, rate: 3 } });
  expect([same.status, same.body.rate]).toEqual([200, 3]);
  const name = `taken ${crypto.randomUUID()}`;
  await made({ name, tenant: TENANT });
  for (const [method, path] of [
    ["POST", "/v1/destinations"],
    ["PATCH", at(one.id)],
  ] as const) {
    const twice = await ask(method, path, { token, body: { url: HOOK, tenant: TENANT, name } });
    expect([twice.status, twice.body.error.field]).toEqual([409, "name"]);
  }
  // The same name without a tenant is another.
  const ofNone = await made({ name });
  const lists = [`tenant=${TENANT}`, "tenant=-"].map(async (query) => {
    const { body } = await ask(
      "GET",
      `/v1/destinations?name=${encodeURIComponent(name)}&${query}`,
      {
        token,
      },
    );
    return body.items.map((item: { tenant: string | null }) => item.tenant);
  });
  expect(await Promise.all(lists)).toEqual([[TENANT], [ofNone.tenant]]);
});

it("lists destinations by kind, tenant, whether they are on, and what is in them", async () => {
  const own = await ownOrganization();
  const headers = { authorization: own.authorization };
  const make = async (body: object) =>
    (await ask("POST", "/v1/destinations", { headers, body: { url: HOOK, ...body } })).body.id;
  await ask("POST", "/v1/tenants", { headers, body: { id: TENANT, name: "Acme" } });
  const acme = await make({ tenant: TENANT, name: "Orders of Acme" });
  const off = await make({ tenant: TENANT, enabled: false });
  const none = await make({ url: "http://127.0.0.1:9/ORDERS" });
  const list = async (query: string) => {
    const { body } = await ask("GET", `/v1/destinations?${query}`, { headers });
    return body.items.map(({ id }: any) => id);
  };
  const sorted = (...ids: string[]) => ids.toSorted();
  expect(await list("kind=endpoint")).toEqual(sorted(acme, off, none));
  expect(await list("kind=webhook")).toEqual([]);
  expect(await list(`tenant=${TENANT}`)).toEqual(sorted(acme, off));
  expect(await list(`tenant=${TENANT}&enabled=true`)).toEqual([acme]);
  expect(await list("enabled=false")).toEqual([off]);
  expect(await list("text=orders")).toEqual(sorted(acme, none));
  expect(await list("text=%25")).toEqual([]);
  expect(await list("status=disabled&tenant=other")).toEqual([]);
});

/** A stream with an event for a destination, and the state that its notification comes to. */
async function sendTo(destinationId: string) {
  const stream = freshStream();
  await stream.commit(
    commit({ targets: [target({ destinationId, most: 1 })], events: [event("one")] }),
  );
  const state = async (kind: string) =>
    eventually(async () => {
      await runDurableObjectAlarm(stream);
      const [view] = await stream.notifications({ before: null, limit: 1, withEvents: false });
      return view?.notification.state.kind === kind && view.notification.state;
    });
  return { stream, state };
}

const address = () => `http://127.0.0.1:9/hook-${crypto.randomUUID()}`;

it("sends what waits for a destination to its new address", async () => {
  const [before, after] = [address(), address()];
  const received = receiver(
    ({ url }) => new Response("", { status: url === before ? 500 : 200 }),
    ({ url }) => url === before || url === after,
  );
  const one = await made({ url: before, retrySchedule: [0, 1, 1, 1, 1, 1, 1] });
  const { state } = await sendTo(one.id);
  await state("retrying");
  await ask("PATCH", at(one.id), { token, body: { url: after } });
  await state("delivered");
  expect(received.map(({ url }) => url).at(-1)).toBe(after);
  expect(received.filter(({ url }) => url === after)).toHaveLength(1);
});

it("delivers nothing to a destination that was deleted: what waits for it dies, and says so", async () => {
  const url = address();
  const received = receiver(
    () => new Response("", { status: 500 }),
    (one) => one.url === url,
  );
  const one = await made({ url, retrySchedule: [0, 3_600, 3_600] });
  const { state } = await sendTo(one.id);
  await state("retrying");
  // What failed is in the list that deletion goes by once it is settled.
  await eventually(async () => {
    const { body } = await ask("GET", `/v1/deliveries?destinationId=${one.id}`, { token });
    return body.items.length === 1;
  });
  const tries = received.length;
  await ask("DELETE", at(one.id), { token });
  expect(await state("dead")).toMatchObject({ reason: "destination-deleted" });
  const later = await sendTo(one.id);
  expect(await later.state("dead")).toMatchObject({ reason: "destination-deleted" });
  expect(received).toHaveLength(tries);
  const { body } = await ask("GET", `/v1/deliveries?destinationId=${one.id}`, { token });
  expect(body.items[0].because).toContain("Its destination was deleted");
});

it("says of a change that it changes nothing, secrets and all", async () => {
  const secrets = { url: `${HOOK}?token=abc`, headers: { "x-api-key": "abc" } };
  const signature = { header: "x-signature", encoding: "hex", secret: "abc" };
  const auth = { type: "basic", username: "a", password: "abc" };
  const { id } = await made({ ...secrets, signature, auth, filter: "true" });
  const unchanged = async (body: object) => {
    const { status, headers } = await ask("PATCH", at(id), { token, body });
    expect(status).toBe(200);
    return headers.get("x-tributary-unchanged") === "true";
  };
  for (const body of [{}, secrets, { signature }, { auth }, { filter: "true", channels: [] }])
    expect([body, await unchanged(body)]).toEqual([body, true]);
  for (const body of [
    { headers: { "x-api-key": "abd" } },
    { url: `${HOOK}?token=abd` },
    { signature: { ...signature, secret: "abd" } },
    { auth: { ...auth, password: "abd" } },
    { filter: null },
  ])
    expect([body, await unchanged(body)]).toEqual([body, false]);
});
