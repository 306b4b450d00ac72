import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import { apiKeys, audit, members, memberships, organizations, users } from "../db/accounts";
import { foldEmail } from "./email";
import { hashPassword, hashSecret } from "./secret";
import { SCOPES } from "./scope";
import { findBySecrets } from "./store";

export type Bootstrap = {
  organizationName: string;
  organizationSecret: string;
  userSecret: string;
  apiKey: string;
  email: string;
  password: string;
};

/** When, from which IP address and in which request it was asked for: for the audit log. */
export type Asked = { at: number; address: string | null; requestId: string };

/**
 * The first organization with its owner, first user and API key, made once. Called again with the same organization
 * secret, it returns what is there. Owner and first user share e-mail and password but are two rows: the owner signs
 * in to the console; the user signs in to the app surface and holds the connector surface's user secret.
 * @returns undefined when the database has another organization.
 */
export async function bootstrap(
  db: D1Database,
  first: Bootstrap,
  asked: Asked,
): Promise<{ organizationId: number; userId: number } | undefined> {
  const orm = drizzle(db);
  const existing = await findBySecrets(db, first.userSecret, first.organizationSecret, asked.at);
  if (existing !== undefined) return existing;
  if (await hasOrganization(db)) return undefined;
  try {
    await orm.batch(rowsOf(orm, first, asked));
  } catch (error) {
    // Two callers may both find an empty database; both insert id 1, so only one of them writes.
    if (!(await hasOrganization(db))) throw error;
    return findBySecrets(db, first.userSecret, first.organizationSecret, asked.at);
  }
  return { organizationId: 1, userId: 1 };
}

/** Whether a deployment has been set up. */
export const hasOrganization = async (db: D1Database): Promise<boolean> =>
  (await drizzle(db).select({ id: organizations.id }).from(organizations).limit(1)).length > 0;

function rowsOf(orm: DrizzleD1Database, first: Bootstrap, { at: now, ...from }: Asked) {
  const passwordHash = hashPassword(first.password, crypto.getRandomValues(new Uint8Array(16)));
  return [
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
      email: foldEmail(first.email),
      passwordHash,
      createdAt: now,
    }),
    orm
      .insert(memberships)
      .values({ organizationId: 1, memberId: 1, role: "owner", joinedAt: now, createdAt: now }),
    orm.insert(apiKeys).values({
      id: crypto.randomUUID(),
      organizationId: 1,
      name: "first key",
      keyHash: hashSecret(first.apiKey),
      scopes: [...SCOPES],
      createdAt: now,
    }),
    orm.insert(audit).values({
      organizationId: 1,
      at: now,
      actor: "bootstrap",
      action: "organization.create",
      target: "1",
      route: "POST /v1/bootstrap",
      changes: Object.keys(first),
      ...from,
    }),
  ] as const;
}
