import { eq } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { destinations, type SigningKey } from "../db/delivery";
import { type Keyring, seal, unseal } from "../db/sealed";
import type { DestinationDraft } from "./destination";
import { openParts, sealedPlace, sealParts, sealUrl } from "./destination-secrets";
import { forgetDestination } from "./destinations.store";

type Row = typeof destinations.$inferSelect;

/**
 * The statement that saves a destination, for the batch in which its owner is saved. (It comes in an array, because
 * awaiting a statement would run it.) What the owner says replaces what it said before. What operators set, signing keys
 * that are being rotated, and whether the destination is switched off stay as they are.
 */
export async function saveDestination(
  db: D1Database,
  ring: Keyring,
  draft: DestinationDraft,
  now: number,
): Promise<[BatchItem<"sqlite">]> {
  return [upsert(db, await valuesOf(db, ring, draft, now))];
}

/** The same statement for a batch of plain SQL. */
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
    url: draft.url === null ? null : sealUrl(ring, draft.id, draft.url),
    headersSealed: sealParts(ring, draft.id, {
      headers: draft.headers,
      query: draft.query ?? {},
      operators: previous === undefined ? {} : openParts(ring, previous).operators,
    }),
    legacyKeySealed:
      draft.legacyKey === null
        ? null
        : seal(ring, draft.legacyKey, sealedPlace(draft.id, "legacy_key")),
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

/** The keys after saving: a secret that the owner gives or changes becomes the one symmetric key. */
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
      unseal(ring, newest.sealed, sealedPlace(draft.id, newest.id)) === draft.signingSecret;
    if (same) return keys;
  }
  const key = newSigningKey(ring, draft.id, draft.signingSecret ?? newSigningSecret(), now);
  return [key, ...keys.filter(({ algorithm }) => algorithm !== "v1")];
}

/** A symmetric key of a destination, that signs from now on. */
export function newSigningKey(
  ring: Keyring,
  destinationId: string,
  secret: string,
  now: number,
): SigningKey {
  const id = `key_${crypto.randomUUID()}`;
  const sealed = seal(ring, secret, sealedPlace(destinationId, id));
  return { id, algorithm: "v1", sealed, createdAt: now, expiresAt: null };
}

/** `whsec_` and base64 of 32 random bytes (Standard Webhooks). */
export function newSigningSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
}
