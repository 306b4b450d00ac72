import { createHash } from "node:crypto";

/**
 * The id of an event, derived from what makes it the same event: its source, its object, and the version
 * of that object. Seen again — overlap, redelivery, webhook and poll — it has the same id.
 */
export function eventId(
  source: string,
  objectType: string,
  objectId: string,
  version: string,
): string {
  return digest(JSON.stringify([source, objectType, objectId, version])).slice(0, 32);
}

/** SHA-256 in hex: content hashes of records that tell no date. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
