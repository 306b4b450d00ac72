import { sha256 } from "../values/bytes";

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
  return sha256(JSON.stringify([source, objectType, objectId, version]), "hex").slice(0, 32);
}

/**
 * The id of what nobody can bring again: its instant, so that it can be found without an index, and chance.
 * `random`: at least 20 hex digits.
 */
export function onceId(now: number, random: string): string {
  return now.toString(16).padStart(12, "0") + random.slice(0, 20);
}

/** When an id was made, if it was made by `onceId`: any other id tells an instant of no meaning. */
export function instantOfOnceId(id: string): number | undefined {
  return /^[0-9a-f]{32}$/.test(id) ? Number.parseInt(id.slice(0, 12), 16) : undefined;
}
