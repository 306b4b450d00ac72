import { sha256 } from "../values/bytes";

/**
 * The id of an event, derived from its source, its object and the version of that object. So the same change has the
 * same id when polls overlap, a vendor repeats a webhook, or a webhook and a poll both tell of it.
 */
export function eventId(
  source: string,
  objectType: string,
  objectId: string,
  version: string,
): string {
  return sha256(JSON.stringify([source, objectType, objectId, version]), "hex").slice(0, 32);
}

/**
 * The id of an event that nobody can send again, for example an app event without an Idempotency-Key: 12 hex digits of
 * its instant, by which it is found without an index, and 20 random ones. `random`: at least 20 hex digits.
 */
export function onceId(now: number, random: string): string {
  return now.toString(16).padStart(12, "0") + random.slice(0, 20);
}

/** When an id of `onceId` was made. For another id of the same form the instant means nothing; undefined: not its form. */
export function createdAtOfOnceId(id: string): number | undefined {
  return /^[0-9a-f]{32}$/.test(id) ? Number.parseInt(id.slice(0, 12), 16) : undefined;
}
