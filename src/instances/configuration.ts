import type { Authentication } from "../connectors/authentication";
import type { Connector } from "../connectors/definition";
import { MASK } from "../values/secret-name";
import { entriesOf, type Entry, isSecretKey } from "./entries";
import { webhookFaults } from "./webhook-faults";

/** A value as it is stored and shown: a text, or null for `""`. Booleans, numbers and objects become text. */
export function toText(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `changes` laid over `current`. A client that sends back the mask of a secret keeps the stored secret. */
export function mergeConfiguration(
  connector: Connector,
  current: Readonly<Record<string, string | null>>,
  changes: Readonly<Record<string, unknown>>,
): Record<string, string | null> {
  const merged = { ...current };
  for (const [key, value] of Object.entries(changes)) {
    const text = toText(value);
    if (text === MASK && isSecretKey(connector, key)) continue;
    merged[key] = text;
  }
  return merged;
}

/**
 * What a reader sees of one key. For the master switch that is whether events are on, which other keys decide too:
 * a client that sends back the configuration as it was read changes nothing.
 */
export function visibleValue(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
  { key, defaultValue }: Entry,
): string | null {
  if (key === "event.notification.enabled") return String(eventSettings(connector, values).enabled);
  const value = values[key] ?? null;
  const shown = value ?? defaultValue;
  return shown !== null && isSecretKey(connector, key) ? MASK : shown;
}

/** What a reader sees: every key of the connector with its value or default, secrets masked. */
export function visibleConfiguration(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
): Record<string, string | null> {
  const visible: Record<string, string | null> = {};
  for (const entry of entriesOf(connector))
    visible[entry.key] = visibleValue(connector, values, entry);
  for (const [key, value] of Object.entries(values))
    if (!(key in visible))
      visible[key] = value !== null && isSecretKey(connector, key) ? MASK : value;
  return visible;
}

export type Mode = "polling" | "webhook";

/** How the vendor's changes reach us. `webhooks`, any case, and lists are accepted. */
export function parseModes(text: string): Mode[] | undefined {
  const modes = text.split(",").map((part) =>
    part
      .trim()
      .toLowerCase()
      .replace(/^webhooks$/, "webhook"),
  );
  return modes.every((mode): mode is Mode => mode === "polling" || mode === "webhook")
    ? [...new Set(modes)]
    : undefined;
}

/** Text of a boolean in any case; undefined when it is none. */
export function parseBoolean(text: string): boolean | undefined {
  const lower = text.trim().toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** Whether and how the instance gets events. */
export type EventSettings = { enabled: boolean; modes: Mode[]; intervalMinutes: number };

/**
 * An explicit `event.vendor.type` switches events on unless the master switch is off, and says how the vendor's changes
 * reach us; without one, whatever the connector supports is heard (our choice, reference connector-events-api.md §4).
 */
export function eventSettings(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
): EventSettings {
  const vendorType = values["event.vendor.type"] ?? null;
  const enabled = values["event.notification.enabled"] ?? null;
  return {
    enabled: enabled === null ? vendorType !== null : parseBoolean(enabled) === true,
    modes: vendorType === null ? modesByDefault(connector, values) : (parseModes(vendorType) ?? []),
    intervalMinutes: Number(
      values["event.poller.refresh_interval"] ?? connector.events.refreshInterval,
    ),
  };
}

/**
 * Without `event.vendor.type`: webhooks are heard where the connector has some. It is polled where that is the
 * connector's own way, and meanwhile where no webhook can become an event yet.
 */
function modesByDefault(connector: Connector, values: Readonly<Record<string, string | null>>) {
  const { defaultMode, methods } = connector.events;
  const hears = connector.webhook !== undefined && methods.includes("webhook");
  const polls =
    defaultMode === "polling" ||
    (methods.includes("polling") &&
      hasPolled(connector, values) &&
      webhookFaults(connector, values).length > 0);
  return [...(polls ? ["polling" as const] : []), ...(hears ? ["webhook" as const] : [])];
}

/** Whether there is anything to poll: a feed, or resources of the connector's or the instance's own. */
export function hasPolled(
  { events }: Connector,
  values: Readonly<Record<string, string | null>>,
): boolean {
  const configured = ["event.poller.configuration", "event.poller.urls", "event.objects"].some(
    (key) => /[^\s{}]/.test(values[key] ?? ""),
  );
  return configured || events.feed !== undefined || Object.keys(events.polling).length > 0;
}

/** How an instance authenticates: in the connector's first way, or in another that its configuration chooses. */
export function authenticationOf(
  { authentication, otherAuthentications }: Connector,
  values: Readonly<Record<string, string | null>>,
): Authentication {
  const chosen = values["authentication.type"]?.toLowerCase();
  return otherAuthentications.find(({ type }) => type.toLowerCase() === chosen) ?? authentication;
}

/** Whether the configuration has the credentials that a call of the vendor needs. */
export function hasCredentials(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
): boolean {
  const authentication = authenticationOf(connector, values);
  const has = (key: string): boolean => (values[key] ?? null) !== null;
  switch (authentication.type) {
    case "oauth2":
      return has("oauth.user.token") || has("oauth.user.refresh_token");
    case "apiKey":
      return has(authentication.configurationKey);
    case "basic":
      return has(authentication.usernameKey) && has(authentication.passwordKey);
  }
}

/** Whether two configurations differ only in keys about events and lists, so that both call the vendor alike. */
export function sameConnection(
  before: Readonly<Record<string, string | null>>,
  after: Readonly<Record<string, string | null>>,
): boolean {
  return [...Object.keys(before), ...Object.keys(after)].every(
    (key) =>
      /^(event|filter|pagination)\./.test(key) || (before[key] ?? null) === (after[key] ?? null),
  );
}
