import { eq, inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { BatchItem } from "drizzle-orm/batch";
import {
  destinations,
  organizations,
  type OrganizationSettings,
  type SigningKey,
} from "../db/schema";
import { type Keyring, seal, unseal } from "../db/sealed";
import type { Destination, DestinationDraft } from "./destination";

type Row = typeof destinations.$inferSelect;

/** How long an isolate trusts what it read: a change elsewhere shows after this at the latest. */
const TRUST_MS = 5_000;

type Known = { destination: Destination; settings: OrganizationSettings };
const known = new Map<string, { until: number; value: Known | undefined }>();

/** The destinations named, with their organizations' settings; unknown ones are absent. */
export async function readDestinations(
  db: D1Database,
  ring: Keyring,
  ids: readonly string[],
  now: number,
): Promise<Map<string, Known>> {
  const missing = [...new Set(ids)].filter((id) => (known.get(id)?.until ?? 0) <= now);
  if (missing.length > 0) {
    const rows = await drizzle(db)
      .select({ row: destinations, settings: organizations.settings })
      .from(destinations)
      .innerJoin(organizations, eq(organizations.id, destinations.organizationId))
      .where(inArray(destinations.id, missing));
    if (known.size > 10_000) known.clear();
    for (const id of missing) known.set(id, { until: now + TRUST_MS, value: undefined });
    for (const { row, settings } of rows)
      known.set(row.id, {
        until: now + TRUST_MS,
        value: { destination: opened(row, ring), settings },
      });
  }
  return new Map(
    ids.flatMap((id) => known.get(id)?.value ?? []).map((value) => [value.destination.id, value]),
  );
}

/** Makes this isolate read a destination anew. */
export function forgetDestination(id: string): void {
  known.delete(id);
}

/**
 * The statement that saves an owner's destination, for the owner's own batch (in an array: a statement
 * that is awaited runs). A change of address or of the secret takes effect with it; keys under rotation
 * and the state of the subscription stay.
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
    headersSealed: seal(ring, JSON.stringify(withQuery(draft)), sealedRow(draft.id, "headers")),
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

/** Secret query parameters lie with the headers, marked by a character no header name has. */
function withQuery({ headers, query = {} }: DestinationDraft): Record<string, string> {
  const marked = Object.entries(query).map(([name, value]) => [`?${name}`, value]);
  return { ...headers, ...Object.fromEntries(marked) };
}

function splitQuery(all: Record<string, string>): Pick<Destination, "headers" | "query"> {
  const entries = Object.entries(all);
  return {
    headers: Object.fromEntries(entries.filter(([name]) => !name.startsWith("?"))),
    query: Object.fromEntries(
      entries
        .filter(([name]) => name.startsWith("?"))
        .map(([name, value]) => [name.slice(1), value]),
    ),
  };
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

export function newSigningSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
}

function opened(row: Row, ring: Keyring): Destination {
  const { id, organizationId, kind, ownerId, url, enabled, active, policy } = row;
  const now = Date.now();
  return {
    id,
    organizationId,
    kind,
    ownerId,
    url,
    enabled,
    active,
    policy,
    ...splitQuery(
      row.headersSealed === null
        ? {}
        : JSON.parse(unseal(ring, row.headersSealed, sealedRow(id, "headers"))),
    ),
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

/** What a destination's sealed value is bound to. */
function sealedRow(id: string, field: string): string {
  return `destinations/${id}/${field}`;
}
