import { and, eq, gt, inArray, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { BatchItem } from "drizzle-orm/batch";
import { type OrganizationSettings, settingsOf } from "../accounts/organization.store";
import { destinations, type SigningKey } from "../db/delivery";
import { type Along, headersOf, packed, sealedRow, storedAlong, unpacked } from "./packing";
import { type Keyring, seal, unseal } from "../db/sealed";
import {
  accountPolicy,
  type Destination,
  type DestinationDraft,
  type DestinationRecord,
  retryPolicyOf,
} from "./destination";
import { Cache } from "../values/cache";

type Row = typeof destinations.$inferSelect;

/** How long an isolate trusts what it read: a change elsewhere shows after this at the latest. */
const TRUST_MS = 5_000;

type Known = { destination: Destination; settings: OrganizationSettings };
const cache = new Cache<string, Known | "unknown">(10_000);

/** The destinations named, with their organizations' settings; unknown ones are absent. */
export async function readDestinations(
  db: D1Database,
  ring: Keyring,
  ids: readonly string[],
  now: number,
): Promise<Map<string, Known>> {
  const found = await cache.getAll(ids, { now, until: now + TRUST_MS }, async (missing) => {
    const rows = await drizzle(db)
      .select({ row: destinations, settings: settingsOf(destinations.organizationId) })
      .from(destinations)
      .where(inArray(destinations.id, missing));
    return new Map<string, Known | "unknown">([
      ...missing.map((id) => [id, "unknown"] as const),
      ...rows.map(
        ({ row, settings }) => [row.id, { destination: opened(row, ring), settings }] as const,
      ),
    ]);
  });
  return new Map([...found].flatMap(([id, one]) => (one === "unknown" ? [] : [[id, one]])));
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
  return row === undefined ? undefined : opened(row, ring);
}

/** One destination with its keys; undefined when unknown or another organization's. */
export async function readDestinationRecord(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  id: string,
): Promise<DestinationRecord | undefined> {
  const [row] = await drizzle(db)
    .select({ row: destinations, settings: settingsOf(destinations.organizationId) })
    .from(destinations)
    .where(and(eq(destinations.id, id), eq(destinations.organizationId, organizationId)));
  return row === undefined ? undefined : recordOf(row.row, row.settings, ring);
}

/** An organization's destinations in the order of their ids, from after `after`. */
export async function listDestinationRecords(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  filter: { kind: Destination["kind"] | undefined; after: string | null; limit: number },
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
      ),
    )
    .orderBy(destinations.id)
    .limit(filter.limit);
  return rows.map(({ row, settings }) => recordOf(row, settings, ring));
}

function recordOf(row: Row, settings: OrganizationSettings, ring: Keyring): DestinationRecord {
  const destination = opened(row, ring);
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

/** Makes this isolate read a destination anew. */
export function forgetDestination(id: string): void {
  cache.delete(id);
}

/**
 * The statement that saves an owner's destination, for the owner's own batch (in an array: a statement
 * that is awaited runs). A change of address or of the secret takes effect with it; keys under rotation,
 * the state of the subscription and what operators said stay.
 */
export async function saveDestination(
  db: D1Database,
  ring: Keyring,
  draft: DestinationDraft,
  now: number,
): Promise<[BatchItem<"sqlite">]> {
  return [upsert(db, await valuesOf(db, ring, draft, now))];
}

/** The same statement for the batch of an owner that binds its own SQL. */
export async function prepareDestination(
  db: D1Database,
  ring: Keyring,
  draft: DestinationDraft,
  now: number,
): Promise<D1PreparedStatement> {
  const { sql, params } = upsert(db, await valuesOf(db, ring, draft, now)).toSQL();
  return db.prepare(sql).bind(...params);
}

type Values = typeof destinations.$inferInsert;

async function valuesOf(
  db: D1Database,
  ring: Keyring,
  draft: DestinationDraft,
  now: number,
): Promise<Values> {
  const [previous] = await drizzle(db)
    .select()
    .from(destinations)
    .where(eq(destinations.id, draft.id));
  forgetDestination(draft.id);
  return {
    id: draft.id,
    organizationId: draft.organizationId,
    kind: draft.kind,
    ownerId: draft.ownerId,
    url: draft.url,
    headersSealed: sealAlong(ring, draft.id, {
      headers: draft.headers,
      query: draft.query ?? {},
      operators: previous === undefined ? {} : openAlong(ring, previous).operators,
    }),
    legacyKeySealed:
      draft.legacyKey === null
        ? null
        : seal(ring, draft.legacyKey, sealedRow(draft.id, "legacy_key")),
    signingKeys: signingKeys(previous, ring, draft, now),
    policy: draft.policy ?? previous?.policy ?? {},
    createdAt: previous?.createdAt ?? now,
    updatedAt: now,
  };
}

function upsert(db: D1Database, values: Values) {
  return drizzle(db)
    .insert(destinations)
    .values(values)
    .onConflictDoUpdate({ target: destinations.id, set: values });
}

function signingKeys(
  previous: Row | undefined,
  ring: Keyring,
  draft: DestinationDraft,
  now: number,
): SigningKey[] {
  const keys = previous?.signingKeys ?? [];
  const [newest] = keys;
  if (newest !== undefined) {
    const same =
      draft.signingSecret === undefined ||
      unseal(ring, newest.sealed, sealedRow(draft.id, newest.id)) === draft.signingSecret;
    if (same) return keys;
  }
  const id = `key_${crypto.randomUUID()}`;
  const secret = draft.signingSecret ?? newSigningSecret();
  const key: SigningKey = {
    id,
    algorithm: "v1",
    sealed: seal(ring, secret, sealedRow(draft.id, id)),
    createdAt: now,
    expiresAt: null,
  };
  return [key, ...keys.filter(({ algorithm }) => algorithm !== "v1")];
}

/** The statement that forgets destinations, for the batch of an owner that binds its own SQL. */
export function prepareRemoval(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  for (const id of ids) forgetDestination(id);
  return db
    .prepare("DELETE FROM destinations WHERE id IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(ids));
}

/** The statement that forgets a destination, for its owner's own batch. */
export function deleteDestination(db: D1Database, id: string): BatchItem<"sqlite"> {
  forgetDestination(id);
  return drizzle(db).delete(destinations).where(eq(destinations.id, id));
}

/** The statements that forget what an owner has, for its own batch. */
export async function deleteDestinationsOf(
  db: D1Database,
  kind: Row["kind"],
  ownerId: string,
): Promise<BatchItem<"sqlite">[]> {
  const owned = await drizzle(db)
    .select({ id: destinations.id })
    .from(destinations)
    .where(and(eq(destinations.kind, kind), eq(destinations.ownerId, ownerId)));
  return owned.map(({ id }) => deleteDestination(db, id));
}

/**
 * Switches a destination off: `enabled`, the receiver wants no more; `active`, its subscription is held.
 * @returns whether it was on.
 */
export async function switchOff(
  db: D1Database,
  id: string,
  column: "enabled" | "active",
): Promise<boolean> {
  forgetDestination(id);
  const rows = await drizzle(db)
    .update(destinations)
    .set({ [column]: false })
    .where(and(eq(destinations.id, id), eq(destinations[column], true)))
    .returning({ id: destinations.id });
  return rows.length === 1;
}

export function newSigningSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
}

/** What is sent along with a destination's callbacks. */
export function openAlong(ring: Keyring, row: Pick<Row, "id" | "headersSealed">): Along {
  const { id, headersSealed } = row;
  if (headersSealed === null) return unpacked({});
  return unpacked(storedAlong.read(unseal(ring, headersSealed, sealedRow(id, "headers"))));
}

export const sealAlong = (ring: Keyring, id: string, along: Along): string =>
  seal(ring, storedAlong.write(packed(along)), sealedRow(id, "headers"));

function opened(row: Row, ring: Keyring): Destination {
  const { id, organizationId, kind, ownerId, url, enabled, active, policy } = row;
  const now = Date.now();
  const along = openAlong(ring, row);
  return {
    id,
    organizationId,
    kind,
    ownerId,
    url,
    enabled,
    active,
    policy,
    headers: headersOf(along),
    query: along.query,
    legacyKey:
      row.legacyKeySealed === null
        ? null
        : unseal(ring, row.legacyKeySealed, sealedRow(id, "legacy_key")),
    signers: row.signingKeys
      .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
      .map(({ id: keyId, algorithm, sealed }) => ({
        algorithm,
        secret: unseal(ring, sealed, sealedRow(id, keyId)),
      })),
  };
}
