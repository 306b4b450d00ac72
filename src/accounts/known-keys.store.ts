import { and, eq, getTableColumns, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { apiKeys, users } from "../db/accounts";
import { formOf, Section } from "../db/directory/find";
import type { KeyRow } from "./keys.store";
import { isThere } from "./open.store";

/** An API key as every isolate knows it. `lastUsedAt`: as it was when the directory learned of the key. */
type KnownKey = KeyRow & {
  /** The organization's first administrator, in whose name the key speaks. */
  userId: number;
};

const section = new Section<KnownKey>(formOf(apiKeys));

/** The key that has, or had before it was rotated, a secret with this digest; of an organization that is there. */
export async function readKnownKey(db: D1Database, hash: string): Promise<KnownKey | undefined> {
  const key = `api-key:${hash}`;
  const found = await section.find([key], async () => {
    const rows = await drizzle(db)
      .select({ ...getTableColumns(apiKeys), userId: users.id })
      .from(apiKeys)
      .innerJoin(
        users,
        and(eq(users.organizationId, apiKeys.organizationId), eq(users.role, "admin")),
      )
      .where(and(isThere(), or(eq(apiKeys.keyHash, hash), eq(apiKeys.previousHash, hash))))
      .orderBy(users.id)
      .limit(1);
    return new Map(rows.map((row) => [key, row]));
  });
  return found.get(key);
}
