import { drizzle } from "drizzle-orm/d1";
import type { Keyring } from "../../db/sealed";
import type { DestinationDraft } from "../../delivery/destination";
import { deleteDestination } from "../../delivery/remove-destination.store";
import { saveDestination } from "../../delivery/save-destination.store";

export async function saveSubscription(
  db: D1Database,
  ring: Keyring,
  draft: DestinationDraft,
): Promise<void> {
  await drizzle(db).batch(await saveDestination(db, ring, draft, Date.now()));
}

export async function removeSubscription(db: D1Database, destinationId: string): Promise<void> {
  await drizzle(db).batch([deleteDestination(db, destinationId)]);
}
