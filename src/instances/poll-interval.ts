import type { Connector } from "../connectors/definition";
import { isStreamFeed } from "../connectors/parsers";
import { parseExactly } from "../values/json";
import { isObject } from "../values/record";
import { wholeNumber } from "../values/whole-number";

/** The field of a resource's poll configuration, in any case, that says how often it is polled, in minutes. */
const FIELD = "refreshinterval";

/**
 * How often an instance is polled, in minutes: as often as that of its resources that is polled most often. A resource
 * without an interval of its own has the instance's (`usual`), as has a feed of the whole account.
 */
export function pollInterval(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
  usual: number,
): number {
  if (!hasOwnIntervals(connector, values)) return usual;
  const parsed = parseExactly(configurationOf(connector, values));
  const own =
    parsed.ok && isObject(parsed.value) ? Object.values(parsed.value).map(ownInterval) : [];
  const all = own.map((minutes) => minutes ?? usual);
  return Math.min(...(isStreamFeed(connector) || all.length === 0 ? [usual] : []), ...all);
}

/** Whether resources may have intervals of their own: without reading the configuration, since most have none. */
export const hasOwnIntervals = (
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
): boolean => configurationOf(connector, values).toLowerCase().includes(FIELD);

/** The instance's poll configuration, or else the connector's, as JSON. */
function configurationOf(
  { events }: Connector,
  values: Readonly<Record<string, string | null>>,
): string {
  const own = values["event.poller.configuration"] ?? "";
  return /[^\s{}]/.test(own) ? own : JSON.stringify(events.polling);
}

function ownInterval(resource: unknown): number | undefined {
  if (!isObject(resource)) return undefined;
  const [, value] = Object.entries(resource).find(([key]) => key.toLowerCase() === FIELD) ?? [];
  return wholeNumber(typeof value === "string" ? value.trim() : JSON.stringify(value ?? null));
}
