import { and, eq } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { destinations } from "../db/delivery";
import type { Destination } from "./destination";
import { forgetDestination } from "./destinations.store";

/** The statement that deletes destinations, for a batch of plain SQL in which their owners are deleted. */
export function prepareRemoval(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  for (const id of ids) forgetDestination(id);
  return db
    .prepare("DELETE FROM destinations WHERE id IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(ids));
}

/** The statement that deletes a destination, for the batch in which its owner is deleted. */
export function deleteDestination(db: D1Database, id: string): BatchItem<"sqlite"> {
  forgetDestination(id);
  return drizzle(db).delete(destinations).where(eq(destinations.id, id));
}

/** The statements that delete all destinations of an owner, for the batch in which it is deleted. */
export async function deleteDestinationsOf(
  db: D1Database,
  kind: Destination["kind"],
  ownerId: string,
): Promise<BatchItem<"sqlite">[]> {
  const owned = await drizzle(db)
    .select({ id: destinations.id })
    .from(destinations)
    .where(and(eq(destinations.kind, kind), eq(destinations.ownerId, ownerId)));
  return owned.map(({ id }) => deleteDestination(db, id));
}
