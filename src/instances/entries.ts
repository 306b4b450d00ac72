import type { Authentication } from "../connectors/authentication";
import type { Connector } from "../connectors/definition";
import { isSecretName, isSecretSetting } from "../values/secret-name";

/** A configuration key as catalogue and instances print it (reference connector-events-api.md §3, §4). */
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

/** Keys that came later: behind all others, so that those keep their ids. */
const LATER: readonly Common[] = [
  [
    "event.notification.deactivate",
    "Callback deactivation",
    "TEXTFIELD_32",
    "exhausted",
    "When exhausted tries deactivate the callback: exhausted (at once), never, or days that failures must span",
  ],
];

/** Keys that every instance may have, whichever way it authenticates, beside those of its connector. */
export const sharedKeys: readonly string[] = [
  ...[...COMMON, ...OAUTH, ...BASIC, ...LATER].map(([key]) => key),
  "authentication.type",
  "oauth.user.expires_at",
];

/** Names of the resources that a connector's instances can poll; with a feed, those that can be read by id. */
export function pollable({
  events,
  resources,
  webhook,
}: Connector): Record<string, Record<string, unknown>> {
  if (events.feed === undefined || Object.keys(events.polling).length > 0)
    return { ...events.polling, ...events.pollingOnRequest };
  const fed = Object.entries(resources).filter(
    ([name, { get }]) => get !== undefined && name !== webhook?.registration?.resource,
  );
  return Object.fromEntries(fed.map(([name]) => [name, {}]));
}

const namesOf = (resources: object): Record<string, object> =>
  Object.fromEntries(Object.keys(resources).map((name) => [name, {}]));

/** All keys of a connector's instances, in display order. `id` is stable as long as keys are only added. */
export function entriesOf(connector: Connector): Entry[] {
  const { authentication, events } = connector;
  const defaults: Record<string, string> = {
    "event.poller.refresh_interval": String(events.refreshInterval),
    "event.metadata": JSON.stringify({ polling: namesOf(pollable(connector)) }),
  };
  const own = connector.configuration.map((entry) => ({ ...entry, internal: false }));
  const described = ([key, name, type, defaultValue, description]: Common) => ({
    key,
    name,
    description,
    defaultValue: defaults[key] ?? defaultValue,
    type,
    required: false,
    internal: description === "Internal",
  });
  const taken = new Set(own.map(({ key }) => key));
  const isShared = ([key]: Common): boolean => !taken.has(key);
  const shared = [
    ...COMMON,
    ...(authentication.type === "oauth2" ? OAUTH : []),
    ...(authentication.type === "basic" ? BASIC : []),
  ].filter(isShared);
  const all = [...shared.map(described), ...own, ...LATER.filter(isShared).map(described)];
  return all.map((entry, index) => ({
    id: connector.id * 1000 + index + 1,
    ...entry,
    type: isSecretSetting(entry.key, entry.type) ? "PASSWORD" : entry.type,
  }));
}

/** A secret of any instance whose name does not say so, whether or not its connector lists it among its keys. */
const ALWAYS_SECRET = "oauth.api.key";

/** Keys whose values are sealed at rest and masked when read: names decide, and what a connector declares. */
export function isSecretKey(connector: Connector, key: string): boolean {
  let keys = secretKeys.get(connector);
  if (keys === undefined) {
    keys = new Set([
      ALWAYS_SECRET,
      ...entriesOf(connector).flatMap((entry) => (entry.type === "PASSWORD" ? entry.key : [])),
      ...[connector.authentication, ...connector.otherAuthentications].flatMap(credentialKeys),
    ]);
    secretKeys.set(connector, keys);
  }
  return keys.has(key) || isSecretSetting(key);
}

function credentialKeys(authentication: Authentication): readonly string[] {
  switch (authentication.type) {
    case "oauth2":
      return [];
    case "apiKey":
      return [authentication.configurationKey];
    case "basic":
      return [authentication.passwordKey];
  }
}

/**
 * Keys whose values are sealed at rest: the secrets, and credentials that the contract shows their owner all the same
 * (reference connector-events-api.md §4: callback headers, the inbound token).
 */
export function isSealedKey(connector: Connector, key: string): boolean {
  return (
    isSecretKey(connector, key) ||
    key === "event.notification.callback.headers" ||
    isSecretName(key)
  );
}

const secretKeys = new WeakMap<Connector, Set<string>>();
