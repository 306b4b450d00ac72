import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { readDestination } from "../../src/delivery/destinations.store";
import { findEndpoints, MOST_ENDPOINTS } from "../../src/delivery/endpoints.store";
import { changePolicy } from "../../src/delivery/policy.store";
import {
  createEndpoint,
  deleteEndpoint,
  type EndpointDraft,
} from "../../src/delivery/save-endpoint.store";
import { firstOrganization, ownOrganization } from "../organization";

const ring = keyring(readConfig(env).masterKeys);

beforeAll(firstOrganization);

const draft = (more: Partial<EndpointDraft> = {}): EndpointDraft => ({
  name: null,
  tenant: null,
  description: null,
  metadata: {},
  selectors: { sources: ["publish"], eventTypes: ["*"], channels: [] },
  url: "https://app.example/hook",
  enabled: true,
  headers: {},
  served: {},
  ...more,
});

async function organization() {
  const { id } = await ownOrganization();
  const make = async (more: Partial<EndpointDraft> = {}): Promise<string> => {
    const made = await createEndpoint(env.DB, ring, id, draft(more), Date.now());
    if (made.kind !== "created") throw new Error(made.kind);
    return made.id;
  };
  const found = async (tenant: string | null) =>
    (await findEndpoints(env.DB, id, tenant)).map((one) => one.id);
  return { id, make, found };
}

it("finds the endpoints of a tenant and those of none, and no other tenant's or organization's", async () => {
  const [ours, theirs] = [await organization(), await organization()];
  const acme = await ours.make({ tenant: "acme" });
  const off = await ours.make({ enabled: false });
  const other = await ours.make({ tenant: "other" });
  await theirs.make({ tenant: "acme" });
  expect(await ours.found("acme")).toEqual([off, acme]);
  expect(await ours.found("other")).toEqual([off, other]);
  expect(await ours.found("nobody")).toEqual([off]);
  expect(await ours.found(null)).toEqual([off]);
  expect((await findEndpoints(env.DB, ours.id, null))[0]?.enabled).toBe(false);
});

it("knows every change of an endpoint once it was answered", async () => {
  const { id, make, found } = await organization();
  expect(await found("acme")).toEqual([]);
  const endpoint = await make({ tenant: "acme" });
  expect(await found("acme")).toEqual([endpoint]);
  const destination = await readDestination(env.DB, ring, id, endpoint);
  if (destination === undefined) throw new Error("It is there");
  const selectors = { sources: ["user:*"], eventTypes: ["a.*"], channels: ["x"] };
  const change = { filter: "true", ordering: "object" as const, enabled: false };
  await changePolicy(env.DB, ring, destination, { ...change, traits: { selectors } }, Date.now());
  expect(await findEndpoints(env.DB, id, "acme")).toEqual([
    { id: endpoint, tenant: "acme", selectors, ...change },
  ]);
  await deleteEndpoint(env.DB, id, destination);
  expect(await found("acme")).toEqual([]);
});

it("makes as many as a tenant may have, however many ask at a time, and no two of one name in a tenant", async () => {
  const { id, make } = await organization();
  const first = await make({ tenant: "acme", name: "orders" });
  // All columns but the id and what names it.
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO destinations (id, organization_id, kind, owner_id, url, signing_keys, policy, tenant_id, selectors, created_at, updated_at)
     SELECT id || n.i, organization_id, kind, owner_id, url, signing_keys, policy, tenant_id, selectors, 1, 1
     FROM destinations, n WHERE id = ?`,
  )
    .bind(MOST_ENDPOINTS - 3, first)
    .run();
  const create = async (more: Partial<EndpointDraft>) =>
    (await createEndpoint(env.DB, ring, id, draft(more), Date.now())).kind;
  const kinds = await Promise.all(Array.from({ length: 5 }, () => create({ tenant: "acme" })));
  expect(kinds.toSorted()).toEqual(["created", "created", "full", "full", "full"]);
  expect(await create({ tenant: "acme", name: "orders" })).toBe("name-taken");
  expect(await create({ name: "orders" })).toBe("created");
  expect(await create({ name: "orders" })).toBe("name-taken");
  expect(await findEndpoints(env.DB, id, "acme")).toHaveLength(MOST_ENDPOINTS + 1);
});
