import type { Resource } from "../../connectors/definition";
import type { BulkFeed } from "../../connectors/feed";
import type { Happened } from "../../stream/event";
import type { Instance } from "../../instances/instance";
import { type Cursor, type Position, positionOf, underRule, windowStart } from "../cursor";
import { withCurrentNames } from "../plan";
import type { PolledResource } from "../polled-resource";
import { dateReader, readPage } from "../records";
import { ruleOf } from "../settings";

/** What a bulk feed is asked for one resource: its records that changed after `from` (exclusive, epoch ms). */
export type Window = {
  resource: PolledResource;
  /** The vendor's name of the resource. */
  entity: string;
  position: Position;
  from: number;
  deleted: Resource["deleted"];
};

/**
 * The windows of the resources that a bulk feed can answer for. Those are polled by their lists instead that the feed
 * doesn't cover, whose URL the user has changed, that have not been polled for longer than the feed reaches back, or
 * whose list is half read.
 */
export function bulkWindows(
  { connector, baseline }: Instance,
  cursor: Cursor,
  feed: BulkFeed,
  resources: readonly PolledResource[],
  startedAt: number,
): Window[] {
  return resources.flatMap((resource): Window[] => {
    const name = resource.resource;
    const { objectType: entity, deleted, formerly = {} } = connector.resources[name] ?? {};
    const defaultUrl = connector.events.polling[name]?.["url"];
    if (entity === undefined || !feed.covers(entity) || defaultUrl !== resource.url) return [];
    const position = underRule(positionOf(cursor, name), ruleOf(resource), baseline);
    const from = windowStart(position, baseline, resource);
    const isReached = from > startedAt - feed.maxAgeMs && position.scan === undefined;
    if (!isReached) return [];
    return [{ resource: withCurrentNames(resource, formerly), entity, position, from, deleted }];
  });
}

export type WindowReading = {
  events: Happened[];
  isIdle: boolean;
  /** The new place of the resource; undefined when nothing has to be written. */
  moved: Position | undefined;
};

/** What the records of one window mean: events, and the position the resource moves to. */
export function readWindow(
  { resource, position, from, deleted }: Window,
  records: readonly unknown[],
  source: string,
  startedAt: number,
): WindowReading {
  const { events, candidates } = readPage(records, {
    source,
    resource,
    deleted,
    after: from,
    startedAt,
    templated: true,
    firstPoll: position.last === undefined,
    updated: dateReader(resource.updated),
    created: dateReader(resource.created),
  });
  const isIdle = candidates === 0;
  if (isIdle && position.failures === 0) return { events, isIdle, moved: undefined };
  const { failedAt: _failed, lastError: _error, ...kept } = position;
  return {
    events,
    isIdle,
    moved: { ...kept, failures: 0, ...(isIdle ? {} : { last: startedAt }) },
  };
}
