import { beforeEach, describe, expect, it } from "vitest";
import { type Client, countWrites, freshClient, logOf, V1 } from "./build";

let client: Client;
beforeEach(async () => {
  client = await freshClient();
});

const environment = (name: string, more: object = {}) =>
  client.make(`${V1}/environments`, { name, spec: {}, ...more });

describe("POST", () => {
  it("answers 201 with the whole envelope at version 0", async () => {
    const env = await environment("axway", { title: "Axway", attributes: { a: "b" }, tags: ["t"] });
    expect(env).toMatchObject({
      group: "management",
      apiVersion: "v1",
      kind: "Environment",
      name: "axway",
      title: "Axway",
      metadata: {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        audit: {
          createTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
        },
        resourceVersion: "0",
        references: [],
        selfLink: "/management/v1/environments/axway",
      },
      attributes: { a: "b" },
      tags: ["t"],
      finalizers: [],
      spec: {},
    });
    expect(env.metadata.scope).toBeUndefined();
    expect(env.metadata.state).toBeUndefined();
  });

  it("tells the scope of a scoped resource in the version of its path", async () => {
    const env = await environment("axway");
    const { body } = await client.call(
      "POST",
      "/apis/management/v1alpha1/environments/axway/apiservices",
      { name: "test", spec: {} },
    );
    expect(body.apiVersion).toBe("v1alpha1");
    expect(body.metadata.scope).toEqual({
      id: env.metadata.id,
      kind: "Environment",
      name: "axway",
      selfLink: "/management/v1alpha1/environments/axway",
    });
    const other = await client.call("GET", `${V1}/environments/axway/apiservices/test`);
    expect(other.body.metadata.selfLink).toBe("/management/v1/environments/axway/apiservices/test");
  });

  it("refuses a taken name with 409 and a missing scope with 404", async () => {
    await environment("one");
    const taken = await client.call("POST", `${V1}/environments`, { name: "one" });
    expect([taken.status, taken.body.errors[0].status, taken.body.errors[0].title]).toEqual([
      409,
      409,
      "Conflict error",
    ]);
    const lost = await client.call("POST", `${V1}/environments/none/apiservices`, { name: "s" });
    expect([lost.status, lost.body.errors[0]]).toEqual([
      404,
      expect.objectContaining({
        title: "Not found error",
        detail: "Resource none not found in group management",
      }),
    ]);
  });

  it("makes a name of the title, another when it is taken, and one of its own without a title", async () => {
    const first = await client.make(`${V1}/environments`, { title: "Webhook.site listener" });
    const second = await client.make(`${V1}/environments`, { title: "Webhook.site listener" });
    const third = await client.make(`${V1}/environments`, {});
    expect([first.name, second.name]).toEqual(["webhook-site-listener", "webhook-site-listener-2"]);
    expect(third.name).toMatch(/^[a-z]+-[a-z]+$/);
  });

  it("tells every violation with its dotted path", async () => {
    const { status, body } = await client.call("POST", `${V1}/environments?unknownFields=error`, {
      name: "Not valid",
      tags: [1],
      spec: { production: "yes", nonsense: 1 },
    });
    expect(status).toBe(400);
    const errors = body.errors.map((error: any) => [error.source?.parameter, error.title]);
    expect(errors).toEqual([
      ["name", "Validation error"],
      ["tags.0", "Validation error"],
      ["spec.production", "Validation error"],
      ["spec.nonsense", "Validation error"],
    ]);
    expect(body.errors[0]).toMatchObject({
      status: 400,
      detail: "Name is not valid.",
      meta: { regexp: expect.stringMatching(/^\^/), tenantId: String(client.organizationId) },
    });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["a list", "[]"],
    ["text", '"x"'],
    ["a bottomless pit", `{"x":${"[".repeat(50_000)}${"]".repeat(50_000)}}`],
    ["a deep spec", `{"spec":{"compliance":${"[".repeat(2_000)}${"]".repeat(2_000)}}}`],
    ["a spec that is a list", '{"spec":[]}'],
    ["a spec that is null", '{"spec":null,"tags":{}}'],
  ])("refuses %s with 400", async (_title, body) => {
    const { status, body: reply } = await client.call("POST", `${V1}/environments`, body);
    expect([status, reply.errors[0].title]).toEqual([400, "Validation error"]);
  });

  it("refuses what is too large with 413", async () => {
    const large = { spec: { description: "x".repeat(1_000_001) } };
    expect((await client.call("POST", `${V1}/environments`, large)).status).toBe(413);
    const path = `${V1}/environments/one`;
    await environment("one", { spec: { description: "x".repeat(600_000) } });
    const more = await client.call("PUT", `${path}/x-more`, { "x-more": "x".repeat(600_000) });
    expect(more.status).toBe(413);
    const quotes = '"'.repeat(400_000);
    expect((await client.call("PUT", path, { spec: { description: quotes } })).status).toBe(200);
  });

  it("does not store subresource keys", async () => {
    await environment("one", { "x-lint": { a: 1 }, policies: { b: 1 } });
    const { body } = await client.call("GET", `${V1}/environments/one`);
    expect(body["x-lint"]).toBeUndefined();
    expect(body.policies).toBeUndefined();
  });
});

describe("PUT", () => {
  it("replaces title, attributes, tags and spec, and keeps absent finalizers and owner", async () => {
    await environment("one", {
      attributes: { a: "b" },
      tags: ["t"],
      finalizers: [{ name: "f" }],
      owner: { type: "team", id: "t1" },
      spec: { description: "d" },
    });
    const { body } = await client.call("PUT", `${V1}/environments/one`, { title: "New" });
    expect(body).toMatchObject({
      title: "New",
      attributes: {},
      tags: [],
      spec: {},
      finalizers: [{ name: "f" }],
      owner: { id: "t1" },
      metadata: { resourceVersion: "1" },
    });
    const cleared = await client.call("PUT", `${V1}/environments/one`, {
      finalizers: null,
      owner: null,
    });
    expect(cleared.body.finalizers).toEqual([]);
    expect(cleared.body.owner).toBeUndefined();
  });

  it("counts and tells a PUT that changes nothing, unless it is asked not to", async () => {
    await environment("one", { tags: ["t"] });
    const path = `${V1}/environments/one`;
    const same = { tags: ["t"], spec: {} };
    expect((await client.call("PUT", path, same)).body.metadata.resourceVersion).toBe("1");
    const headers = { "x-tributary-if-changed": "true" };
    const quiet = await client.call("PUT", path, same, headers);
    expect(quiet.body.metadata.resourceVersion).toBe("1");
    expect(quiet.headers.get("x-tributary-unchanged")).toBe("true");
    await client.make(`${path}/secrets`, { name: "s", spec: { data: { a: "b" } } });
    const secret = (data: object) =>
      client.call("PUT", `${path}/secrets/s`, { spec: { data } }, headers);
    expect((await secret({ a: "b" })).body.metadata.resourceVersion).toBe("0");
    expect((await secret({ a: "********" })).body.metadata.resourceVersion).toBe("0");
    expect((await secret({ a: "c" })).body.metadata.resourceVersion).toBe("1");
    expect(await logOf(client)).toHaveLength(4);
  });

  it("answers 428 to a version that is no longer the last, and 400 to another name", async () => {
    await environment("one");
    await client.call("PUT", `${V1}/environments/one`, {});
    const stale = await client.call("PUT", `${V1}/environments/one`, {
      metadata: { resourceVersion: "0" },
    });
    expect([stale.status, stale.body.errors[0].title]).toEqual([428, "Precondition required"]);
    const empty = await client.call("PUT", `${V1}/environments/one`, {
      metadata: { resourceVersion: "" },
    });
    expect(empty.status).toBe(200);
    const renamed = await client.call("PUT", `${V1}/environments/one`, { name: "two" });
    expect(renamed.status).toBe(400);
    const lost = await client.call("PUT", `${V1}/environments/two`, {});
    expect([lost.status, lost.body.errors[0].status]).toEqual([404, 404]);
  });

  it("lets one of fifty writers with the same version win, and every one without a version", async () => {
    await environment("one");
    const round = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        client.call("PUT", `${V1}/environments/one`, {
          title: `t${index}`,
          metadata: { resourceVersion: "0" },
        }),
      ),
    );
    const statuses = round.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 428)]);
    const free = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        client.call("PUT", `${V1}/environments/one`, { title: `f${index}` }),
      ),
    );
    expect(free.every(({ status }) => status === 200)).toBe(true);
    const { body } = await client.call("GET", `${V1}/environments/one`);
    expect(body.metadata.resourceVersion).toBe("51");
    expect(await logOf(client)).toHaveLength(52);
  });
});

describe("subresources", () => {
  it("are replaced, shown, read and removed on their own", async () => {
    await environment("one");
    const item = `${V1}/environments/one`;
    const put = await client.call("PUT", `${item}/x-lint?fields=x-lint`, {
      "x-lint": { score: 3 },
    });
    expect([put.status, put.body]).toEqual([200, { "x-lint": { score: 3 } }]);
    const whole = await client.call("PUT", `${item}/policies`, { policies: [1] });
    expect(whole.body).toMatchObject({
      name: "one",
      "x-lint": { score: 3 },
      policies: [1],
      metadata: { resourceVersion: "2" },
    });
    expect((await client.call("GET", `${item}/x-lint`)).body).toEqual({ "x-lint": { score: 3 } });
    await client.call("PUT", `${item}/x-lint`, { "x-lint": null });
    expect((await client.call("GET", `${item}/x-lint`)).status).toBe(404);
    expect((await client.call("PUT", `${item}/nonsense`, { nonsense: 1 })).status).toBe(404);
    for (const resourceVersion of ["2", 2]) {
      const stale = await client.call("PUT", `${item}/x-lint`, {
        "x-lint": 1,
        metadata: { resourceVersion },
      });
      expect(stale.status).toBe(428);
    }
    const types = (await logOf(client)).map(({ type, metadata }) => [type, metadata?.subresource]);
    expect(types).toEqual([
      ["ResourceCreated", undefined],
      ["SubResourceUpdated", "x-lint"],
      ["SubResourceUpdated", "policies"],
      ["SubResourceUpdated", "x-lint"],
    ]);
  });

  it("are checked where they are declared", async () => {
    await client.make("/apis/catalog/v1/assets", { name: "a", spec: { type: "API" } });
    const state = (value: unknown) =>
      client.call("PUT", "/apis/catalog/v1/assets/a/state", { state: value });
    expect((await state("active")).status).toBe(200);
    expect((await state("sleepy")).body.errors[0].source.parameter).toBe("state");
    const found = await client.call("GET", "/apis/catalog/v1/assets?query=state==active");
    expect(found.body).toHaveLength(1);
  });
});

describe("PATCH", () => {
  const patch = (path: string, operations: unknown, headers: Record<string, string> = {}) =>
    client.call("PATCH", path, operations, {
      "content-type": "application/json-patch+json",
      ...headers,
    });

  it("builds missing objects, adds, replaces and removes", async () => {
    await environment("one", { attributes: { a: "b", c: "d" } });
    const { status, body } = await patch(`${V1}/environments/one`, [
      { op: "x-build-object-tree", path: "/x-agent/deep" },
      { op: "add", path: "/x-agent/deep/value", value: 1 },
      { op: "replace", path: "/attributes/a", value: "z" },
      { op: "remove", path: "/attributes/c" },
      { op: "add", path: "/tags/-", value: "new" },
    ]);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      attributes: { a: "z" },
      tags: ["new"],
      "x-agent": { deep: { value: 1 } },
    });
    expect(body.attributes.c).toBeUndefined();
    expect((await logOf(client)).map(({ type }) => type)).toEqual([
      "ResourceCreated",
      "ResourceUpdated",
      "SubResourceUpdated",
    ]);
  });

  it("patches a subresource through its own path", async () => {
    await environment("one");
    const { body } = await patch(`${V1}/environments/one/x-agent?fields=x-agent`, [
      { op: "x-build-object-tree", path: "/x-agent" },
      { op: "add", path: "/x-agent/a", value: 1 },
    ]);
    expect(body).toEqual({ "x-agent": { a: 1 } });
  });

  it("refuses other operations, other types, and a version that is not the last", async () => {
    await environment("one");
    const item = `${V1}/environments/one`;
    expect((await patch(item, [{ op: "move", path: "/a", from: "/b" }])).status).toBe(400);
    expect((await patch(item, [{ op: "remove", path: "/attributes/x" }])).status).toBe(400);
    expect((await client.call("PATCH", item, [])).status).toBe(415);
    expect((await patch(item, [], { "if-match": '"7"' })).status).toBe(428);
    expect((await patch(item, [], { "if-match": '"0"' })).status).toBe(200);
  });
});

describe("DELETE", () => {
  it("answers 204 without a body or a content type", async () => {
    await environment("one");
    const reply = await client.call("DELETE", `${V1}/environments/one`);
    expect([reply.status, reply.text, reply.headers.get("content-type")]).toEqual([204, "", null]);
    expect((await client.call("GET", `${V1}/environments/one`)).status).toBe(404);
  });

  it("takes a scope's contents along, children first, with one correlation id", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    await client.make(`${scope}/apiservices`, { name: "svc" });
    await client.make(`${scope}/apiservicerevisions`, { name: "rev", spec: { apiService: "svc" } });
    await client.make(`${scope}/apiserviceinstances`, {
      name: "inst",
      spec: { apiServiceRevision: "rev" },
    });
    expect((await client.call("DELETE", scope)).status).toBe(204);
    const deletions = (await logOf(client)).slice(4);
    expect(deletions.map(({ type, payload }) => [type, payload.kind])).toEqual([
      ["ResourceDeleted", "APIServiceInstance"],
      ["ResourceDeleted", "APIServiceRevision"],
      ["ResourceDeleted", "APIService"],
      ["ResourceDeleted", "Environment"],
    ]);
    expect(new Set(deletions.map(({ correlationId }) => correlationId)).size).toBe(1);
  });

  it("takes hard dependents along and leaves the rest", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    await client.make(`${scope}/apiservices`, { name: "svc" });
    await client.make(`${scope}/apiservices`, { name: "other" });
    await client.make(`${scope}/apiservicerevisions`, { name: "rev", spec: { apiService: "svc" } });
    await client.make(`${scope}/apiserviceinstances`, {
      name: "inst",
      spec: { apiServiceRevision: "rev" },
    });
    await client.call("DELETE", `${scope}/apiservices/svc`);
    expect((await client.call("GET", `${scope}/apiserviceinstances`)).body).toEqual([]);
    expect((await client.call("GET", `${scope}/apiservices`)).body).toHaveLength(1);
  });

  it("waits for finalizers, and goes with the write that removes the last one", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    await client.make(`${scope}/apiservices`, { name: "svc", finalizers: [{ name: "f" }] });
    await client.make(`${scope}/apiservices`, { name: "free" });
    const held = await client.call("DELETE", scope);
    expect([held.status, held.body.metadata.state]).toEqual([202, "DELETING"]);
    expect(held.body.metadata.warnings.map(({ detail }: any) => detail).join()).toContain("'f'");
    expect((await client.call("GET", `${scope}/apiservices`)).body).toHaveLength(1);
    const inside = await client.call("POST", `${scope}/apiservices`, { name: "new" });
    expect(inside.status).toBe(409);
    const more = await client.call("PUT", `${scope}/apiservices/svc`, {
      finalizers: [{ name: "f" }, { name: "g" }],
    });
    expect(more.status).toBe(400);
    const last = await client.call("PUT", `${scope}/apiservices/svc`, { finalizers: [] });
    expect(last.status).toBe(200);
    expect((await client.call("GET", scope)).status).toBe(404);
    expect((await logOf(client)).map(({ type, payload }) => `${type} ${payload.name}`)).toEqual([
      "ResourceCreated one",
      "ResourceCreated svc",
      "ResourceCreated free",
      "ResourceDeleted free",
      "ResourceUpdated svc",
      "ResourceUpdated one",
      "ResourceDeleted svc",
      "ResourceDeleted one",
    ]);
  });

  it("lets go in one write of all that waited for the last finalizer", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    await client.make(`${scope}/apiservices`, { name: "svc" });
    await client.make(`${scope}/apiservicerevisions`, { name: "rev", spec: { apiService: "svc" } });
    await client.make(`${scope}/apiserviceinstances`, {
      name: "inst",
      finalizers: [{ name: "f" }],
      spec: { apiServiceRevision: "rev" },
    });
    expect((await client.call("DELETE", scope)).status).toBe(202);
    const { length } = await logOf(client);
    const writes = await countWrites(() =>
      client.call("PUT", `${scope}/apiserviceinstances/inst`, { finalizers: [] }),
    );
    expect(writes).toBe(1);
    const told = (await logOf(client)).slice(length);
    expect(told.map(({ type, payload }) => `${type} ${payload.name}`)).toEqual([
      "ResourceDeleted inst",
      "ResourceDeleted rev",
      "ResourceDeleted svc",
      "ResourceDeleted one",
    ]);
    expect(new Set(told.map(({ correlationId }) => correlationId)).size).toBe(1);
  });

  it("lets a scope go with the last of those that are freed at the same moment", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    const names = Array.from({ length: 8 }, (_, index) => `s${index}`);
    for (const name of names)
      await client.make(`${scope}/apiservices`, { name, finalizers: [{ name: "f" }] });
    expect((await client.call("DELETE", scope)).status).toBe(202);
    const freed = await Promise.all(
      names.map((name) => client.call("PUT", `${scope}/apiservices/${name}`, { finalizers: [] })),
    );
    expect(freed.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect((await client.call("GET", scope)).status).toBe(404);
  });

  it("leaves nobody behind who named what goes at the same moment", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    for (let round = 0; round < 10; round += 1) {
      await client.make(`${scope}/apiservices`, { name: "svc" });
      const [made] = await Promise.all([
        client.call("POST", `${scope}/apiservicerevisions`, { spec: { apiService: "svc" } }),
        client.call("DELETE", `${scope}/apiservices/svc`),
      ]);
      expect([201, 400]).toContain(made.status);
      expect((await client.call("GET", `${scope}/apiservicerevisions`)).body).toEqual([]);
    }
  });

  it("ignores finalizers everywhere when forced", async () => {
    await environment("one", { finalizers: [{ name: "f" }] });
    const scope = `${V1}/environments/one`;
    await client.make(`${scope}/apiservices`, { name: "svc", finalizers: [{ name: "f" }] });
    expect((await client.call("DELETE", `${scope}?forceDelete=true`)).status).toBe(204);
    expect((await client.call("GET", `${V1}/apiservices`)).body).toEqual([]);
  });

  it("empties soft references and remembers them", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    await client.make(`${scope}/secrets`, { name: "s", spec: { data: { key: "value" } } });
    const webhook = await client.make(`${scope}/webhooks`, {
      name: "w",
      spec: { url: "https://example.com", auth: { secret: { name: "s", key: "key" } } },
    });
    expect(webhook.metadata.references).toMatchObject([
      { kind: "Secret", name: "s", type: "soft" },
    ]);
    await client.call("DELETE", `${scope}/secrets/s`);
    const { body } = await client.call("GET", `${scope}/webhooks/w`);
    expect(body.spec.auth.secret.name).toBe("");
    expect(body.metadata).toMatchObject({
      references: [],
      deletedReferences: [{ kind: "Secret", name: "s" }],
      resourceVersion: "1",
    });
  });
});

describe("references", () => {
  it("refuses a missing hard target and warns of a missing soft one", async () => {
    await environment("one");
    const scope = `${V1}/environments/one`;
    const hard = await client.call("POST", `${scope}/apiservicerevisions`, {
      name: "rev",
      spec: { apiService: "none" },
    });
    expect([hard.status, hard.body.errors[0].source.parameter]).toEqual([400, "spec.apiService"]);
    const soft = await client.make(`${scope}/webhooks`, {
      name: "w",
      spec: { url: "https://example.com", auth: { secret: { name: "later", key: "k" } } },
    });
    expect(soft.metadata.warnings).toHaveLength(1);
    await client.make(`${scope}/secrets`, { name: "later", spec: { data: { k: "v" } } });
    const { body } = await client.call("GET", `${scope}/webhooks/w`);
    expect(body.metadata.references).toMatchObject([{ name: "later" }]);
  });
});

describe("secrets", () => {
  it("show a mask, keep what is stored when the mask is written, and lie sealed", async () => {
    await environment("one");
    const path = `${V1}/environments/one/secrets`;
    const made = await client.make(path, { name: "s", spec: { data: { key: "open sesame" } } });
    expect(made.spec.data).toEqual({ key: "********" });
    const again = await client.call("PUT", `${path}/s`, made);
    expect(again.body.spec.data).toEqual({ key: "********" });
    const masked = await client.call("PUT", `${path}/s`, { spec: { data: { other: "********" } } });
    expect(masked.body.errors[0].source.parameter).toBe("spec.data.other");
    expect(JSON.stringify(await logOf(client))).not.toContain("open sesame");
  });
});

describe("paths and methods", () => {
  it("answers 404 to unknown paths and 405 to verbs a path does not take", async () => {
    await environment("one");
    const statuses = await Promise.all(
      [
        ["GET", "/apis/management/v2/environments"],
        ["GET", "/apis/nonsense/v1/environments"],
        ["GET", `${V1}/environments/one/assets/x/y/z`],
        ["GET", `${V1}/apiservices/name`],
        ["POST", `${V1}/apiservices`],
        ["DELETE", `${V1}/environments`],
        ["POST", `${V1}/environments/one`],
        ["PUT", `${V1}/environments`],
      ].map(
        async ([method = "", path = ""]) => (await client.call(method, path, undefined)).status,
      ),
    );
    expect(statuses).toEqual([404, 404, 404, 404, 405, 405, 405, 405]);
  });

  it("asks for a key, for the key's own tenant, and takes Basic too", async () => {
    const path = `${V1}/environments`;
    const as = (authorization: string, more: Record<string, string> = {}) =>
      client.call("GET", path, undefined, { authorization, ...more });
    expect((await as("Bearer wrong")).status).toBe(401);
    expect((await as("")).body.errors[0].title).toBe("Authentication error");
    const key = `key-of-organization-${client.organizationId}`;
    expect((await as(`Basic ${btoa(`name:${key}`)}`)).status).toBe(200);
    expect((await as(`Bearer ${key}`, { "x-axway-tenant-id": "1" })).status).toBe(403);
    const own = { "x-axway-tenant-id": String(client.organizationId) };
    expect((await as(`Bearer ${key}`, own)).status).toBe(200);
  });

  it("shows nothing of another organization", async () => {
    await environment("mine");
    const other = await freshClient();
    expect((await other.call("GET", `${V1}/environments/mine`)).status).toBe(404);
    expect((await other.call("GET", `${V1}/environments`)).body).toEqual([]);
    expect((await other.call("DELETE", `${V1}/environments/mine`)).status).toBe(404);
  });
});
