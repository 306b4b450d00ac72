import type { Connector } from "../connectors/definition";
import { dateReader, readPage } from "./records";
import { polledResources } from "./settings";
import { isoText } from "../values/instant";

/** The events that a first poll of these records would make, had it begun at the beginning of time. */
export function preview(
  connector: Connector,
  resource: string,
  records: readonly unknown[],
): { objectType: string; objectId: string; eventType: string; date: string | null }[] {
  const polled = polledResources({ connector, configuration: {} });
  const found = polled.ok ? polled.resources.find((one) => one.resource === resource) : undefined;
  if (found === undefined) return [];
  const { events, undated } = readPage(records, {
    source: "preview",
    resource: found,
    deleted: connector.resources[resource]?.deleted,
    after: -Infinity,
    startedAt: 0,
    templated: true,
    firstPoll: false,
    updated: dateReader(found.updated),
    created: dateReader(found.created),
  });
  return [
    ...events.map(({ objectType, objectId, eventType, date }) => ({
      objectType,
      objectId,
      eventType,
      date: isoText(date),
    })),
    ...undated.map(({ objectId, deleted }) => ({
      objectType: resource,
      objectId,
      eventType: deleted ? "DELETED" : "UPDATED",
      date: null,
    })),
  ];
}
