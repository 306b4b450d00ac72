import { and, eq, gt, isNull, or, type SQL, sql, type SQLWrapper } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { apiKeys, members, organizations, type OrganizationSettings, users } from "../db/accounts";
import { hashPassword, hashSecret } from "./secret";
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
const ALL: readonly Scope[] = ["read", "write", "admin"];

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
      scopes: row.role === "admin" ? ALL : ["read", "write"],
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
      scopes: ALL.filter((scope) => row.scopes.includes(scope)),
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

/** SQL for an organization's settings beside rows of another room; `id` names it there. */
export const settingsOf = (id: SQLWrapper): SQL<OrganizationSettings> =>
  sql`(SELECT o.settings FROM organizations AS o WHERE o.id = ${id})`.mapWith(
    organizations.settings,
  );

export async function readSettings(
  db: D1Database,
  organizationId: number,
): Promise<OrganizationSettings> {
  const [row] = await drizzle(db)
    .select({ settings: organizations.settings })
    .from(organizations)
    .where(eq(organizations.id, organizationId));
  return row?.settings ?? {};
}

/** Lays `changes` over an organization's settings. @returns the settings as they now are. */
export async function changeSettings(
  db: D1Database,
  organizationId: number,
  changes: OrganizationSettings,
): Promise<OrganizationSettings> {
  const [row] = await drizzle(db)
    .update(organizations)
    .set({ settings: sql`json_patch(${organizations.settings}, ${JSON.stringify(changes)})` })
    .where(eq(organizations.id, organizationId))
    .returning({ settings: organizations.settings });
  return row?.settings ?? {};
}

export type { OrganizationSettings };
type Organization = { name: string; settings: OrganizationSettings };

export async function readOrganization(
  db: D1Database,
  organizationId: number,
): Promise<Organization> {
  const [row] = await drizzle(db)
    .select({ name: organizations.name, settings: organizations.settings })
    .from(organizations)
    .where(eq(organizations.id, organizationId));
  if (row === undefined) throw new Error(`Organization ${organizationId} is gone`);
  return row;
}

const DAY_MS = 86_400_000;
const DEFAULT_RETENTION_DAYS = 7;
const retentions = new Cache<number, number>(10_000);

/** How long an organization's events are kept, in milliseconds; believed for a minute. */
export async function readRetention(db: D1Database, organizationId: number): Promise<number> {
  const now = Date.now();
  const known = retentions.get(organizationId, now);
  if (known !== undefined) return known;
  const { retentionDays = DEFAULT_RETENTION_DAYS } = await readSettings(db, organizationId);
  const ms = retentionDays * DAY_MS;
  retentions.set(organizationId, ms, now + 60_000);
  return ms;
}

/** `null` takes a setting away. */
export async function changeOrganization(
  db: D1Database,
  organizationId: number,
  change: {
    name?: string | undefined;
    retentionDays?: number | undefined;
    operationsCallback?: { url: string } | null | undefined;
  },
): Promise<Organization> {
  const { name, ...settings } = change;
  await drizzle(db)
    .update(organizations)
    .set({
      ...(name === undefined ? {} : { name }),
      settings: sql`json_patch(${organizations.settings}, ${JSON.stringify(settings)})`,
    })
    .where(eq(organizations.id, organizationId));
  return readOrganization(db, organizationId);
}

export type Bootstrap = {
  organizationName: string;
  organizationSecret: string;
  userSecret: string;
  apiKey: string;
  email: string;
  password: string;
};

/**
 * The first organization with its owner, first user and API key, made once: on a database that has one, the
 * organization of that secret is told. Owner and user have the same e-mail and password, and are two: one
 * signs in to the console, the other to the app surface, and holds the secret of the connector surface. @returns undefined when another one is there.
 */
export async function bootstrap(
  db: D1Database,
  first: Bootstrap,
  now: number,
): Promise<{ organizationId: number; userId: number } | undefined> {
  const orm = drizzle(db);
  const existing = await findBySecrets(db, first.userSecret, first.organizationSecret, now);
  if (existing !== undefined) return existing;
  if ((await orm.$count(organizations)) > 0) return undefined;
  const passwordHash = hashPassword(first.password, crypto.getRandomValues(new Uint8Array(16)));
  const rows = [
    orm.insert(organizations).values({
      id: 1,
      name: first.organizationName,
      secretHash: hashSecret(first.organizationSecret),
      createdAt: now,
    }),
    orm.insert(users).values({
      id: 1,
      organizationId: 1,
      email: first.email,
      firstName: "Admin",
      secretHash: hashSecret(first.userSecret),
      passwordHash,
      role: "admin",
      createdAt: now,
    }),
    orm.insert(members).values({
      id: 1,
      organizationId: 1,
      email: first.email,
      role: "owner",
      passwordHash,
      createdAt: now,
    }),
    orm.insert(apiKeys).values({
      id: crypto.randomUUID(),
      organizationId: 1,
      name: "first key",
      keyHash: hashSecret(first.apiKey),
      scopes: [...ALL],
      createdAt: now,
    }),
  ] as const;
  try {
    await orm.batch(rows);
  } catch (error) {
    // Two may find nobody here at once: the ids are the same, so one of them has written nothing.
    if ((await orm.$count(organizations)) === 0) throw error;
    return findBySecrets(db, first.userSecret, first.organizationSecret, now);
  }
  return { organizationId: 1, userId: 1 };
}
