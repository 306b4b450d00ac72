import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { findTenant } from "../../src/accounts/tenants/known.store";
import { callV1, createOrganizations, MINE, THEIRS } from "../elements/build";
import { ownOrganization } from "../organization";

beforeAll(createOrganizations);

const name = () => `t-${crypto.randomUUID()}`;
async function make(draft: object = {}, authorization = MINE): Promise<string> {
  const { status, body } = await callV1("POST", "/tenants", authorization, {
    id: name(),
    ...draft,
  });
  expect(status).toBe(201);
  return body.id;
}
const at = (id: string) => `/tenants/${id}`;

describe("a tenant", () => {
  it("has the id that its organization gives it, and what else it says or leaves out", async () => {
    const id = name();
    const given = { name: "Acme", metadata: { plan: "pro" }, rate: 2.5, retentionDays: 3 };
    const { status, body } = await callV1("POST", "/tenants", MINE, { id, ...given });
    expect({ status, body }).toEqual({
      status: 201,
      body: { id, ...given, disabled: false, createdAt: expect.stringMatching(/Z$/) },
    });
    expect((await callV1("GET", at(id))).body).toEqual(body);
    const plain = await callV1("GET", at(await make({ id: `${id}.2` })));
    const none = { name: `${id}.2`, metadata: {}, rate: null, retentionDays: null };
    expect(plain.body).toMatchObject(none);
  });

  it.each([
    [{}, "id"],
    [{ id: "" }, "id"],
    [{ id: "-" }, "id"],
    [{ id: ".." }, "id"],
    [{ id: "a b" }, "id"],
    [{ id: "x".repeat(65) }, "id"],
    [{ id: "x", name: " " }, "name"],
    [{ id: "x", rate: 0 }, "rate"],
    [{ id: "x", retentionDays: 31 }, "retentionDays"],
    [{ id: "x", metadata: [] }, "metadata"],
    [{ id: "x", disabled: "yes" }, "disabled"],
    [{ id: "x", plan: "pro" }, "plan"],
  ])("is refused as %j, naming the field", async (draft, field) => {
    const { status, body } = await callV1("POST", "/tenants", MINE, draft);
    expect({ status, field: body.error.field }).toEqual({ status: 400, field });
  });

  it("is told everything that is wrong with it at once", async () => {
    const { body } = await callV1("POST", "/tenants", MINE, { id: "/", rate: -1, x: 1 });
    expect(body.error.faults.map(({ field }: { field: string }) => field)).toEqual([
      "id",
      "rate",
      "x",
    ]);
  });

  it("has its id for itself, within its organization", async () => {
    const id = await make();
    const { status, body } = await callV1("POST", "/tenants", MINE, { id });
    expect({ status, field: body.error.field }).toEqual({ status: 409, field: "id" });
    await make({ id, name: "Other" }, THEIRS);
    expect((await callV1("GET", at(id))).body.name).toBe(id);
    await callV1("DELETE", at(id), THEIRS);
    expect((await callV1("GET", at(id))).status).toBe(200);
  });

  it("is changed in what is named, for every isolate at once", async () => {
    const id = await make({ metadata: { a: 1 }, rate: 1 });
    expect(await findTenant(env.DB, 1, id)).toMatchObject({ disabled: false });
    const change = { disabled: true, rate: null, metadata: { b: 2 } };
    const { status, body } = await callV1("PATCH", at(id), MINE, change);
    expect({ status, body }).toMatchObject({ status: 200, body: { ...change, name: id } });
    expect(await findTenant(env.DB, 1, id)).toMatchObject(change);
    const wrong = await callV1("PATCH", at(id), MINE, { id: "another" });
    expect([wrong.status, wrong.body.error.field]).toEqual([400, "id"]);
  });

  it("is listed by its id, page by page", async () => {
    const { authorization } = await ownOrganization();
    for (const id of ["b", "a", "c"]) await make({ id }, authorization);
    const first = (await callV1("GET", "/tenants?limit=2", authorization)).body;
    const rest = (await callV1("GET", `/tenants?limit=2&cursor=${first.next}`, authorization)).body;
    const ids = [first, rest].map(({ items }) => items.map(({ id }: { id: string }) => id));
    expect([...ids, rest.next]).toEqual([["a", "b"], ["c"], null]);
  });
});

describe("a tenant's deletion", () => {
  it("ends it at once, and its id is free again", async () => {
    const id = await make();
    expect((await callV1("DELETE", at(id))).status).toBe(202);
    expect((await callV1("GET", at(id))).status).toBe(404);
    expect(await findTenant(env.DB, 1, id)).toBeUndefined();
    expect((await callV1("DELETE", at(id))).status).toBe(404);
    await make({ id });
  });

  it("revokes the keys that reach nothing else, and narrows the others", async () => {
    const [id, other] = [await make(), await make()];
    const scopes = ["read"];
    const key = async (limits: object) =>
      (await callV1("POST", "/keys", MINE, { name: "k", scopes, limits })).body.id;
    const [own, both] = [await key({ tenants: [id] }), await key({ tenants: [id, other] })];
    await callV1("DELETE", at(id));
    expect((await callV1("GET", `/keys/${own}`)).status).toBe(404);
    expect((await callV1("GET", `/keys/${both}`)).body.limits.tenants).toEqual([other]);
  });
});
