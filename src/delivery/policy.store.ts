import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import {
  type DestinationPolicy,
  destinations,
  type Selectors,
  type SigningKey,
} from "../db/delivery";
import { tellDirectory } from "../db/directory/tell";
import { type Keyring, seal } from "../db/sealed";
import {
  changeOf,
  type Destination,
  type DestinationRecord,
  type EndpointTraits,
} from "./destination";
import { MASK } from "../values/secret-name";
import {
  type GivenSending,
  openParts,
  sealedPlace,
  sealParts,
  sealSending,
  sealUrl,
} from "./destination-secrets";
import { forgetDestination } from "./destinations.store";
import { forgetEndpoints } from "./endpoints.store";
import type { Pause } from "./state";

/** Traits of an endpoint that change; members of its selectors, too. */
export type EndpointChange = Partial<Omit<EndpointTraits, "selectors">> & {
  selectors?: Partial<Selectors>;
};

/** What operators may change of a destination; `null` removes a setting. */
export type PolicyChange = GivenSending & {
  enabled?: boolean | undefined;
  rate?: number | null | undefined;
  ordering?: "none" | "object" | "source" | undefined;
  deadHead?: "skip" | "block" | undefined;
  retrySchedule?: number[] | null | undefined;
  /** When exhausted tries switch it off: at once, never, or after failures that span so many days. */
  deactivate?: "exhausted" | "never" | number | null | undefined;
  /** JSONata, applied when a source commits its events: one that it turns away becomes no notification. */
  filter?: string | null | undefined;
  /** JSONata, applied to the body of each call. */
  transform?: string | null | undefined;
  format?: DestinationPolicy["format"] | undefined;
  schemaVersion?: number | null | undefined;
  batch?: DestinationPolicy["batch"] | null | undefined;
  debounceMs?: number | null | undefined;
  timeoutMs?: number | null | undefined;
  concurrency?: number | null | undefined;
  /** Sent beside the owner's, in place of those of the same name. */
  headers?: Record<string, string> | undefined;
  /** Of an endpoint. What waits for it goes to the new URL. */
  url?: string | undefined;
  /** Of an endpoint: its traits that change. */
  traits?: EndpointChange | undefined;
};

/**
 * SQL for a destination's policy, JSON text or null when there is none, beside rows of another room; `id` is SQL too.
 */
export const policyOf = (id: string): string =>
  `(SELECT policy FROM destinations WHERE destinations.id = ${id})`;

/**
 * Changes the settings named, and leaves the others. Enabling a destination also makes its subscription active, and
 * forgets its failures. @throws what D1 throws for a name that another destination of the organization has.
 */
export async function changePolicy(
  db: D1Database,
  ring: Keyring,
  destination: Destination,
  change: PolicyChange,
  now: number,
): Promise<void> {
  const { id, organizationId } = destination;
  const { enabled, headers, url } = change;
  const { selectors, ...traits } = change.traits ?? {};
  const headersSealed =
    headers === undefined ? undefined : await withOperators(db, ring, destination, headers);
  forgetDestination(id);
  await drizzle(db)
    .update(destinations)
    .set({
      policy: patched(destinations.policy, policyMembers(ring, destination, change)),
      updatedAt: now,
      ...(enabled === undefined ? {} : { enabled }),
      ...(enabled === true ? { active: true, paused: null, failing: null } : {}),
      ...(enabled === false && destination.enabled ? { paused: byOwner(now) } : {}),
      ...(headersSealed === undefined ? {} : { headersSealed }),
      ...(url === undefined ? {} : { url: sealUrl(ring, id, url) }),
      ...traits,
      ...(selectors && { selectors: patched(destinations.selectors, selectors) }),
    })
    .where(and(eq(destinations.id, id), eq(destinations.organizationId, organizationId)));
  if (destination.kind === "endpoint") forgetEndpoints(organizationId, destination.tenant);
  await tellDirectory(db, changeOf(destination));
}

/** What a change says of the policy alone, secrets sealed; null where a member is removed. */
export function policyMembers(
  ring: Keyring,
  destination: Pick<Destination, "id" | "policy" | "auth">,
  change: PolicyChange,
): Record<string, unknown> {
  const { enabled: _e, headers: _h, url: _u, traits: _t, signature, auth, rate, ...rest } = change;
  const sealed = sealSending(ring, destination, { signature, auth });
  const members = Object.entries({ ...rest, ...sealed, ratePerSecond: rate });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** A column of JSON with these members in place of those of their names, or without those that are null. */
function patched(column: AnySQLiteColumn, members: object) {
  const replaced = Object.keys(members).map((name) => sql`, ${`$.${name}`}`);
  const rest = sql`json_remove(${column}${sql.join(replaced)})`;
  return sql`json_patch(${rest}, ${JSON.stringify(members)})`;
}

const byOwner = (since: number): Pause => ({
  by: "owner",
  since,
  because: "It was switched off by hand",
});

/** The sealed parts of the requests, with these as the operators' headers. */
async function withOperators(
  db: D1Database,
  ring: Keyring,
  { id, organizationId }: Destination,
  operators: Record<string, string>,
): Promise<string | undefined> {
  const [row] = await drizzle(db)
    .select({ id: destinations.id, headersSealed: destinations.headersSealed })
    .from(destinations)
    .where(and(eq(destinations.id, id), eq(destinations.organizationId, organizationId)));
  if (row === undefined) return undefined;
  const parts = openParts(ring, row);
  // A mask keeps what is sent now: the operators' own value, else the owner's, which stays where it is.
  const kept = Object.entries(operators).flatMap(([name, value]): [string, string][] => {
    if (value !== MASK) return [[name, value]];
    const own = parts.operators[name];
    return own === undefined ? [] : [[name, own]];
  });
  return sealParts(ring, id, { ...parts, operators: Object.fromEntries(kept) });
}

/** Adds a key that signs from now on; the earlier ones of its algorithm sign too until `retireAt`. */
export async function rotateKey(
  db: D1Database,
  ring: Keyring,
  { destination }: DestinationRecord,
  key: { algorithm: "v1" | "v1a"; secret: string; retireAt: number; now: number },
): Promise<void> {
  const { id, organizationId } = destination;
  const [row] = await drizzle(db)
    .select({ keys: destinations.signingKeys })
    .from(destinations)
    .where(eq(destinations.id, id));
  const keyId = `key_${crypto.randomUUID()}`;
  const { algorithm, now, retireAt } = key;
  const made: SigningKey = {
    id: keyId,
    algorithm,
    sealed: seal(ring, key.secret, sealedPlace(id, keyId)),
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
  await tellDirectory(db, changeOf(destination));
}

/** `whsk_` and base64 of 32 random bytes: the seed of an ed25519 key. */
export function newSigningSeed(): string {
  return `whsk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
}
