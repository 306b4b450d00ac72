import type { Connector } from "../connectors/definition";
import { parseRate } from "./budget/limit";

/** One configuration key as the catalogue and the instances print it (reference §3, §4). */
export type Entry = {
  id: number;
  key: string;
  name: string;
  description: string;
  defaultValue: string | null;
  type: string;
  required: boolean;
  internal: boolean;
};

export const MASK = "********";

type Common = [
  key: string,
  name: string,
  type: string,
  defaultValue: string | null,
  description: string,
];

/** Keys that every instance has. */
const COMMON: readonly Common[] = [
  ["event.notification.enabled", "Events enabled", "BOOLEAN", "false", "Master switch of events"],
  [
    "event.notification.type",
    "Event notification type",
    "TEXTFIELD_32",
    "webhook",
    "How notifications leave; webhook is the only way",
  ],
  [
    "event.vendor.type",
    "Vendor event type",
    "TEXTFIELD_32",
    null,
    "polling, webhook, or both joined by a comma",
  ],
  [
    "event.notification.callback.url",
    "Callback URL",
    "TEXTFIELD_1000",
    null,
    "Where notifications are sent; empty: they are kept",
  ],
  [
    "event.notification.signature.key",
    "Callback signature key",
    "PASSWORD",
    null,
    "HMAC key of Elements-Webhook-Signature",
  ],
  [
    "event.notification.callback.headers",
    "Callback headers",
    "TEXTAREA",
    null,
    "JSON object of extra headers",
  ],
  [
    "event.notification.basic.username",
    "Callback user name",
    "TEXTFIELD_128",
    null,
    "Basic authentication of callbacks",
  ],
  [
    "event.notification.basic.password",
    "Callback password",
    "PASSWORD",
    null,
    "Basic authentication of callbacks",
  ],
  [
    "event.notification.webhook.secret",
    "Callback signing secret",
    "PASSWORD",
    null,
    "Standard Webhooks secret, whsec_…; made when absent",
  ],
  [
    "event.notification.ordering",
    "Callback order",
    "TEXTFIELD_32",
    "none",
    "none, object or source",
  ],
  [
    "event.notification.ordering.dead",
    "Dead callbacks in an order",
    "TEXTFIELD_32",
    "skip",
    "skip: the next one leaves; block: it waits until the dead one is replayed or acknowledged",
  ],
  [
    "event.notification.rate",
    "Callback rate",
    "TEXTFIELD_32",
    null,
    "Notifications per second, at most",
  ],
  [
    "event.notification.retry.schedule",
    "Callback retry schedule",
    "TEXTFIELD_1000",
    null,
    "Seconds before each try, comma-separated",
  ],
  [
    "event.notification.filter",
    "Callback filter",
    "TEXTAREA",
    null,
    "JSONata predicate over one event",
  ],
  [
    "event.notification.transform",
    "Callback transform",
    "TEXTAREA",
    null,
    "JSONata expression over the body",
  ],
  ["event.notification.subscription.id", "Subscription id", "TEXTFIELD_128", null, "Internal"],
  ["event.notification.instance.finder", "Instance finder", "TEXTFIELD_128", null, "Internal"],
  ["event.metadata", "Event metadata", "TEXTAREA", null, "Internal"],
  [
    "event.poller.refresh_interval",
    "Poll interval",
    "TEXTFIELD_32",
    null,
    "Minutes between polls, at least 1",
  ],
  [
    "event.poller.configuration",
    "Poll configuration",
    "TEXTAREA",
    "{}",
    "Resources to poll, as JSON; empty: the connector's own",
  ],
  ["event.poller.urls", "Poll URLs", "TEXTAREA", null, "Legacy form of the poll configuration"],
  [
    "event.poller.since",
    "Poll since",
    "TEXTFIELD_128",
    null,
    "First baseline; absent: the instance's creation",
  ],
  ["event.objects", "Event objects", "TEXTFIELD_1000", null, "Names of the resources to poll"],
  [
    "event.vendor.token",
    "Inbound token",
    "TEXTFIELD_128",
    null,
    "What a vendor that doesn't sign must send as ?token=",
  ],
  [
    "event.vendor.signature.key",
    "Inbound signature key",
    "PASSWORD",
    null,
    "What vendor webhooks are verified with",
  ],
  [
    "event.vendor.signature.key.secondary",
    "Second inbound signature key",
    "PASSWORD",
    null,
    "The other key while they are rotated",
  ],
  [
    "event.vendor.signature.algorithm",
    "Inbound signature algorithm",
    "TEXTFIELD_128",
    null,
    "Where the vendor's is configurable",
  ],
  [
    "filter.response.nulls",
    "Drop nulls",
    "BOOLEAN",
    "true",
    "Drop null members from hub responses",
  ],
  ["pagination.max", "Page size", "TEXTFIELD_32", "100", "Records a page, at most"],
  ["pagination.type", "Paging style", "TEXTFIELD_32", null, "page, offset or cursor"],
  [
    "base.url",
    "API base URL",
    "TEXTFIELD_1000",
    null,
    "Replaces scheme, host and port of the vendor's API",
  ],
  [
    "vendor.rate",
    "API rate",
    "TEXTFIELD_32",
    null,
    "Requests of the vendor's API, at most, as requests/seconds (100/60); lowers what the connector allows",
  ],
  [
    "site.address",
    "Site address",
    "TEXTFIELD_1000",
    null,
    "The account's own host, where the vendor has one",
  ],
];

const OAUTH: readonly Common[] = [
  [
    "oauth.callback.url",
    "OAuth callback URL",
    "TEXTFIELD_1000",
    null,
    "Where the vendor sends the user back",
  ],
  ["oauth.api.key", "OAuth API key", "PASSWORD", null, "Client id"],
  ["oauth.api.secret", "OAuth API secret", "PASSWORD", null, "Client secret"],
  [
    "oauth.base.url",
    "OAuth base URL",
    "TEXTFIELD_1000",
    null,
    "Replaces scheme, host and port of the vendor's OAuth",
  ],
  ["oauth.user.id", "OAuth user id", "TEXTFIELD_128", null, "The vendor's name of the account"],
  ["oauth.user.token", "OAuth token", "PASSWORD", null, "The grant's access token"],
  [
    "oauth.user.refresh_token",
    "OAuth refresh token",
    "PASSWORD",
    null,
    "The grant's refresh token",
  ],
];

const BASIC: readonly Common[] = [
  ["username", "User name", "TEXTFIELD_128", null, "The account's user name"],
  ["password", "Password", "PASSWORD", null, "The account's password"],
];

/** All keys of a connector's instances, in display order. `id` is stable as long as keys are only added. */
export function entriesOf(connector: Connector): Entry[] {
  const { authentication, events } = connector;
  const defaults: Record<string, string> = {
    "event.vendor.type": events.defaultMode,
    "event.poller.refresh_interval": String(events.refreshInterval),
  };
  const own = connector.configuration.map((entry) => ({ ...entry, internal: false }));
  const shared = [
    ...COMMON,
    ...(authentication.type === "oauth2" ? OAUTH : []),
    ...(authentication.type === "basic" ? BASIC : []),
  ].map(([key, name, type, defaultValue, description]) => ({
    key,
    name,
    description,
    defaultValue: defaults[key] ?? defaultValue,
    type,
    required: false,
    internal: description === "Internal",
  }));
  const taken = new Set(own.map(({ key }) => key));
  return [...shared.filter(({ key }) => !taken.has(key)), ...own].map((entry, index) => ({
    id: connector.id * 1000 + index + 1,
    ...entry,
  }));
}

/** Keys whose values are sealed at rest and masked when read. */
export function isSecretKey(connector: Connector, key: string): boolean {
  let keys = secretKeys.get(connector);
  if (keys === undefined) {
    keys = new Set(
      entriesOf(connector).flatMap((entry) => (entry.type === "PASSWORD" ? entry.key : [])),
    );
    secretKeys.set(connector, keys);
  }
  return keys.has(key);
}

const secretKeys = new WeakMap<Connector, Set<string>>();

/** A value as the contract keeps it: text or null. Booleans, numbers and objects become text, `""` null. */
export function toText(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `changes` laid over `current`: a mask sent back keeps the stored secret. */
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
 * What a reader sees of one key. The master switch is told as it stands, not as it was given: whoever sends
 * back what was read switches nothing.
 */
export function visibleValue(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
  { key, defaultValue, type }: Entry,
): string | null {
  if (key === "event.notification.enabled") return String(eventSettings(connector, values).enabled);
  const value = values[key] ?? null;
  return value === null ? defaultValue : type === "PASSWORD" ? MASK : value;
}

/** What a reader sees: every key of the connector with its value or default, secrets masked. */
export function visibleConfiguration(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
): Record<string, string | null> {
  const visible: Record<string, string | null> = {};
  for (const entry of entriesOf(connector))
    visible[entry.key] = visibleValue(connector, values, entry);
  for (const [key, value] of Object.entries(values)) if (!(key in visible)) visible[key] = value;
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

/** What the instance does about events. */
export type EventSettings = { enabled: boolean; modes: Mode[]; intervalMinutes: number };

/** An explicit `event.vendor.type` switches events on unless the master switch is off (our choice, §4). */
export function eventSettings(
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
): EventSettings {
  const vendorType = values["event.vendor.type"] ?? null;
  const enabled = values["event.notification.enabled"] ?? null;
  return {
    enabled: enabled === null ? vendorType !== null : parseBoolean(enabled) === true,
    modes: parseModes(vendorType ?? connector.events.defaultMode) ?? [],
    intervalMinutes: Number(
      values["event.poller.refresh_interval"] ?? connector.events.refreshInterval,
    ),
  };
}

/** Whether the instance has what it takes to call the vendor. */
export function hasCredentials(
  { authentication }: Connector,
  values: Readonly<Record<string, string | null>>,
): boolean {
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

/** Whether two configurations reach the vendor in the same way: only what is about events or lists differs. */
export function sameConnection(
  before: Readonly<Record<string, string | null>>,
  after: Readonly<Record<string, string | null>>,
): boolean {
  return [...Object.keys(before), ...Object.keys(after)].every(
    (key) =>
      /^(event|filter|pagination)\./.test(key) || (before[key] ?? null) === (after[key] ?? null),
  );
}

export type Fault = { field: string; message: string };

/** What is wrong with a configuration, apart from the poll configuration and addresses. */
export function configurationFault(
  values: Readonly<Record<string, string | null>>,
): Fault | undefined {
  for (const [key, value] of Object.entries(values)) {
    if (value === null) continue;
    const message = CHECKS[key]?.(value);
    if (message !== undefined)
      return { field: `configuration.${key}`, message: `${key}: ${message}` };
  }
  return undefined;
}

const CHECKS: Record<string, (value: string) => string | undefined> = {
  "event.notification.enabled": expectBoolean,
  "filter.response.nulls": expectBoolean,
  "event.notification.type": (value) =>
    value.toLowerCase() === "webhook" ? undefined : `Expected webhook, got '${value}'`,
  "event.vendor.type": (value) =>
    parseModes(value) === undefined
      ? `Expected polling, webhook or both, got '${value}'`
      : undefined,
  "event.poller.refresh_interval": (value) => expectWhole(value, 1, 44_640),
  "pagination.max": (value) => expectWhole(value, 1, 2_000),
  "event.poller.since": (value) =>
    Number.isNaN(Date.parse(value)) ? `Expected an ISO 8601 instant, got '${value}'` : undefined,
  "event.notification.ordering": (value) =>
    ["none", "object", "source"].includes(value)
      ? undefined
      : `Expected none, object or source, got '${value}'`,
  "event.notification.ordering.dead": (value) =>
    ["skip", "block"].includes(value) ? undefined : `Expected skip or block, got '${value}'`,
  "event.notification.rate": (value) =>
    Number(value) > 0 && Number(value) <= 10_000
      ? undefined
      : `Expected a number above 0, got '${value}'`,
  "vendor.rate": (value) =>
    parseRate(value) === undefined
      ? `Expected requests/seconds such as 100/60, got '${value}'`
      : undefined,
  "event.notification.retry.schedule": (value) =>
    parseSchedule(value) === undefined
      ? `Expected seconds separated by commas, got '${value}'`
      : undefined,
  "event.notification.callback.headers": (value) =>
    parseHeaders(value) === undefined ? "Expected a JSON object of texts" : undefined,
};

function expectBoolean(value: string): string | undefined {
  return parseBoolean(value) === undefined ? `Expected true or false, got '${value}'` : undefined;
}

function expectWhole(value: string, least: number, most: number): string | undefined {
  const number = Number(value);
  return Number.isInteger(number) && number >= least && number <= most
    ? undefined
    : `Expected a whole number from ${least} to ${most}, got '${value}'`;
}

/** Seconds before each try: `0,5,300`. */
export function parseSchedule(text: string): number[] | undefined {
  const seconds = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const fits = seconds.length <= 50 && seconds.every((value) => value >= 0 && value <= 7 * 86_400);
  return fits ? seconds : undefined;
}

export function parseHeaders(text: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    if (entries.some(([, header]) => typeof header === "object")) return undefined;
    return Object.fromEntries(entries.map(([name, header]) => [name, String(header)]));
  } catch {
    return undefined;
  }
}
