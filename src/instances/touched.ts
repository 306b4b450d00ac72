import { feeds } from "../connectors/parsers";
import type { Connector } from "../connectors/definition";

/**
 * What webhooks touched since the last woken poll: keys of the stream's state, one a delivery and type, so
 * that a poll takes away exactly those it has read.
 */
export const TOUCHED = "touched|";

/** The state that a delivery leaves for the poll it wakes; none where one feed tells of everything. */
export function touchedState(
  { events }: Pick<Connector, "events">,
  objectTypes: readonly string[],
  at: number,
): { key: string; value: string }[] {
  const kind = events.feed === undefined ? undefined : feeds[events.feed].kind;
  if (kind === "log" || kind === "tree") return [];
  return [...new Set(objectTypes)].map((type) => ({ key: `${TOUCHED}${at}|${type}`, value: "" }));
}

/** The vendor's name of what a key of `touchedState` tells of. */
export function touchedType(key: string): string {
  return key.slice(key.indexOf("|", TOUCHED.length) + 1);
}
