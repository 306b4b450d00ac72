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
 * The first organization with its owner, first user and API key, made once: on a database that has one, the
 * organization of that secret is told. Owner and user have the same e-mail and password, and are two: one
 * signs in to the console, the other to the app surface, and holds the secret of the connector surface.
 * @returns undefined when another one is there.
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
    // Two may find nobody here at once: the ids are the same, so one of them has written nothing.
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
