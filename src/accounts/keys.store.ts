import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { apiKeys } from "../db/accounts";
import { tellDirectory } from "../db/directory/tell";

export type KeyRow = typeof apiKeys.$inferSelect;

export async function listKeys(db: D1Database, organizationId: number): Promise<KeyRow[]> {
  return drizzle(db)
    .select()
    .from(apiKeys)
    .where(eq(apiKeys.organizationId, organizationId))
    .orderBy(apiKeys.createdAt);
}

export async function insertKey(db: D1Database, row: KeyRow): Promise<void> {
  await drizzle(db).insert(apiKeys).values(row);
}

export async function deleteKey(
  db: D1Database,
  organizationId: number,
  id: string,
): Promise<KeyRow | undefined> {
  const [row] = await drizzle(db)
    .delete(apiKeys)
    .where(and(eq(apiKeys.id, id), eq(apiKeys.organizationId, organizationId)))
    .returning();
  await tellDirectory(db, `api-key:${id}`);
  return row;
}

/**
 * Gives a key another secret. The one it had works until `previousExpiresAt`; an older one stops at once.
 * @returns undefined when the key is gone.
 */
export async function rotateKey(
  db: D1Database,
  organizationId: number,
  id: string,
  { keyHash, previousExpiresAt }: { keyHash: string; previousExpiresAt: number },
): Promise<KeyRow | undefined> {
  const [row] = await drizzle(db)
    .update(apiKeys)
    .set({ keyHash, previousHash: sql`${apiKeys.keyHash}`, previousExpiresAt })
    .where(and(eq(apiKeys.id, id), eq(apiKeys.organizationId, organizationId)))
    .returning();
  await tellDirectory(db, `api-key:${id}`);
  return row;
}
