import { and, eq, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { destinations, type DestinationPolicy, type Selectors } from "../db/delivery";
import { Section } from "../db/directory/find";
import { fresh } from "../db/directory/fresh";
import { Cache } from "../values/cache";

/** An endpoint as far as it says which events it hears of, and how they become its notifications. */
export type KnownEndpoint = Pick<
  DestinationPolicy,
  "filter" | "ordering" | "deadHead" | "batch" | "debounceMs"
> & {
  id: string;
  /** The customer of the organization that it belongs to, and of whose events alone it hears. */
  tenant: string | null;
  selectors: Selectors;
  enabled: boolean;
};

/** The most endpoints that a tenant has, and the most that belong to no tenant. */
export const MOST_ENDPOINTS = 1_000;

/** All lists together. */
const MOST_REMEMBERED = 20_000;
const section = new Section<KnownEndpoint[]>("endpoints 2");
const remembered = new Cache<string, KnownEndpoint[]>(MOST_REMEMBERED, ({ length }) => length + 1);

const keyOf = (organizationId: number, tenant: string | null): string =>
  `organization:${organizationId}/endpoints/${tenant ?? ""}`;

/**
 * The endpoints of no tenant and those of a tenant, each in the order of their ids, enabled or not. They are what the
 * isolate remembers: callers don't change them.
 */
export async function findEndpoints(
  db: D1Database,
  organizationId: number,
  tenant: string | null,
): Promise<KnownEndpoint[]> {
  const now = Date.now();
  const tenants = new Map([null, tenant].map((one) => [keyOf(organizationId, one), one]));
  const lists = await remembered.getAll(tenants.keys(), fresh(now), (missing) =>
    section.find(missing, (unknown) =>
      readLists(
        db,
        organizationId,
        unknown.map((key) => tenants.get(key) ?? null),
      ),
    ),
  );
  return [...tenants.keys()].flatMap((key) => lists.get(key) ?? []);
}

/** Reads the lists of some tenants, by their keys; one without endpoints is empty. */
async function readLists(
  db: D1Database,
  organizationId: number,
  tenants: readonly (string | null)[],
): Promise<Map<string, KnownEndpoint[]>> {
  const { id, tenantId, selectors, enabled, policy } = destinations;
  const rows = await drizzle(db)
    .select({ id, tenantId, selectors, enabled, policy })
    .from(destinations)
    .where(
      and(
        eq(destinations.organizationId, organizationId),
        // Written out: a bound value would not match the partial index.
        sql`kind = 'endpoint'`,
        or(...tenants.map((tenant) => sql`${tenantId} IS ${tenant}`)),
      ),
    )
    .orderBy(id);
  const lists = new Map(
    tenants.map((tenant): [string, KnownEndpoint[]] => [keyOf(organizationId, tenant), []]),
  );
  for (const row of rows) lists.get(keyOf(organizationId, row.tenantId))?.push(knownOf(row));
  return lists;
}

type Row = Pick<
  typeof destinations.$inferSelect,
  "id" | "tenantId" | "selectors" | "enabled" | "policy"
>;

function knownOf({ id, tenantId, selectors, enabled, policy }: Row): KnownEndpoint {
  const { filter, ordering, deadHead, batch, debounceMs } = policy;
  return {
    id,
    tenant: tenantId,
    selectors: selectors ?? { sources: [], eventTypes: [], channels: [] },
    enabled,
    ...(filter === undefined ? {} : { filter }),
    ...(ordering === undefined ? {} : { ordering }),
    ...(deadHead === undefined ? {} : { deadHead }),
    ...(batch === undefined ? {} : { batch }),
    ...(debounceMs === undefined ? {} : { debounceMs }),
  };
}

/** This isolate asks the directory again for the endpoints of a tenant. */
export const forgetEndpoints = (organizationId: number, tenant: string | null): void =>
  remembered.delete(keyOf(organizationId, tenant));
