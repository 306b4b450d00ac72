import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { destinations, type SigningKey } from "../db/delivery";
import { type Keyring, seal } from "../db/sealed";
import type { Destination, DestinationRecord } from "./destination";
import { sealedRow } from "./packing";
import { forgetDestination, openAlong, sealAlong } from "./destinations.store";

/** What operators may change of a destination; `null` takes a setting away. */
export type PolicyChange = {
  enabled?: boolean | undefined;
  rate?: number | null | undefined;
  ordering?: "none" | "object" | "source" | undefined;
  deadHead?: "skip" | "block" | undefined;
  retrySchedule?: number[] | null | undefined;
  filter?: string | null | undefined;
  transform?: string | null | undefined;
  /** Sent beside the owner's, in place of those of the same name. */
  headers?: Record<string, string> | undefined;
};

/** SQL for a destination's policy, JSON text or null when there is none, beside rows of another room; `id` is SQL too. */
export const policyOf = (id: string): string =>
  `(SELECT policy FROM destinations WHERE destinations.id = ${id})`;

/** Lays a change over a destination. Switching it on also reactivates its subscription. */
export async function changePolicy(
  db: D1Database,
  ring: Keyring,
  destination: Destination,
  change: PolicyChange,
  now: number,
): Promise<void> {
  const { id, organizationId } = destination;
  const { enabled, headers, rate, ...rest } = change;
  const members = Object.entries({ ...rest, ratePerSecond: rate }).filter(
    ([, value]) => value !== undefined,
  );
  const headersSealed =
    headers === undefined ? undefined : await laidOver(db, ring, destination, headers);
  forgetDestination(id);
  await drizzle(db)
    .update(destinations)
    .set({
      policy: sql`json_patch(${destinations.policy}, ${JSON.stringify(Object.fromEntries(members))})`,
      updatedAt: now,
      ...(enabled === undefined ? {} : { enabled }),
      ...(enabled === true ? { active: true } : {}),
      ...(headersSealed === undefined ? {} : { headersSealed }),
    })
    .where(and(eq(destinations.id, id), eq(destinations.organizationId, organizationId)));
}

/** Operators' headers beside the owner's, sealed. */
async function laidOver(
  db: D1Database,
  ring: Keyring,
  { id, organizationId }: Destination,
  operators: Record<string, string>,
): Promise<string | undefined> {
  const [row] = await drizzle(db)
    .select({ id: destinations.id, headersSealed: destinations.headersSealed })
    .from(destinations)
    .where(and(eq(destinations.id, id), eq(destinations.organizationId, organizationId)));
  return row && sealAlong(ring, id, { ...openAlong(ring, row), operators });
}

/** A new key signs from now on; those of its kind that were live end at `retireAt`. */
export async function rotateKey(
  db: D1Database,
  ring: Keyring,
  { destination: { id, organizationId } }: DestinationRecord,
  key: { algorithm: "v1" | "v1a"; secret: string; retireAt: number; now: number },
): Promise<void> {
  const [row] = await drizzle(db)
    .select({ keys: destinations.signingKeys })
    .from(destinations)
    .where(eq(destinations.id, id));
  const keyId = `key_${crypto.randomUUID()}`;
  const { algorithm, now, retireAt } = key;
  const made: SigningKey = {
    id: keyId,
    algorithm,
    sealed: seal(ring, key.secret, sealedRow(id, keyId)),
    createdAt: now,
    expiresAt: null,
  };
  const kept = (row?.keys ?? [])
    .map((old) =>
      old.algorithm === algorithm
        ? { ...old, expiresAt: Math.min(old.expiresAt ?? retireAt, retireAt) }
        : old,
    )
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  forgetDestination(id);
  await drizzle(db)
    .update(destinations)
    .set({ signingKeys: [made, ...kept], updatedAt: now })
    .where(and(eq(destinations.id, id), eq(destinations.organizationId, organizationId)));
}

/** `whsk_` and base64 of 32 random bytes: the seed of an ed25519 key. */
export function newSigningSeed(): string {
  return `whsk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
}
