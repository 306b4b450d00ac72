import { feeds } from "../connectors/parsers";
import type { Connector } from "../connectors/definition";

/**
 * A webhook can wake the poll of its instance at once, and that poll reads only what the webhook was about. Each
 * delivery leaves a key in the stream's state, `touched|<time>|<type>`. The woken poll reads the keys, polls those
 * types, and removes exactly the keys it read, if all went well; a delivery that came meanwhile stays for the next.
 * Example: two deliveries about contacts and one about deals leave three keys and wake one poll, which reads contacts
 * and deals and no other resource. Polls by schedule read everything and do not look at the keys.
 */
export const TOUCHED = "touched|";

/** The keys that a delivery leaves; none where the connector reads all changes from one feed anyway. */
export function touchedState(
  { events }: Pick<Connector, "events">,
  objectTypes: readonly string[],
  at: number,
): { key: string; value: string }[] {
  const kind = events.feed === undefined ? undefined : feeds[events.feed].kind;
  if (kind === "log" || kind === "tree") return [];
  return [...new Set(objectTypes)].map((type) => ({ key: `${TOUCHED}${at}|${type}`, value: "" }));
}

/** The object type in a key of `touchedState`. */
export function touchedType(key: string): string {
  return key.slice(key.indexOf("|", TOUCHED.length) + 1);
}
