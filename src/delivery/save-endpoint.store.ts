import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { destinations } from "../db/delivery";
import { tellDirectory } from "../db/directory/tell";
import type { Keyring } from "../db/sealed";
import { endpointId, type EndpointTraits } from "./destination";
import { sealParts, sealUrl } from "./destination-secrets";
import { forgetDestination } from "./destinations.store";
import { forgetEndpoints, MOST_ENDPOINTS } from "./endpoints.store";
import { policyMembers, type PolicyChange } from "./policy.store";
import { newSigningKey, newSigningSecret } from "./save-destination.store";

/** What an endpoint begins with. */
export type EndpointDraft = EndpointTraits & {
  tenant: string | null;
  url: string;
  enabled: boolean;
  headers: Record<string, string>;
  /** How it is served. */
  served: PolicyChange;
};

/** `full`: its tenant has as many as it may. `name-taken`: another one of its tenant has its name. */
export type Created = { kind: "created"; id: string } | { kind: "full" } | { kind: "name-taken" };

/** Makes an endpoint, of which the next event that is committed knows. */
export async function createEndpoint(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  draft: EndpointDraft,
  now: number,
): Promise<Created> {
  const id = endpointId(crypto.randomUUID().replaceAll("-", ""));
  const { name, tenant, description, metadata, selectors, url, enabled, headers } = draft;
  const key = newSigningKey(ring, id, newSigningSecret(), now);
  const values = {
    id,
    organization_id: organizationId,
    kind: "endpoint",
    owner_id: id,
    url: sealUrl(ring, id, url),
    enabled: enabled ? 1 : 0,
    active: 1,
    paused: enabled
      ? null
      : JSON.stringify({ by: "owner", since: now, because: "It was made switched off" }),
    // Operators give all of its headers: it has no owner beside them.
    headers_sealed: sealParts(ring, id, { headers: {}, query: {}, operators: headers }),
    signing_keys: JSON.stringify([key]),
    policy: JSON.stringify(withoutNulls(policyMembers(ring, { id, policy: {} }, draft.served))),
    tenant_id: tenant,
    name,
    description,
    metadata: JSON.stringify(metadata),
    selectors: JSON.stringify(selectors),
    created_at: now,
    updated_at: now,
  };
  // In one statement with the count, so that many at a time don't become too many.
  const { meta } = await db
    .prepare(
      `INSERT INTO destinations (${Object.keys(values).join(", ")})
       SELECT ${Object.keys(values)
         .map(() => "?")
         .join(", ")}
       WHERE (SELECT count(*) FROM destinations WHERE organization_id = ? AND kind = 'endpoint' AND tenant_id IS ?) < ?
       ON CONFLICT DO NOTHING`,
    )
    .bind(...Object.values(values), organizationId, tenant, MOST_ENDPOINTS)
    .run();
  if (meta.changes === 0)
    return { kind: (await isNameTaken(db, organizationId, draft)) ? "name-taken" : "full" };
  forgetEndpoints(organizationId, tenant);
  await tellDirectory(db, `organization:${organizationId}`);
  return { kind: "created", id };
}

const withoutNulls = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));

async function isNameTaken(
  db: D1Database,
  organizationId: number,
  { name, tenant }: Pick<EndpointDraft, "name" | "tenant">,
): Promise<boolean> {
  if (name === null) return false;
  const rows = await drizzle(db)
    .select({ id: destinations.id })
    .from(destinations)
    .where(
      and(
        eq(destinations.organizationId, organizationId),
        sql`${destinations.tenantId} IS ${tenant}`,
        eq(destinations.name, name),
      ),
    );
  return rows.length > 0;
}

/** Deletes an endpoint: what waits for it is not delivered, and the next event that is committed does not know it. */
export async function deleteEndpoint(
  db: D1Database,
  organizationId: number,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<void> {
  await drizzle(db)
    .delete(destinations)
    .where(
      and(
        eq(destinations.organizationId, organizationId),
        eq(destinations.id, id),
        eq(destinations.kind, "endpoint"),
      ),
    );
  forgetDestination(id);
  forgetEndpoints(organizationId, tenant);
  await tellDirectory(db, `organization:${organizationId}`);
}
