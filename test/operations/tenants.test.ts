import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetUsers } from "../../src/accounts/users/store";
import { ask } from "../accounts/ask";
import { eventually, receiver } from "../delivery/build";
import { call, callV1, createOrganizations, draft, MINE } from "../elements/build";
import { FIRST } from "../organization";
import { commit, event, target } from "../stream/build";

beforeAll(createOrganizations);
beforeEach(() => void receiver(() => new Response("ok")));
afterEach(() => vi.unstubAllGlobals());

const v1 = (method: string, path: string, body?: unknown, who = MINE) =>
  callV1(method, path, who, body);

async function tenant(traits: object = {}): Promise<string> {
  const id = `t-${crypto.randomUUID()}`;
  expect((await v1("POST", "/tenants", { id, ...traits })).status).toBe(201);
  return id;
}

const made = (tags: string[]) =>
  call(
    "POST",
    "/instances",
    draft({ "event.notification.callback.url": "http://127.0.0.1:9/tenants-hook" }, { tags }),
  );
async function instanceOf(id: string): Promise<number> {
  const { status, body } = await made(["x", `tenant:${id}`]);
  expect({ status, tags: body.tags }).toEqual({ status: 200, tags: ["x", `tenant:${id}`] });
  return body.id;
}
async function userOf(id: string) {
  const body = { username: crypto.randomUUID(), password: "a-good-password", tenant: id };
  const { token } = (await ask("POST", "/user", { token: FIRST.apiKey, body })).body;
  return { token, id: (await ask("GET", "/user", { token })).body.id };
}
const disable = (id: string, disabled = true) => v1("PATCH", `/tenants/${id}`, { disabled });
const tenantOf = async (id: number) => (await v1("GET", `/instances/${id}`)).body.tenant;

const heldOf = async (id: string): Promise<{ source: string }[]> =>
  (await v1("GET", `/deliveries?status=held&tenant=${id}`)).body.items;

/** A notification to an instance's callback, and the stream that keeps it. */
async function notify(id: number) {
  const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
  const targets = [target({ destinationId: `instance-${id}`, most: 1 })];
  await stream.commit(commit({ targets, events: [event(crypto.randomUUID())] }));
  const becomes = (kind: string) =>
    eventually(async () => {
      const [view] = await stream.notifications({ before: null, limit: 1, withEvents: false });
      return view?.notification.state.kind === kind ? view.id : undefined;
    });
  return { becomes };
}

describe("an instance", () => {
  it("is of the tenant that its tag names, until its tags name another one or none", async () => {
    const [first, second] = [await tenant(), await tenant()];
    const id = await instanceOf(first);
    const tagged = (tags: string[]) => call("PATCH", `/instances/${id}`, { tags });
    const seen = [await tenantOf(id)];
    for (const tags of [[`tenant:${second}`], ["x"], [`tenant:${first}`]]) {
      await tagged(tags);
      seen.push(await tenantOf(id));
    }
    await call("PATCH", `/instances/${id}`, { name: "Renamed" });
    expect([...seen, await tenantOf(id)]).toEqual([first, second, null, first, first]);
    expect((await tagged(["tenant:nobody"])).body.message).toContain("There is no tenant 'nobody'");
    expect(await tenantOf(id)).toBe(first);
  });

  it("is made in no tenant that there isn't, nor in two", async () => {
    const id = await tenant();
    const answers = [await made(["tenant:nobody"]), await made([`tenant:${id}`, "tenant:x"])];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  });
});

describe("a tenant that is disabled", () => {
  it("has its instances do nothing, and says so", async () => {
    const id = await tenant();
    const instance = await instanceOf(id);
    await disable(id);
    const poll = await v1("POST", `/instances/${instance}/poll`);
    const why = `The instance's tenant '${id}' is disabled`;
    expect([poll.status, poll.body.error.message]).toEqual([409, why]);
    const { attention, disabled } = (await v1("GET", `/instances/${instance}`)).body;
    expect(attention.map(({ code }: { code: string }) => code)).toContain("tenant-disabled");
    expect(disabled).toBe(false);
    await disable(id, false);
    const { status } = await v1("POST", `/instances/${instance}/poll?dryRun=true`);
    expect(status).toBe(200);
  });

  it("holds what is delivered to it, and lets it go when it is on again", async () => {
    const id = await tenant();
    const instance = await instanceOf(id);
    await disable(id);
    const { becomes } = await notify(instance);
    await becomes("held");
    await eventually(async () => (await heldOf(id)).length === 1);
    const { state } = (await v1("GET", `/destinations/instance-${instance}`)).body;
    expect(state.name).toBe("paused by tenant");
    await disable(id, false);
    await becomes("delivered");
  });

  it("has its users shut out", async () => {
    const id = await tenant();
    const { token } = await userOf(id);
    const status = async () => {
      forgetUsers();
      return (await ask("GET", "/user", { token })).status;
    };
    const seen = [await status()];
    for (const disabled of [true, false]) {
      await disable(id, disabled);
      seen.push(await status());
    }
    expect(seen).toEqual([200, 401, 200]);
  });
});

describe("an end user", () => {
  it("is put into a tenant by whoever runs the organization, not by open sign-up", async () => {
    const id = await tenant();
    const user = await userOf(id);
    const path = `/users/${user.id}`;
    const own = { username: crypto.randomUUID(), password: "a-good-password", tenant: id };
    expect((await ask("POST", "/user", { body: own })).status).toBe(400);
    const seen = [(await v1("GET", path)).body.tenant];
    for (const moved of [null, id])
      seen.push((await v1("PATCH", path, { tenant: moved })).body.tenant);
    expect(seen).toEqual([id, null, id]);
    const wrong = await v1("PATCH", path, { tenant: "nobody" });
    expect([wrong.status, wrong.body.error.field]).toEqual([400, "tenant"]);
    const { items } = (await v1("GET", `/users?tenant=${id}`)).body;
    expect(items.map((one: { id: string }) => one.id)).toEqual([user.id]);
  });
});

describe("what is counted and told by tenant", () => {
  it("is found in usage, stats, lists and the audit log by the tenant, and by its keys", async () => {
    const [id, other] = [await tenant(), await tenant()];
    const [mine, theirs] = [await instanceOf(id), await instanceOf(other)];
    await disable(other);
    await (await notify(theirs)).becomes("held");
    await (await notify(mine)).becomes("delivered");
    const scopes = ["read", "write", "admin", "secrets"];
    const limits = { tenants: [id] };
    const { key } = (await v1("POST", "/keys", { name: "k", scopes, limits })).body;
    const own = async (path: string) => (await v1("GET", path, undefined, `Bearer ${key}`)).body;
    const all = async (path: string) => (await v1("GET", path)).body;
    for (const bySource of [
      await all(`/usage?by=source&tenant=${id}`),
      await own("/usage?by=source"),
    ])
      expect(bySource.items.map((one: any) => one.key)).toEqual([`instance:${mine}`]);
    const byTenant = (await own("/usage?by=tenant")).items;
    expect(byTenant.map((one: any) => one.key)).toEqual([id]);
    const held = await eventually(async () => {
      const found = await heldOf(other);
      return found.length > 0 && found;
    });
    expect(held.map(({ source }) => source)).toEqual([`instance:${theirs}`]);
    for (const list of [await own("/deliveries"), await all(`/deliveries?tenant=${id}`)])
      expect(list.items).toEqual([]);
    expect((await own("/destinations")).items.map((one: any) => one.id)).toEqual([
      `instance-${mine}`,
    ]);
    expect((await own("/tenants")).items.map((one: any) => one.id)).toEqual([id]);
    for (const log of [await own("/audit"), await all(`/audit?tenant=${id}`)])
      expect(log.items.map((one: any) => [one.action, one.target, one.tenant])).toEqual([
        ["instance.create", String(mine), id],
        ["tenant.create", id, id],
      ]);
    const unknown = await v1("GET", `/usage?tenant=${other}`, undefined, `Bearer ${key}`);
    expect(unknown.status).toBe(404);
  });

  it("is out of a key's reach as soon as it belongs to another one", async () => {
    const [id, other] = [await tenant(), await tenant()];
    const instance = await instanceOf(id);
    const limits = { tenants: [id] };
    const { key } = (await v1("POST", "/keys", { name: "k", scopes: ["read"], limits })).body;
    const status = async () =>
      (await v1("GET", `/streams/instance:${instance}/events`, undefined, `Bearer ${key}`)).status;
    const seen = [await status()];
    await call("PATCH", `/instances/${instance}`, { tags: [`tenant:${other}`] });
    expect([...seen, await status()]).toEqual([200, 404]);
  });
});

describe("a tenant's deletion", () => {
  it("is refused while it has something, and takes all of it along where it is told to", async () => {
    const id = await tenant();
    const instance = await instanceOf(id);
    const user = await userOf(id);
    const refusal = await v1("DELETE", `/tenants/${id}`);
    expect([refusal.status, refusal.body.error.message]).toEqual([
      409,
      expect.stringContaining("instances (1), users (1)"),
    ]);
    expect((await v1("DELETE", `/tenants/${id}?cascade=true`)).status).toBe(202);
    forgetUsers();
    const gone = [
      (await v1("GET", `/tenants/${id}`)).status,
      (await v1("GET", `/instances/${instance}`)).status,
      (await v1("GET", `/destinations/instance-${instance}`)).status,
      (await ask("GET", "/user", { token: user.token })).status,
      (await v1("POST", "/tenants", { id })).status,
    ];
    expect(gone).toEqual([404, 404, 404, 404, 409]);
  });
});
