import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flows } from "../db/flows";
import { within } from "../db/within";

/** What an organization's flows are called; those that it hasn't are absent. */
export async function flowNames(
  db: D1Database,
  organizationId: number,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await drizzle(db)
    .select({ id: flows.id, name: flows.name })
    .from(flows)
    .where(and(eq(flows.organizationId, organizationId), within(flows.id, ids)));
  return new Map(rows.map(({ id, name }) => [id, name]));
}
