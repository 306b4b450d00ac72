import { and, eq, gt, inArray, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type OrganizationSettings, settingsOf } from "../accounts/organization.store";
import { destinations } from "../db/delivery";
import type { Keyring } from "../db/sealed";
import { within } from "../db/within";
import { Cache } from "../values/cache";
import {
  accountPolicy,
  type Destination,
  type DestinationRecord,
  retryPolicyOf,
} from "./destination";
import { openDestination } from "./destination-secrets";

type Row = typeof destinations.$inferSelect;

/** How long an isolate uses what it read: a change made in another isolate takes effect after this at the latest. */
const FRESH_MS = 5_000;

type WithSettings = { destination: Destination; settings: OrganizationSettings };
/** That there is no such destination is remembered too. */
const cache = new Cache<string, WithSettings | "unknown">(10_000);

/** The destinations named, with their organizations' settings; those that don't exist are absent. */
export async function readDestinations(
  db: D1Database,
  ring: Keyring,
  ids: readonly string[],
  now: number,
): Promise<Map<string, WithSettings>> {
  const found = await cache.getAll(ids, { now, until: now + FRESH_MS }, async (missing) => {
    const rows = await drizzle(db)
      .select({ row: destinations, settings: settingsOf(destinations.organizationId) })
      .from(destinations)
      .where(inArray(destinations.id, missing));
    return new Map<string, WithSettings | "unknown">([
      ...missing.map((id) => [id, "unknown"] as const),
      ...rows.map(
        ({ row, settings }) =>
          [row.id, { destination: openDestination(row, ring, now), settings }] as const,
      ),
    ]);
  });
  return new Map([...found].flatMap(([id, one]) => (one === "unknown" ? [] : [[id, one]])));
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

/** One destination, read now; undefined when unknown or another organization's. */
export async function readDestination(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  id: string,
): Promise<Destination | undefined> {
  const [row] = await drizzle(db)
    .select()
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
    .select({ row: destinations, settings: settingsOf(destinations.organizationId) })
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
    after: string | null;
    limit: number;
    /** Absent: all. */
    ids?: readonly string[] | undefined;
  },
): Promise<DestinationRecord[]> {
  const rows = await drizzle(db)
    .select({ row: destinations, settings: settingsOf(destinations.organizationId) })
    .from(destinations)
    .where(
      and(
        eq(destinations.organizationId, organizationId),
        filter.kind === undefined
          ? ne(destinations.kind, "operations")
          : eq(destinations.kind, filter.kind),
        filter.after === null ? undefined : gt(destinations.id, filter.after),
        filter.ids && within(destinations.id, filter.ids),
      ),
    )
    .orderBy(destinations.id)
    .limit(filter.limit);
  return rows.map(({ row, settings }) => recordOf(row, settings, ring));
}

function recordOf(row: Row, settings: OrganizationSettings, ring: Keyring): DestinationRecord {
  const destination = openDestination(row, ring, Date.now());
  const policy = retryPolicyOf(destination, accountPolicy(settings));
  return {
    destination,
    keys: row.signingKeys.map(({ id, algorithm, createdAt, expiresAt }) => ({
      id,
      algorithm,
      createdAt,
      expiresAt,
    })),
    retryDelays: policy.kind === "queue" ? [] : policy.delaysSeconds,
  };
}

/** This isolate reads the destination again before its next use. */
export function forgetDestination(id: string): void {
  cache.delete(id);
}
