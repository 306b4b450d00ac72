import { and, eq, isNull, lte, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { apiKeys, organizations, users } from "../db/accounts";
import { type Limits, type Scope, SCOPES } from "./scope";
import { within } from "../db/within";
import { areOf, ownerNamed } from "./members/member-secrets";
import { scopesOf } from "./members/role";
import { findMember } from "./members/store";
import type { KeyRow } from "./keys.store";
import { readKnownKey } from "./known-keys.store";
import { isThere } from "./open.store";
import { hashSecret } from "./secret";
import { Cache } from "../values/cache";

/** Who is asking, and in whose name. */
export type Asker = {
  organizationId: number;
  userId: number;
  scopes: readonly Scope[];
  /** For the audit log: `user:1`, `member:1`, `key:…`. */
  name: string;
  /** Absent: everything of the organization. */
  limits?: Limits;
};

/** How long who is asking is served from memory: a revoked secret may pass for this long, an expired one never does. */
const TRUST_MS = 5_000;
const askers = new Cache<string, Asker>(10_000);

/** The user a secret belongs to; with an organization's secret, both must fit. */
export function findBySecrets(
  db: D1Database,
  user: string,
  organization: string | undefined,
  now: number,
): Promise<Asker | undefined> {
  const userHash = hashSecret(user);
  const organizationHash = organization === undefined ? undefined : hashSecret(organization);
  return trusted(`${userHash} ${organizationHash ?? ""}`, now, async () => {
    const [row] = await drizzle(db)
      .select({ id: users.id, organizationId: users.organizationId, role: users.role })
      .from(users)
      .innerJoin(organizations, eq(organizations.id, users.organizationId))
      .where(
        and(
          eq(users.secretHash, userHash),
          isThere(),
          eq(users.isActive, true),
          organizationHash === undefined
            ? undefined
            : eq(organizations.secretHash, organizationHash),
        ),
      );
    if (row === undefined) return undefined;
    const asker: Asker = {
      organizationId: row.organizationId,
      userId: row.id,
      scopes: row.role === "admin" ? SCOPES : ["read", "write"],
      name: `user:${row.id}`,
    };
    return { asker, until: Infinity };
  });
}

/** An owner, by the secrets that signing in gave them (`members/member-secrets.ts`). */
export function findByMemberSecrets(
  db: D1Database,
  sessionKey: string,
  given: { user: string; organization: string | undefined },
  now: number,
): Promise<Asker | undefined> {
  const digest = hashSecret(JSON.stringify([given.user, given.organization ?? null]));
  return trusted(digest, now, async () => {
    const named = ownerNamed(given.user);
    const member = named && (await findMember(db, named));
    if (member?.role !== "owner" || !areOf(member, given, sessionKey)) return undefined;
    const { organizationId, userId, role, id } = member;
    const asker = { organizationId, userId, scopes: scopesOf(role), name: `member:${id}` };
    return { asker, until: Infinity };
  });
}

/** Keys note the hour they were last used in. */
const NOTED_EVERY_MS = 3_600_000;
/** Keys of which this isolate has noted it. */
const noted = new Cache<string, true>(10_000);

/**
 * The organization an API key speaks for, in the name of its first administrator. `later` is given the note of
 * its use, at most once an hour: nobody waits for it.
 */
export function findByApiKey(
  db: D1Database,
  key: string,
  now: number,
  later: (work: Promise<unknown>) => void,
): Promise<Asker | undefined> {
  const keyHash = hashSecret(key);
  return trusted(keyHash, now, async () => {
    const row = await readKnownKey(db, keyHash);
    if (row === undefined) return undefined;
    const until = goodUntil(row, keyHash);
    if (until <= now) return undefined;
    if ((row.lastUsedAt ?? 0) <= now - NOTED_EVERY_MS && noted.get(row.id, now) === undefined) {
      noted.set(row.id, true, now + NOTED_EVERY_MS);
      later(noteUse(db, row.id, now));
    }
    const asker: Asker = {
      organizationId: row.organizationId,
      userId: row.userId,
      scopes: SCOPES.filter((scope) => row.scopes.includes(scope)),
      name: `key:${row.id}`,
      ...(row.limits === null ? {} : { limits: { tenants: [], ...row.limits } }),
    };
    return { asker, until };
  });
}

/** When a key ends to be good, by its present secret or the one before. */
function goodUntil(
  { expiresAt, previousHash, previousExpiresAt }: KeyRow,
  keyHash: string,
): number {
  const rotatedOut = previousHash === keyHash ? (previousExpiresAt ?? 0) : Infinity;
  return Math.min(expiresAt ?? Infinity, rotatedOut);
}

/** Does nothing when another isolate has noted this hour already. */
async function noteUse(db: D1Database, id: string, now: number): Promise<void> {
  await drizzle(db)
    .update(apiKeys)
    .set({ lastUsedAt: now })
    .where(
      and(
        eq(apiKeys.id, id),
        or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, now - NOTED_EVERY_MS)),
      ),
    );
}

async function trusted(
  key: string,
  now: number,
  find: () => Promise<{ asker: Asker; until: number } | undefined>,
): Promise<Asker | undefined> {
  const known = askers.get(key, now);
  if (known !== undefined) return known;
  const found = await find();
  if (found === undefined) return undefined;
  const { asker, until } = found;
  askers.set(key, asker, Math.min(now + TRUST_MS, until));
  return asker;
}

/** Drops everybody from this isolate's memory, so that the next request reads the rows. */
export function forgetAskers(): void {
  askers.clear();
}

/** Users of any organization, by id, in one query. */
export async function readUsers(
  db: D1Database,
  ids: readonly number[],
): Promise<Map<number, { id: number; emailAddress: string; firstName: string; lastName: string }>> {
  const rows = await drizzle(db)
    .select({
      id: users.id,
      emailAddress: users.email,
      firstName: users.firstName,
      lastName: users.lastName,
    })
    .from(users)
    .where(within(users.id, [...new Set(ids)]));
  return new Map(rows.map((row) => [row.id, row]));
}
