import { RE2JS } from "re2js";
import type { Connector } from "../connectors/definition";
import { feeds } from "../connectors/parsers";
import type { Fault } from "../instances/check";
import type { Instance } from "../instances/instance";
import type { PolledResource } from "./polled-resource";
import { parsePollingConfiguration, type PollingConfiguration } from "./configuration";
import { parseHubUrl } from "./hub-url";

/** The resources an instance polls. */
export function polledResources(
  instance: Pick<Instance, "connector" | "configuration">,
): PollingConfiguration {
  const { connector, configuration } = instance;
  return parsePollingConfiguration(
    {
      configuration: configuration["event.poller.configuration"] ?? undefined,
      urls: configuration["event.poller.urls"] ?? null,
      objects: configuration["event.objects"] ?? null,
    },
    connector.events.polling,
    defaultIdField(connector),
    (name) => otherResource(connector, name),
  );
}

/** How a resource is polled that the connector knows by a pattern only (any sObject). */
function otherResource({ events, resources }: Connector, name: string): unknown {
  const { pollingOther } = events;
  if (pollingOther === undefined || !RE2JS.compile(pollingOther.pattern).matches(name))
    return undefined;
  const { path, configuration } = pollingOther;
  const hub = Object.hasOwn(resources, name) ? name : path.replaceAll("{name}", name);
  return JSON.parse(JSON.stringify(configuration).replaceAll("{name}", hub));
}

/** What is wrong with an instance's poll configuration, for those who save it. */
export function pollingFault(
  instance: Pick<Instance, "connector" | "configuration">,
): Fault | undefined {
  const parsed = polledResources(instance);
  if (!parsed.ok)
    return {
      field: `configuration.${parsed.field}`,
      message: `${parsed.field}: ${parsed.message}`,
    };
  for (const { resource, url } of parsed.resources) {
    const hub = parseHubUrl(url);
    const field = `event.poller.configuration.${resource}.url`;
    if (!hub.ok) return { field: `configuration.${field}`, message: `${field}: ${hub.message}` };
  }
  return undefined;
}

/** Requests that a poll begins with when nothing is new: one for each list, one for a feed. */
export function requestsOfPoll(
  instance: Pick<Instance, "connector" | "configuration">,
  only: readonly string[] | undefined,
): number {
  const { connector } = instance;
  const settings = polledResources(instance);
  const feed = connector.events.feed === undefined ? undefined : feeds[connector.events.feed];
  const lists = (settings.ok ? settings.resources : []).filter(
    ({ resource }) => only?.includes(resource) ?? true,
  );
  if (feed?.kind !== "bulk") return Math.max(1, lists.length + (feed === undefined ? 0 : 1));
  const left = lists.filter(
    ({ resource }) => !feed.covers(connector.resources[resource]?.objectType ?? ""),
  );
  return left.length === lists.length ? Math.max(1, left.length) : left.length + 1;
}

/** Whether webhooks only say that the feed has something new: it is read even when nothing is polled. */
export function isFeedRead({ webhook }: Connector, modes: readonly string[]): boolean {
  return webhook?.extraction.by === "feed" && modes.includes("webhook");
}

/** Whether one feed tells of the whole account, in place of its resources' lists. */
export function isStreamFeed({ events }: Connector): boolean {
  const feed = events.feed === undefined ? undefined : feeds[events.feed];
  return feed?.kind === "log" || feed?.kind === "tree";
}

/** What makes two readings of a resource the same: the rule a cursor position was made under. */
export function ruleOf({ idField, updated, created, filterByUpdatedDate }: PolledResource): string {
  return JSON.stringify([idField, updated ?? null, created ?? null, filterByUpdatedDate]);
}

function defaultIdField({ resources }: Connector): string {
  return Object.values(resources)[0]?.idField ?? "id";
}
