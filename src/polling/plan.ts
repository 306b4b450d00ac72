import type { Resource } from "../connectors/definition";
import { findResource } from "../hub/request";
import type { Instance } from "../instances/instance";
import type { PolledResource } from "./polled-resource";
import {
  type Cursor,
  type Position,
  positionOf,
  sinceEnabled,
  underRule,
  windowStart,
} from "./cursor";
import { type HubRequest, parseHubUrl } from "./hub-url";
import { SCAN_LIVES_MS } from "./limits";
import { dateReader, type Reading } from "./records";
import { ruleOf } from "./settings";
import { expandTemplates, hasTemplate } from "./url-template";

/** What one poll of one resource will ask of the hub, and how it will read the answer. */
export type PollPlan = {
  position: Position;
  /** The URL with its templates expanded. */
  url: string;
  request: HubRequest & { pageSize: number };
  /** How many records a page has as long as that is not too much. */
  normalPageSize: number;
  reading: Reading;
  /** The page at which an earlier poll stopped before the end of the list; undefined: none did. */
  from: unknown;
  /** Pages that the earlier polls have read. */
  pages: number;
  /** Records that they have read. */
  records: number;
  /** Pages are asked for by number or offset, so a record that changes while they are read moves the others. */
  numbered: boolean;
};

/**
 * Plans a poll: goes on with a list that an earlier poll could not finish, or begins a new window at the last poll.
 * Fails when the URL of the poll configuration does not name a list.
 */
export function planResource(
  instance: Instance,
  source: string,
  cursor: Cursor,
  resource: PolledResource,
  now: number,
): ({ ok: true } & PollPlan) | { ok: false; position: Position; message: string } {
  const position = sinceEnabled(
    underRule(positionOf(cursor, resource.resource), ruleOf(resource), instance.baseline),
    instance.enabledAt,
  );
  const { scan } = position;
  const movedAt = scan?.movedAt ?? scan?.startedAt ?? 0;
  const unfinished = movedAt > now - SCAN_LIVES_MS ? scan : undefined;
  const after = unfinished?.after ?? windowStart(position, instance.baseline, resource);
  const expanded = expandTemplates(resource.url, after, resource.updated?.format);
  const hub = expanded.ok ? parseHubUrl(expanded.url) : expanded;
  if (!expanded.ok || !hub.ok)
    return { ok: false, position, message: hub.ok ? "The URL can't be read" : hub.message };
  const vendor = findResource(instance.connector, hub.request.resource)?.resource;
  const read = withCurrentNames(resource, vendor?.formerly ?? {});
  const normalPageSize = pageSizeOf(instance, resource, hub.request);
  const pageSize = Math.min(position.pageSize ?? normalPageSize, normalPageSize);
  return {
    ok: true,
    position,
    url: expanded.url,
    request: { ...hub.request, pageSize },
    normalPageSize,
    reading: {
      source,
      resource: read,
      deleted: vendor?.deleted,
      after,
      startedAt: unfinished?.startedAt ?? now,
      templated: hasTemplate(resource.url),
      firstPoll: position.last === undefined,
      updated: dateReader(read.updated),
      created: dateReader(read.created),
    },
    from: unfinished?.position,
    pages: unfinished?.pages ?? 0,
    records: unfinished?.records ?? 0,
    numbered: isNumbered(vendor),
  };
}

/** Whether a resource's pages are asked for by number or offset. */
export const isNumbered = (vendor: Resource | undefined): boolean =>
  vendor?.paging.style === "page" || vendor?.paging.style === "offset";

function pageSizeOf(instance: Instance, resource: PolledResource, request: HubRequest): number {
  const most = Number(instance.configuration["pagination.max"] ?? 100);
  return request.pageSize ?? resource.pageSize ?? (hasTemplate(resource.url) ? most : 20);
}

/** The resource with its fields under the names that the vendor uses now, where it has renamed some (`formerly`). */
export function withCurrentNames(
  resource: PolledResource,
  formerly: Readonly<Record<string, string>>,
): PolledResource {
  const current = (field: string): string =>
    (Object.hasOwn(formerly, field) ? formerly[field] : undefined) ?? field;
  const { idField, updated, created } = resource;
  return {
    ...resource,
    idField: current(idField),
    ...(updated === undefined ? {} : { updated: { ...updated, field: current(updated.field) } }),
    ...(created === undefined ? {} : { created: { ...created, field: current(created.field) } }),
  };
}
