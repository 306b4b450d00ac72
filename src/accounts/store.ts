import { and, eq, gt, isNull, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { apiKeys, organizations, users } from "../db/accounts";
import { hashSecret } from "./secret";
import { Cache } from "../values/cache";

/** Who is asking, and in whose name. */
export type Asker = {
  organizationId: number;
  userId: number;
  scopes: readonly Scope[];
  /** For the audit log: `user:1`, `member:1`, `key:…`. */
  name: string;
};
export type Scope = "read" | "write" | "admin";
export const ALL_SCOPES: readonly Scope[] = ["read", "write", "admin"];

/** A revoked secret is refused after this at the latest, one that expired at once; until then nobody asks the database again. */
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
          organizationHash === undefined
            ? undefined
            : eq(organizations.secretHash, organizationHash),
        ),
      );
    if (row === undefined) return undefined;
    const asker: Asker = {
      organizationId: row.organizationId,
      userId: row.id,
      scopes: row.role === "admin" ? ALL_SCOPES : ["read", "write"],
      name: `user:${row.id}`,
    };
    return { asker, until: null };
  });
}

/** The organization an API key speaks for, in the name of its first administrator. */
export function findByApiKey(db: D1Database, key: string, now: number): Promise<Asker | undefined> {
  const keyHash = hashSecret(key);
  return trusted(keyHash, now, async () => {
    const [row] = await drizzle(db)
      .select({
        id: apiKeys.id,
        organizationId: apiKeys.organizationId,
        scopes: apiKeys.scopes,
        expiresAt: apiKeys.expiresAt,
        userId: users.id,
      })
      .from(apiKeys)
      .innerJoin(
        users,
        and(eq(users.organizationId, apiKeys.organizationId), eq(users.role, "admin")),
      )
      .where(
        and(
          eq(apiKeys.keyHash, keyHash),
          or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)),
        ),
      )
      .orderBy(users.id)
      .limit(1);
    if (row === undefined) return undefined;
    const asker: Asker = {
      organizationId: row.organizationId,
      userId: row.userId,
      scopes: ALL_SCOPES.filter((scope) => row.scopes.includes(scope)),
      name: `key:${row.id}`,
    };
    return { asker, until: row.expiresAt };
  });
}

async function trusted(
  key: string,
  now: number,
  find: () => Promise<{ asker: Asker; until: number | null } | undefined>,
): Promise<Asker | undefined> {
  const known = askers.get(key, now);
  if (known !== undefined) return known;
  const found = await find();
  if (found === undefined) return undefined;
  const { asker, until } = found;
  askers.set(key, asker, Math.min(now + TRUST_MS, until ?? Infinity));
  return asker;
}

/** Makes this isolate ask the database again. */
export function forgetAskers(): void {
  askers.clear();
}

export async function readUser(
  db: D1Database,
  userId: number,
): Promise<{ id: number; emailAddress: string; firstName: string; lastName: string } | undefined> {
  const [row] = await drizzle(db)
    .select({
      id: users.id,
      emailAddress: users.email,
      firstName: users.firstName,
      lastName: users.lastName,
    })
    .from(users)
    .where(eq(users.id, userId));
  return row;
}
