import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { users } from "../../db/accounts";
import { within } from "../../db/within";

/** What an organization's users are called; those that it hasn't are absent. */
export async function userNames(
  db: D1Database,
  organizationId: number,
  ids: readonly number[],
): Promise<{ id: number; name: string }[]> {
  if (ids.length === 0) return [];
  const rows = await drizzle(db)
    .select({ id: users.id, username: users.username, email: users.email })
    .from(users)
    .where(and(eq(users.organizationId, organizationId), within(users.id, ids)));
  return rows.map(({ id, username, email }) => ({ id, name: username ?? email }));
}
