import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { beginDeletion } from "../../src/accounts/organizations/store";
import { forgetAskers } from "../../src/accounts/store";
import { eventually } from "../delivery/build";
import { callV1, create, createOrganizations, MINE } from "../elements/build";
import { ownOrganization } from "../organization";

beforeAll(createOrganizations);

const HOUR_MS = 3_600_000;

const make = async (body: Record<string, unknown> = {}) =>
  (await callV1("POST", "/keys", MINE, { name: "k", scopes: ["read"], ...body })).body;
const rotate = (id: string, body?: unknown) => callV1("POST", `/keys/${id}/rotate`, MINE, body);
const statusOf = async (key: string, path = "/usage") =>
  (await callV1("GET", path, `Bearer ${key}`)).status;

/** Turns the clock; every isolate has forgotten who asked. */
function turnTo(at: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: at });
  onTestFinished(() => void vi.useRealTimers());
  forgetAskers();
}

describe("a key", () => {
  it.each([
    [{ expiresAt: "2020-01-01T00:00:00Z" }, "expiresAt"],
    [{ expiresAt: "tomorrow" }, "expiresAt"],
    [{ scopes: ["everything"] }, "scopes.0"],
    [{ scopes: [] }, "scopes"],
    [{ limits: { sources: ["nothing"] } }, "limits.sources.0"],
    [{ limits: { sources: ["instance:0"] } }, "limits.sources.0"],
    [{ limits: { destinations: [""] } }, "limits.destinations.0"],
    [{ limits: { tenants: ["a/b"] } }, "limits.tenants.0"],
    [{ limits: { connectors: [] } }, "limits.connectors"],
  ])("is refused with %j, naming the field", async (body, field) => {
    const { status, body: told } = await callV1("POST", "/keys", MINE, {
      name: "k",
      scopes: ["read"],
      ...body,
    });
    expect({ status, field: told.error?.field }).toEqual({ status: 400, field });
  });

  it("tells its limits, an instance by its source", async () => {
    const limits = { sources: ["27", "scope:-"], destinations: ["d"], tenants: ["acme"] };
    const { id, key } = await make({ limits });
    const told = { ...limits, sources: ["instance:27", "scope:-"] };
    expect((await callV1("GET", `/keys/${id}`)).body).toMatchObject({ limits: told });
    expect(key).toMatch(/^trk_/);
    const none = { sources: [], destinations: [], tenants: [] };
    expect((await make({ limits: none })).limits).toEqual(none);
    expect((await make()).limits).toEqual(none);
  });

  it("without limits reaches the whole organization, with two empty lists as well", async () => {
    const { key } = await make({ limits: { sources: [], destinations: [] } });
    expect(await statusOf(key, "/organization")).toBe(200);
  });
});

describe("a key with scopes of the time before secrets", () => {
  it.each([
    [["read", "write", "admin"], 200],
    [["read", "write"], 403],
    [["read"], 403],
  ])("%j reads signing secrets: %i", async (scopes, expected) => {
    const { id } = await create();
    const { key } = await make({ scopes });
    for (const path of [
      `/instances/${id}/signing-secret`,
      `/destinations/instance-${id}/signing-secret`,
      "/keys",
      "/audit",
    ])
      expect([path, await statusOf(key, path)]).toEqual([path, expected]);
  });
});

describe("a key's rotation", () => {
  it("lets the old secret work until its overlap ends, and not a moment longer", async () => {
    const made = await make();
    const { status, body } = await rotate(made.id, { overlapSeconds: 60 });
    expect({ status, id: body.id }).toEqual({ status: 200, id: made.id });
    expect(body.key).not.toBe(made.key);
    const ends = Date.parse(body.overlapEndsAt);
    expect([await statusOf(made.key), await statusOf(body.key)]).toEqual([200, 200]);
    turnTo(ends - 1);
    expect([await statusOf(made.key), await statusOf(body.key)]).toEqual([200, 200]);
    vi.setSystemTime(ends);
    expect([await statusOf(made.key), await statusOf(body.key)]).toEqual([401, 200]);
    expect((await callV1("GET", `/keys/${made.id}`)).body.overlapEndsAt).toBeNull();
  });

  it("ends the old secret at once without an overlap, and the one before that at any", async () => {
    const first = await make();
    const second = (await rotate(first.id)).body;
    expect(await statusOf(first.key)).toBe(200);
    const third = (await rotate(first.id)).body;
    expect([await statusOf(first.key), await statusOf(second.key)]).toEqual([401, 200]);
    const fourth = (await rotate(first.id, { overlapSeconds: 0 })).body;
    const statuses = [second, third, fourth].map(({ key }) => statusOf(key));
    expect(await Promise.all(statuses)).toEqual([401, 401, 200]);
  });

  it("keeps scopes, limits and expiry", async () => {
    const expiresAt = new Date(Date.now() + HOUR_MS).toISOString();
    const made = await make({
      limits: { sources: ["27"] },
      scopes: ["read", "secrets"],
      expiresAt,
    });
    const { limits, scopes } = made;
    expect((await rotate(made.id)).body).toMatchObject({ limits, scopes, expiresAt });
  });

  it.each([{ overlapSeconds: 604_801 }, { overlapSeconds: -1 }, { overlapSeconds: "1" }])(
    "is refused with %j",
    async (body) => {
      const { id } = await make();
      const answer = await rotate(id, body);
      expect([answer.status, answer.body.error.field]).toEqual([400, "overlapSeconds"]);
    },
  );

  it("is refused for a key that has expired", async () => {
    const soon = Date.now() + HOUR_MS;
    const { id } = await make({ expiresAt: new Date(soon).toISOString() });
    turnTo(soon);
    expect((await rotate(id)).status).toBe(409);
  });
});

describe("what every isolate knows of a key", () => {
  /** Whether an isolate that has not seen the key lately lets it in. */
  const isLetIn = async (key: string): Promise<boolean> => {
    forgetAskers();
    return (await statusOf(key)) === 200;
  };

  it("ends with its revocation", async () => {
    const { id, key } = await make();
    expect(await isLetIn(key)).toBe(true);
    await callV1("DELETE", `/keys/${id}`, MINE);
    expect(await isLetIn(key)).toBe(false);
  });

  it("follows its rotation, for the secret before, too", async () => {
    const { id, key } = await make();
    expect(await isLetIn(key)).toBe(true);
    const second = (await rotate(id, { overlapSeconds: 60 })).body.key;
    expect([await isLetIn(key), await isLetIn(second)]).toEqual([true, true]);
    const third = (await rotate(id, { overlapSeconds: 0 })).body.key;
    const seen = [await isLetIn(key), await isLetIn(second), await isLetIn(third)];
    expect(seen).toEqual([false, false, true]);
  });

  it("ends when its organization is closed", async () => {
    const { id, authorization } = await ownOrganization();
    const asked = { name: "k", scopes: ["read"] };
    const { key } = (await callV1("POST", "/keys", authorization, asked)).body;
    expect(await isLetIn(key)).toBe(true);
    await beginDeletion(env.DB, id, Date.now());
    expect(await isLetIn(key)).toBe(false);
  });
});

describe("the last use of a key", () => {
  it("is told to the hour: written by the first use, then by none within the hour", async () => {
    const { authorization } = await ownOrganization();
    const asked = { name: "k", scopes: ["read"] };
    const { id, key } = (await callV1("POST", "/keys", authorization, asked)).body;
    const lastUsed = () =>
      env.DB.prepare("SELECT last_used_at FROM api_keys WHERE id = ?")
        .bind(id)
        .first<number>("last_used_at");
    const noted = (than: number | null) =>
      eventually(async () => ((await lastUsed()) === than ? undefined : await lastUsed()));
    const start = Date.now();
    turnTo(start);
    await statusOf(key);
    expect(await noted(null)).toBe(start);
    vi.setSystemTime(start + HOUR_MS - 1);
    forgetAskers();
    await statusOf(key);
    vi.setSystemTime(start + HOUR_MS);
    forgetAskers();
    await statusOf(key);
    expect(await noted(start)).toBe(start + HOUR_MS);
  });
});
