import { and, eq, getTableColumns, gt, inArray, isNull, ne, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { findOrganizations } from "../accounts/known.store";
import { type OrganizationSettings, settingsOf } from "../accounts/organization.store";
import { tenantBeside } from "../accounts/tenants/known.store";
import { destinations } from "../db/delivery";
import { formOf, Section } from "../db/directory/find";
import { fresh } from "../db/directory/fresh";
import { type Keyring, unseal } from "../db/sealed";
import { within } from "../db/within";
import { Cache } from "../values/cache";
import {
  accountPolicy,
  type Destination,
  type DestinationRecord,
  type EndpointTraits,
  retryPolicyOf,
} from "./destination";
import { openDestination, sealedPlace } from "./destination-secrets";
import { publicKeyOf } from "./signature";

type Row = typeof destinations.$inferSelect & Pick<Destination, "terms">;

/** What is read of a destination's row, with what its tenant says of all that is its. */
export const rowColumns = {
  ...getTableColumns(destinations),
  terms: tenantBeside(destinations.organizationId, destinations.tenantId),
};

/** How long an isolate uses what it read: a change made in another isolate takes effect after this at the latest. */
const FRESH_MS = 5_000;

/** A destination, by the organization that it belongs to. */
export type Named = { organizationId: number; id: string };
type WithSettings = { destination: Destination; settings: OrganizationSettings };
/** That there is no such destination is remembered too. */
const cache = new Cache<string, Destination | "unknown">(10_000);
const section = new Section<Row>(`${formOf(destinations)} 1`);

const keyOf = ({ organizationId, id }: Named): string => `organization:${organizationId}/${id}`;

/** The destinations named, by id, with their organizations' settings; those that don't exist are absent. */
export async function readDestinations(
  db: D1Database,
  ring: Keyring,
  named: readonly Named[],
  now: number,
): Promise<Map<string, WithSettings>> {
  const byId = new Map(named.map((one) => [one.id, one]));
  const owners = named.map(({ organizationId }) => organizationId);
  const [found, organizations] = await Promise.all([
    cache.getAll(byId.keys(), timesOf(now), async (missing) => {
      const keys = new Map(
        missing.map((id) => [keyOf(byId.get(id) ?? { organizationId: 0, id }), id]),
      );
      const rows = await section.find([...keys.keys()], () => readRows(db, missing));
      return new Map(
        [...keys].map(([key, id]): [string, Destination | "unknown"] => {
          const row = rows.get(key);
          return [id, row === undefined ? "unknown" : openDestination(row, ring, now)];
        }),
      );
    }),
    findOrganizations(db, owners, now),
  ]);
  return new Map(
    [...found].flatMap(([id, destination]): [string, WithSettings][] => {
      if (destination === "unknown") return [];
      const settings = organizations.get(destination.organizationId)?.settings ?? {};
      return [[id, { destination, settings }]];
    }),
  );
}

/**
 * An endpoint, after whose deletion nothing may be delivered, the directory is asked for as often as it takes: it is exact,
 * and takes one request for all endpoints of an organization that a batch of deliveries goes to.
 */
function timesOf(now: number) {
  const often = fresh(now);
  const seldom = now + FRESH_MS;
  const isEndpoint = (value: Destination | "unknown"): boolean =>
    value !== "unknown" && value.kind === "endpoint";
  return {
    now,
    until: (value: Destination | "unknown") => (isEndpoint(value) ? often.until : seldom),
    renewAt: (value: Destination | "unknown") => (isEndpoint(value) ? often.renewAt : seldom),
  };
}

async function readRows(db: D1Database, ids: readonly string[]): Promise<Map<string, Row>> {
  const rows = await drizzle(db)
    .select(rowColumns)
    .from(destinations)
    .where(within(destinations.id, ids));
  return new Map(rows.map((row) => [keyOf(row), row]));
}

/** Which of these destinations an organization has, each with its URL, of which credentials are sealed. */
export async function knownDestinations(
  db: D1Database,
  organizationId: number,
  ids: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await drizzle(db)
    .select({ id: destinations.id, url: destinations.url })
    .from(destinations)
    .where(and(eq(destinations.organizationId, organizationId), within(destinations.id, ids)));
  return new Map(rows.map(({ id, url }) => [id, url]));
}

/** What a destination is recognised by. */
export type Recognised = Pick<Row, "id" | "kind" | "ownerId" | "url">;

/** These destinations of an organization, and the first `others` of the rest, in the order of their ids. */
export async function recogniseDestinations(
  db: D1Database,
  organizationId: number,
  ids: readonly string[],
  others: number,
): Promise<Recognised[]> {
  const { id, kind, ownerId, url } = destinations;
  const ofOrganization = eq(destinations.organizationId, organizationId);
  const first = drizzle(db)
    .select({ id })
    .from(destinations)
    .where(and(ofOrganization, ne(kind, "operations")))
    .orderBy(id)
    .limit(others);
  return drizzle(db)
    .select({ id, kind, ownerId, url })
    .from(destinations)
    .where(and(ofOrganization, or(within(id, ids), inArray(id, first))))
    .orderBy(id);
}

/** One destination, read now; undefined when unknown or another organization's. */
export async function readDestination(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  id: string,
): Promise<Destination | undefined> {
  const [row] = await drizzle(db)
    .select(rowColumns)
    .from(destinations)
    .where(and(eq(destinations.id, id), eq(destinations.organizationId, organizationId)));
  return row === undefined ? undefined : openDestination(row, ring, Date.now());
}

/** One destination with its keys; undefined when unknown, another organization's, or the operators' own. */
export async function readDestinationRecord(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  id: string,
): Promise<DestinationRecord | undefined> {
  const [row] = await drizzle(db)
    .select({ row: rowColumns, settings: settingsOf(destinations.organizationId) })
    .from(destinations)
    .where(
      and(
        eq(destinations.id, id),
        eq(destinations.organizationId, organizationId),
        ne(destinations.kind, "operations"),
      ),
    );
  return row === undefined ? undefined : recordOf(row.row, row.settings, ring);
}

/** An organization's destinations in the order of their ids, from after `after`. */
export async function listDestinationRecords(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  filter: {
    kind: Destination["kind"] | undefined;
    /** Those of this tenant; `-`: those of none. */
    tenant?: string | undefined;
    name?: string | undefined;
    /** Whether it is switched on, and its subscription active. */
    enabled?: boolean | undefined;
    /** What is in its name, description, URL or id, in whatever case. */
    text?: string | undefined;
    after: string | null;
    limit: number;
    /** Absent: all. */
    ids?: readonly string[] | undefined;
  },
): Promise<DestinationRecord[]> {
  const rows = await drizzle(db)
    .select({ row: rowColumns, settings: settingsOf(destinations.organizationId) })
    .from(destinations)
    .where(
      and(
        eq(destinations.organizationId, organizationId),
        filter.kind === undefined
          ? ne(destinations.kind, "operations")
          : eq(destinations.kind, filter.kind),
        filter.tenant === undefined ? undefined : isOfTenant(filter.tenant),
        filter.name === undefined ? undefined : eq(destinations.name, filter.name),
        filter.enabled === undefined
          ? undefined
          : sql`(${destinations.enabled} AND ${destinations.active}) = ${filter.enabled ? 1 : 0}`,
        filter.text === undefined ? undefined : hasText(filter.text),
        filter.after === null ? undefined : gt(destinations.id, filter.after),
        filter.ids && within(destinations.id, filter.ids),
      ),
    )
    .orderBy(destinations.id)
    .limit(filter.limit);
  return rows.map(({ row, settings }) => recordOf(row, settings, ring));
}

const isOfTenant = (tenant: string): SQL =>
  tenant === "-" ? isNull(destinations.tenantId) : eq(destinations.tenantId, tenant);

function hasText(text: string): SQL {
  const { id, name, description, url } = destinations;
  return sql`instr(lower(${id} || ' ' || coalesce(${name}, '') || ' ' || coalesce(${description}, '') || ' ' || coalesce(${url}, '')), lower(${text})) > 0`;
}

function recordOf(row: Row, settings: OrganizationSettings, ring: Keyring): DestinationRecord {
  const destination = openDestination(row, ring, Date.now());
  const policy = retryPolicyOf(destination, accountPolicy(settings));
  return {
    destination,
    traits: traitsOf(row),
    keys: row.signingKeys.map(({ sealed, ...key }) => ({
      ...key,
      publicKey:
        key.algorithm === "v1a"
          ? publicKeyOf(unseal(ring, sealed, sealedPlace(row.id, key.id)))
          : null,
    })),
    retryDelays: policy.kind === "queue" ? [] : policy.delaysSeconds,
  };
}

function traitsOf({ selectors, name, description, metadata }: Row): EndpointTraits | null {
  if (selectors === null) return null;
  return { name, description, metadata: metadata ?? {}, selectors };
}

/** This isolate reads the destination again before its next use. */
export function forgetDestination(id: string): void {
  cache.delete(id);
}

/** This isolate reads all destinations again before their next use. */
export function forgetDestinations(): void {
  cache.clear();
}
