import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import { apiKeys, members, organizations, users } from "../db/accounts";
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

/**
 * The first organization with its owner, first user and API key, made once. Called again with the same organization
 * secret, it returns what is there. Owner and first user share e-mail and password but are two rows: the owner signs
 * in to the console; the user signs in to the app surface and holds the connector surface's user secret.
 * @returns undefined when the database has another organization.
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
  try {
    await orm.batch(rowsOf(orm, first, now));
  } catch (error) {
    // Two callers may both find an empty database; both insert id 1, so only one of them writes.
    if ((await orm.$count(organizations)) === 0) throw error;
    return findBySecrets(db, first.userSecret, first.organizationSecret, now);
  }
  return { organizationId: 1, userId: 1 };
}

function rowsOf(orm: DrizzleD1Database, first: Bootstrap, now: number) {
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
      organizationId: 1,
      email: foldEmail(first.email),
      role: "owner",
      passwordHash,
      createdAt: now,
    }),
    orm.insert(apiKeys).values({
      id: crypto.randomUUID(),
      organizationId: 1,
      name: "first key",
      keyHash: hashSecret(first.apiKey),
      scopes: [...SCOPES],
      createdAt: now,
    }),
  ] as const;
}
