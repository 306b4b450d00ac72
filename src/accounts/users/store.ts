import { and, desc, eq, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { organizations, users } from "../../db/accounts";
import { foldEmail } from "../email";
import { Section } from "../../db/directory/find";
import { tellDirectory } from "../../db/directory/tell";
import { isOpen, isThere, openOrganizations } from "../open.store";
import { hashPassword, hashSecret } from "../secret";
import { tenantBeside } from "../tenants/known.store";
import type { TenantTerms } from "../tenants/tenant";
import { Cache } from "../../values/cache";

export type User = {
  id: number;
  organizationId: number;
  username: string;
  email: string;
  /** Whether what is shared with this address, or its domain, is shared with the user. */
  isEmailVerified: boolean;
  isActive: boolean;
  plan: string;
  metadata: Record<string, unknown> | null;
  /** The customer of the organization that the user is of. */
  tenant: TenantTerms | null;
  tokenVersion: number;
  role: "admin" | "user";
};

/** Why a user gets in nowhere, for people; undefined while they do. */
export function whyOut({
  isActive,
  tenant,
}: Pick<User, "isActive" | "tenant">): string | undefined {
  if (!isActive) return "the user is not active";
  return tenant?.isOff === true ? `the user's tenant '${tenant.id}' is disabled` : undefined;
}

/** How long a user is served from memory: a revoked token may pass for this long. */
const TRUST_MS = 5_000;
const known = new Cache<number, User>(10_000);
const section = new Section<User & { deletingAt: number | null }>("user 2");

const columns = {
  id: users.id,
  organizationId: users.organizationId,
  username: users.username,
  email: users.email,
  isEmailVerified: sql<number>`${users.emailVerifiedAt} IS NOT NULL`.mapWith(Boolean),
  isActive: users.isActive,
  plan: users.plan,
  metadata: users.metadata,
  tenant: tenantBeside(users.organizationId, users.tenantId),
  tokenVersion: users.tokenVersion,
  role: users.role,
};

/** The user of a token; at most a few seconds old. */
export async function readTokenUser(
  db: D1Database,
  id: number,
  now: number,
): Promise<User | undefined> {
  const entry = known.get(id, now);
  if (entry !== undefined) return entry;
  const key = `user:${id}`;
  const found = await section.find([key], async () => {
    const rows = await drizzle(db)
      .select({ ...columns, deletingAt: users.deletingAt })
      .from(users)
      .where(eq(users.id, id));
    return new Map(rows.map((row) => [key, { ...named(row), deletingAt: row.deletingAt }]));
  });
  const { deletingAt = null, ...user } = found.get(key) ?? {};
  if (!("id" in user) || deletingAt !== null) return undefined;
  const open = await openOrganizations(db, [user.organizationId], now);
  if (!open.has(user.organizationId)) return undefined;
  known.set(id, user, now + TRUST_MS);
  return user;
}

/** Drops the user from this isolate's memory, so that the next request reads the row. */
export function forgetUser(id: number): void {
  known.delete(id);
}

/** Drops all users from this isolate's memory. */
export function forgetUsers(): void {
  known.clear();
}

/**
 * The user somebody signs in as, by user name or e-mail address. Addresses are compared trimmed and in lower case.
 * Older rows may differ in case alone: then the one that is spelled exactly so is meant.
 */
export async function findByLogin(
  db: D1Database,
  login: string,
): Promise<(User & { passwordHash: string }) | undefined> {
  // `IS` instead of `=`: a user name may be null.
  const isWritten = sql`(${users.username} IS ${login} OR ${users.email} = ${login})`;
  const folded = foldEmail(login);
  const isFolded = login.includes("@")
    ? sql`(lower(trim(${users.username})) = ${folded} OR lower(trim(${users.email})) = ${folded})`
    : undefined;
  const [row] = await drizzle(db)
    .select({ ...columns, passwordHash: users.passwordHash })
    .from(users)
    .where(and(or(isWritten, isFolded), isThere()))
    .orderBy(desc(isWritten), users.id)
    .limit(1);
  return row === undefined ? undefined : { ...named(row), passwordHash: row.passwordHash };
}

/** The first organization of this deployment: whom open sign-up joins. */
export async function firstOrganizationId(db: D1Database): Promise<number | undefined> {
  const [row] = await drizzle(db)
    .select({ id: organizations.id })
    .from(organizations)
    .where(isOpen)
    .orderBy(organizations.id)
    .limit(1);
  return row?.id;
}

/**
 * Makes a user, in one statement that also checks that nobody of any organization has this name as a user name or
 * e-mail address. @returns undefined when somebody has.
 */
export async function createUser(
  db: D1Database,
  draft: {
    organizationId: number;
    username: string;
    email: string;
    password: string;
    /** Whether the organization's own key says so. */
    isEmailVerified: boolean;
    metadata: Record<string, unknown> | null;
    tenant: string | null;
  },
  now: number,
): Promise<{ id: number; tokenVersion: number } | undefined> {
  const { organizationId, username, email } = draft;
  const passwordHash = hashPassword(draft.password, crypto.getRandomValues(new Uint8Array(16)));
  // Nobody knows this secret: the user has none on the connector surface.
  const secretHash = hashSecret(crypto.randomUUID() + crypto.randomUUID());
  const row = await db
    .prepare(
      `INSERT INTO users (organization_id, username, email, secret_hash, password_hash, metadata, role, created_at, email_verified_at, tenant_id)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'user', ?7, ?9, ?10
       WHERE NOT EXISTS (SELECT 1 FROM users WHERE email IN (?2, ?3))
         AND NOT EXISTS (SELECT 1 FROM users WHERE username IN (?2, ?3))
         AND NOT EXISTS (SELECT 1 FROM users, json_each(?8) AS folded WHERE lower(trim(email)) = folded.value)
         AND NOT EXISTS (SELECT 1 FROM users, json_each(?8) AS folded WHERE lower(trim(username)) = folded.value)
       ON CONFLICT DO NOTHING RETURNING id, token_version AS tokenVersion`,
    )
    .bind(
      organizationId,
      username,
      email,
      secretHash,
      passwordHash,
      draft.metadata === null ? null : JSON.stringify(draft.metadata),
      now,
      JSON.stringify([username, email].filter((name) => name.includes("@")).map(foldEmail)),
      draft.isEmailVerified ? now : null,
      draft.tenant,
    )
    .first<{ id: number; tokenVersion: number }>();
  return row ?? undefined;
}

/** Sets a new password and makes every older token worthless. */
export async function changePassword(
  db: D1Database,
  userId: number,
  password: string,
): Promise<void> {
  const passwordHash = hashPassword(password, crypto.getRandomValues(new Uint8Array(16)));
  await drizzle(db)
    .update(users)
    .set({ passwordHash, tokenVersion: sql`${users.tokenVersion} + 1` })
    .where(and(eq(users.id, userId)));
  await tellDirectory(db, `user:${userId}`);
  forgetUser(userId);
}

/**
 * Notes since when an address is known to be its user's; null: it isn't.
 * @returns the user's address, which stays as it is when it is another one; undefined for an unknown user.
 */
export async function noteVerified(
  db: D1Database,
  user: { organizationId: number; id: number },
  folded: string | undefined,
  emailVerifiedAt: number | null,
): Promise<string | undefined> {
  const orm = drizzle(db);
  const isThis = and(eq(users.organizationId, user.organizationId), eq(users.id, user.id));
  const [row] = await orm.select({ email: users.email }).from(users).where(isThis);
  if (row === undefined || (folded !== undefined && foldEmail(row.email) !== folded))
    return row?.email;
  await orm
    .update(users)
    .set({ emailVerifiedAt })
    .where(and(isThis, eq(users.email, row.email)));
  await tellDirectory(db, `user:${user.id}`);
  forgetUser(user.id);
  return row.email;
}

function named(row: Omit<User, "username"> & { username: string | null }): User {
  return { ...row, username: row.username ?? row.email };
}
