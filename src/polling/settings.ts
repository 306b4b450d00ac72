import { RE2JS } from "re2js";
import type { Connector } from "../connectors/definition";
import { feeds, isStreamFeed } from "../connectors/parsers";
import { eventSettings } from "../instances/configuration";
import type { Fault } from "../instances/value-checks";
import { type Instance, whyOff } from "../instances/instance";
import type { PolledResource } from "./polled-resource";
import { parsePollingConfiguration, type PollingConfiguration } from "./configuration";
import { planList } from "../hub/list";
import { parseHubUrl } from "./hub-url";
import { expandTemplates } from "./url-template";

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
    (name) => connector.events.pollingOnRequest[name] ?? resourceByPattern(connector, name),
  );
}

/** The poll configuration of a resource that the connector knows by a name pattern only, such as any sObject. */
function resourceByPattern({ events, resources }: Connector, name: string): unknown {
  const { pollingOther } = events;
  if (pollingOther === undefined || !RE2JS.compile(pollingOther.pattern).matches(name))
    return undefined;
  const { path, configuration } = pollingOther;
  const hub = Object.hasOwn(resources, name) ? name : path.replaceAll("{name}", name);
  return JSON.parse(JSON.stringify(configuration).replaceAll("{name}", hub));
}

/** Why an instance is not polled now, for people; undefined when it is. */
export function whyNotPolled(
  instance: Instance,
  trigger: "schedule" | "wake" | "person",
): string | undefined {
  const { connector, configuration } = instance;
  const { enabled, modes } = eventSettings(connector, configuration);
  const why = whyOff(instance);
  if (why !== undefined) return why;
  if (instance.pollerDisabled !== null) return "The instance is disabled";
  const isWokenFeed = trigger !== "schedule" && isFeedRead(connector, modes);
  // Until webhooks took over: one more poll tells what changed before that.
  const isLast = trigger === "wake" && instance.pollsUntil !== null;
  if (!enabled || !(modes.includes("polling") || isWokenFeed || isLast))
    return "Polling is not switched on";
  if (instance.valid) return undefined;
  return instance.invalidReason ?? "The instance is not authenticated";
}

/** What is wrong with an instance's poll configuration, for the answer to whoever saves it. */
export function pollingFaults(instance: Pick<Instance, "connector" | "configuration">): Fault[] {
  const parsed = polledResources(instance);
  const told = (field: string, message: string): Fault => ({
    field: `configuration.${field}`,
    message: `${field}: ${message}`,
  });
  if (!parsed.ok)
    return [parsed, ...(parsed.others ?? [])].map(({ field, message }) => told(field, message));
  return parsed.resources.flatMap((resource) => {
    const message = listFault(instance, resource);
    const field = `event.poller.configuration.${resource.resource}.url`;
    return message === undefined ? [] : told(field, message);
  });
}

/** Why the URL of a resource names no list that its connector has; a feed is read whatever the URLs say. */
function listFault(
  { connector, configuration }: Pick<Instance, "connector" | "configuration">,
  { url, updated }: PolledResource,
): string | undefined {
  const expanded = expandTemplates(url, 0, updated?.format);
  const hub = expanded.ok ? parseHubUrl(expanded.url) : expanded;
  if (!hub.ok) return hub.message;
  if (isStreamFeed(connector)) return undefined;
  const { resource, ...query } = hub.request;
  const list = planList(connector, resource, query, configuration);
  return list.ok ? undefined : list.message;
}

/** How many requests an idle poll makes: one for a feed, and one for each list that the feed doesn't cover. */
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

/** Whether webhooks only say that the feed has something new, so that they wake a poll of it in any mode. */
export function isFeedRead({ webhook }: Connector, modes: readonly string[]): boolean {
  return webhook?.extraction.by === "feed" && modes.includes("webhook");
}

/** Whether a webhook may ask for a poll at any moment. */
export function mayBeWoken({
  connector,
  configuration,
}: Pick<Instance, "connector" | "configuration">): boolean {
  return eventSettings(connector, configuration).modes.includes("webhook");
}

/** The settings that decide which changes of a resource are seen; a position made under others is not comparable. */
export function ruleOf({ idField, updated, created, filterByUpdatedDate }: PolledResource): string {
  return JSON.stringify([idField, updated ?? null, created ?? null, filterByUpdatedDate]);
}

function defaultIdField({ resources }: Connector): string {
  return Object.values(resources)[0]?.idField ?? "id";
}
