import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app";
import { openOrganizations } from "../../src/accounts/open.store";
import { consumeDeliveries } from "../../src/delivery/deliveries.consumer";
import { tickErasure } from "../../src/operations/erasure/tick.io";
import { ask, newUser } from "../accounts/ask";
import { createAccounts, openBrowser } from "../console/build";
import { receiver } from "../delivery/build";
import { call, callV1, draft, THEIRS } from "../elements/build";
import { step, trigger } from "../flows/build";
import { FIRST, ownOrganization } from "../organization";
import { commit, event, target } from "../stream/build";

/** Organizations and end users as a whole: made, switched off, deleted. */

const OPERATOR = `Bearer ${env.BOOTSTRAP_KEY}`;
const EVENTS = "/plugins/appmixer/utils/appevents/events";
const MINUTE_MS = 60_000;

beforeAll(createAccounts);
afterEach(() => vi.unstubAllGlobals());

const doors = {
  db: env.DB,
  streams: env.EVENT_STREAMS,
  endpoints: env.ENDPOINTS,
  budgets: env.VENDOR_BUDGETS,
};
/** The job, as long after it was asked for as everything takes. */
const finish = () => tickErasure(Date.now() + 16 * MINUTE_MS, doors);

const fresh = () => `${crypto.randomUUID()}@owners.example`;

async function make(body: object = {}, authorization = OPERATOR) {
  const draftOf = { name: "Made", email: fresh(), ...body };
  return callV1("POST", "/organizations", authorization, draftOf);
}

/** How many rows an object has, over all of its tables, and whether its alarm is set. */
const contentOf = <T extends Rpc.DurableObjectBranded>(stub: DurableObjectStub<T>) =>
  runInDurableObject(stub, async (_, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray();
    const counts = tables.map(
      ({ name }) => storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM "${name}"`).one().n,
    );
    return { rows: counts.reduce((sum, n) => sum + n, 0), alarm: await storage.getAlarm() };
  });

describe("an organization", () => {
  it("is made by the operator, with an owner who joins by a one-time link, and credentials told once", async () => {
    const { status, body } = await make({ name: "Acme" });
    expect(status).toBe(201);
    const browser = openBrowser();
    await browser.post(new URL(body.invitation).pathname, { password: "password-of-an-owner" });
    expect((await browser.get("/console")).html).toContain("Acme");
    const secrets = `User ${body.userSecret}, Organization ${body.organizationSecret}`;
    expect((await call("POST", "/instances", draft(), secrets)).status).toBe(200);
    const key = `Bearer ${body.apiKey}`;
    expect((await callV1("GET", "/members", key)).body.items).toMatchObject([
      { role: "owner", state: "active" },
    ]);
    expect((await callV1("GET", "/audit", key)).body.items.at(-1)).toMatchObject({
      actor: "operator",
      action: "organization.create",
      target: body.id,
    });
    expect((await callV1("GET", `/organizations/${body.id}`, OPERATOR)).body).toMatchObject({
      id: body.id,
      name: "Acme",
      state: "active",
      deletingSince: null,
    });
  });

  it("has an owner who joined at once, where a password is given", async () => {
    const email = fresh();
    const { body } = await make({ email, password: "password-of-an-owner" });
    expect(body).not.toHaveProperty("invitation");
    const signIn = { email, password: "password-of-an-owner" };
    expect((await openBrowser().post("/console/sign-in", signIn)).status).toBe(303);
    const again = await make({ email, password: "another-password-of-theirs" });
    expect(again).toMatchObject({ status: 409, body: { error: { field: "password" } } });
    const { status, body: invited } = await make({ email });
    expect({ status, owner: invited.owner }).toEqual({ status: 201, owner: body.owner });
  });

  it.each([
    [{ name: "" }, "name"],
    [{ email: "no address" }, "email"],
    [{ password: "short" }, "password"],
  ])("with %j is refused", async (body, field) => {
    expect(await make(body)).toMatchObject({ status: 400, body: { error: { field } } });
  });

  it("is made by owners only where the operator allows it", async () => {
    const send = (authorization: string, ORGANIZATIONS: string) =>
      app.request(
        "/v1/organizations",
        {
          method: "POST",
          headers: { authorization },
          body: JSON.stringify({ name: "Of an owner", email: fresh() }),
        },
        { ...env, ORGANIZATIONS },
        { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} },
      );
    expect((await send(`Bearer ${FIRST.apiKey}`, "operator")).status).toBe(403);
    expect((await send(`Bearer ${FIRST.apiKey}`, "owners")).status).toBe(201);
    expect((await send(OPERATOR, "operator")).status).toBe(201);
    expect((await send("Bearer nonsense", "owners")).status).toBe(401);
  });

  it("changes hands in one step", async () => {
    const { body } = await make({ password: "password-of-an-owner" });
    const key = `Bearer ${body.apiKey}`;
    const from = body.owner.id;
    const invited = (await callV1("POST", "/members", key, { email: fresh(), role: "viewer" }))
      .body;
    const give = (to: string, giver = from) =>
      callV1("POST", "/organization/transfer", key, { from: giver, to });
    expect((await give(invited.id)).body.error).toMatchObject({ code: "conflict", field: "to" });
    await openBrowser().post(new URL(invited.invitation).pathname, {
      password: "password of heirs",
    });
    expect((await give(from)).status).toBe(409);
    expect((await give("1")).status).toBe(409);
    expect((await give(invited.id)).status).toBe(200);
    expect((await give(invited.id)).body.error).toMatchObject({ code: "conflict", field: "from" });
    expect((await callV1("GET", "/members", key)).body.items).toMatchObject([
      { id: from, role: "editor" },
      { id: invited.id, role: "owner" },
    ]);
  });
});

/** An organization with something behind every door. */
async function furnished() {
  const { body } = await make({ password: "password-of-an-owner" });
  const key = `Bearer ${body.apiKey}`;
  const secrets = `User ${body.userSecret}, Organization ${body.organizationSecret}`;
  const { id } = (await call("POST", "/instances", draft(), secrets)).body;
  const browser = openBrowser();
  const { email } = body.owner;
  await browser.post("/console/sign-in", { email, password: "password-of-an-owner" });
  const user = { username: fresh(), password: "password-of-a-user" };
  const { token } = (await ask("POST", "/user", { token: body.apiKey, body: user })).body;
  const type = "appmixer.utils.http.Webhook";
  const flow = { name: "F", flow: { T: { type, source: {} }, P: step() } };
  const { flowId } = (await ask("POST", "/flows", { token, body: flow })).body;
  await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
  await ask("POST", "/apis/management/v1alpha1/environments", {
    token: body.apiKey,
    body: { name: `e-${crypto.randomUUID()}` },
  });
  const stream = env.EVENT_STREAMS.getByName(`${body.id}/instance:${id}`);
  const targets = [target({ destinationId: `instance-${id}`, most: 1 })];
  await stream.commit(commit({ targets, events: [event(crypto.randomUUID())] }));
  return { ...body, key, secrets, instance: id, browser, user, token, flowId, stream };
}

describe("the deletion of an organization", () => {
  it("closes every door at once, says since when, and leaves nothing, in D1 and objects", async () => {
    receiver(() => new Response("down", { status: 500 }));
    const made = await furnished();
    const endpoint = env.ENDPOINTS.getByName(`${made.id}/https://app.example/hook`);
    const failures = Array.from({ length: 10 }, () => ({ status: 500 }));
    await endpoint.report({ results: failures, ended: 0, unreported: 0 });
    expect((await contentOf(endpoint)).rows).toBeGreaterThan(0);
    expect((await contentOf(made.stream)).rows).toBeGreaterThan(0);
    const asked = await callV1("DELETE", `/organizations/${made.id}`, made.key);
    expect(asked).toMatchObject({ status: 202, body: { state: "deleting" } });
    const since = asked.body.deletingSince;
    const told = await callV1("DELETE", `/organizations/${made.id}`, OPERATOR);
    expect(told.body).toMatchObject({ state: "deleting", deletingSince: since });

    const closed = {
      key: (await callV1("GET", "/usage", made.key)).status,
      secrets: (await call("GET", "/instances", undefined, made.secrets)).status,
      session: (await made.browser.get("/console")).status,
      signIn: (
        await openBrowser().post("/console/sign-in", {
          email: made.owner.email,
          password: "password-of-an-owner",
        })
      ).status,
      token: (await ask("GET", "/flows", { token: made.token })).status,
      userSignIn: (await ask("POST", "/user/auth", { body: made.user })).status,
      signUp: (await ask("POST", "/user", { token: made.apiKey, body: made.user })).status,
      resources: (
        await ask("GET", "/apis/management/v1alpha1/environments", { token: made.apiKey })
      ).status,
      webhook: (await ask("POST", `/flows/${made.flowId}/components/T`, { body: {} })).status,
      inbound: (
        await ask("POST", `/elements/api-v2/events/sandbox/${btoa(String(made.instance))}`, {
          body: {},
        })
      ).status,
    };
    expect(closed).toEqual({
      key: 401,
      secrets: 401,
      session: 303,
      signIn: 401,
      token: 401,
      userSignIn: 403,
      signUp: 401,
      resources: 401,
      webhook: 404,
      inbound: 404,
    });

    await tickErasure(Date.now(), doors);
    expect((await callV1("GET", `/organizations/${made.id}`, OPERATOR)).body.state).toBe(
      "deleting",
    );
    // What was under way meanwhile is found when everything is looked through again.
    await made.stream.commit(commit({ events: [event(crypto.randomUUID())] }));
    await finish();
    expect((await callV1("GET", `/organizations/${made.id}`, OPERATOR)).status).toBe(404);
    for (const stub of [made.stream, env.EVENT_STREAMS.getByName(`${made.id}/scope:-`)])
      expect(await contentOf(stub)).toEqual({ rows: 0, alarm: null });
    expect(await contentOf(endpoint)).toEqual({ rows: 0, alarm: null });
  });

  it("makes nothing of what is left on the queues", async () => {
    const made = await furnished();
    await callV1("DELETE", `/organizations/${made.id}`, made.key);
    await finish();
    const sent = receiver(() => new Response("ok"));
    const body = {
      stream: `${made.id}/instance:${made.instance}`,
      bundle: 1,
      leaseUntil: Date.now() + MINUTE_MS,
      items: [],
    };
    const acked: string[] = [];
    const message = {
      id: "m",
      body,
      attempts: 1,
      timestamp: new Date(),
      ack: () => acked.push("m"),
      retry: () => acked.push("retry"),
    };
    const batch = { queue: "tributary-deliveries", messages: [message] };
    await consumeDeliveries(batch as never, { ...doors } as never, () => undefined);
    expect(sent).toEqual([]);
    expect(acked).not.toContain("retry");
    expect(await openOrganizations(env.DB, [Number(made.id)], Date.now())).toEqual(new Set());
    expect((await contentOf(made.stream)).rows).toBe(0);
  });

  it("is the operator's and its own owners' to ask for", async () => {
    const own = await ownOrganization();
    expect((await callV1("DELETE", `/organizations/${own.id}`, THEIRS)).status).toBe(404);
    expect((await callV1("GET", `/organizations/${own.id}`, THEIRS)).status).toBe(404);
    expect((await callV1("DELETE", "/organizations/nonsense", OPERATOR)).status).toBe(404);
    expect((await callV1("DELETE", "/organizations/999999999", OPERATOR)).status).toBe(404);
    const { items } = (await callV1("GET", "/organizations", own.authorization)).body;
    expect(items).toMatchObject([{ id: String(own.id), state: "active" }]);
    const all = (await callV1("GET", "/organizations?limit=1", OPERATOR)).body;
    expect(all.items).toHaveLength(1);
    expect(all.next).not.toBeNull();
  });
});

describe("an end user", () => {
  const idOf = async (token: string) => (await ask("GET", "/user", { token })).body.id;

  async function running() {
    const user = await newUser();
    const name = crypto.randomUUID();
    const { token } = user;
    const type = "appmixer.utils.http.Webhook";
    const descriptor = { T: trigger(name), W: { type, source: {} }, P: step() };
    const { flowId } = (
      await ask("POST", "/flows", { token, body: { name: "F", flow: descriptor } })
    ).body;
    await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
    return { ...user, id: await idOf(token), name, flowId };
  }

  it("who is switched off can't sign in, has no token, and nothing of theirs runs until switched on", async () => {
    const { id, email, password, token, flowId, name } = await running();
    expect(
      (await callV1("PATCH", `/users/${id}`, undefined, { isActive: false })).body,
    ).toMatchObject({ id, state: "disabled", isActive: false });
    const signIn = () => ask("POST", "/user/auth", { body: { email, password } });
    expect((await signIn()).status).toBe(403);
    expect((await ask("GET", "/flows", { token })).status).toBe(401);
    expect((await ask("POST", `${EVENTS}/${name}`, { token, body: {} })).status).toBe(401);
    expect((await ask("POST", `/flows/${flowId}/components/W`, { body: {} })).status).toBe(404);
    await callV1("PATCH", `/users/${id}`, undefined, { isActive: true, plan: "gold" });
    expect((await ask("GET", "/flows", { token })).status).toBe(401);
    expect((await signIn()).body.user).toMatchObject({ isActive: true, plan: "gold" });
    expect((await ask("POST", `/flows/${flowId}/components/W`, { body: {} })).status).toBe(202);
  });

  it("is deleted with flows, tokens and streams", async () => {
    const { id, email, password, token, flowId, name } = await running();
    receiver(() => new Response("ok"));
    await ask("POST", `${EVENTS}/${name}`, { token, body: {} });
    const asked = await callV1("DELETE", `/users/${id}`);
    expect(asked).toMatchObject({ status: 202, body: { id, state: "deleting" } });
    expect((await ask("POST", "/user/auth", { body: { email, password } })).status).toBe(403);
    expect((await ask("GET", "/user", { token })).status).toBe(404);
    expect((await callV1("PATCH", `/users/${id}`, undefined, { isActive: true })).status).toBe(404);
    await finish();
    expect((await callV1("GET", `/users/${id}`)).status).toBe(404);
    const count = (table: string, column: string, value: unknown) =>
      env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`)
        .bind(value)
        .first("n");
    expect(await count("flows", "id", flowId)).toBe(0);
    expect(await count("destinations", "owner_id", flowId)).toBe(0);
    expect(await contentOf(env.EVENT_STREAMS.getByName(`1/user:${id}`))).toEqual({
      rows: 0,
      alarm: null,
    });
    // The name is free again.
    const body = { username: email, email, password };
    expect((await ask("POST", "/user", { body })).status).toBe(200);
  });

  it("in whose name the keys act stays, and so do others' users", async () => {
    for (const method of ["DELETE", "PATCH"]) {
      const body = method === "PATCH" ? { isActive: false } : undefined;
      expect((await callV1(method, "/users/1", undefined, body)).status).toBe(409);
      expect((await callV1(method, "/users/1", THEIRS, body)).status).toBe(404);
    }
    expect((await callV1("GET", "/users?limit=1")).body.items).toMatchObject([{ id: "1" }]);
    const bad = await callV1("PATCH", "/users/1", undefined, { isActive: "no", email: "x" });
    expect(bad.status).toBe(400);
  });
});
