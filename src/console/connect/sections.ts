import type { Authentication } from "../../connectors/authentication";
import type { Connector } from "../../connectors/definition";
import { eventSettings, type Mode } from "../../instances/configuration";
import { entriesOf, type Entry } from "../../instances/entries";

/** Which settings of an instance stand in which part of its form. */
export type Section = "account" | "webhooks" | "polling" | "callback" | "more";

/** What an instance hears of its vendor. */
export const CHOICES = ["off", "webhook", "polling", "both"] as const;
export type Choice = (typeof CHOICES)[number];

/** Asked for in a way of their own, or by nobody: what the vendor or we fill in. */
const ELSEWHERE = new Set([
  "event.notification.enabled",
  "event.notification.type",
  "event.vendor.type",
  "event.poller.configuration",
  "event.objects",
  "authentication.type",
  "oauth.callback.url",
  "oauth.user.token",
  "oauth.user.refresh_token",
]);

const FIXED: Readonly<Record<string, Section>> = {
  "oauth.api.key": "account",
  "oauth.api.secret": "account",
  username: "account",
  password: "account",
  "event.vendor.signature.key": "webhooks",
  "event.vendor.signature.key.secondary": "webhooks",
  "event.poller.refresh_interval": "polling",
  "event.notification.callback.url": "callback",
  "event.notification.signature.key": "callback",
};

/** The settings of each part, in the order of the catalogue. */
export function sectionsOf(connector: Connector): Record<Section, Entry[]> {
  const parts: Record<Section, Entry[]> = {
    account: [],
    webhooks: [],
    polling: [],
    callback: [],
    more: [],
  };
  for (const entry of entriesOf(connector)) {
    const section = sectionOf(connector, entry);
    if (section !== undefined) parts[section].push(entry);
  }
  return parts;
}

function sectionOf(connector: Connector, { key, internal }: Entry): Section | undefined {
  const { webhook, configuration } = connector;
  if (internal || ELSEWHERE.has(key) || key === webhook?.registration?.idsKey) return undefined;
  if (key === webhook?.registration?.itemsKey) return "webhooks";
  const fixed = FIXED[key];
  if (fixed === "webhooks") return (webhook?.signatures.length ?? 0) > 0 ? fixed : "more";
  if (fixed !== undefined) return fixed;
  const own = configuration.find((entry) => entry.key === key);
  if (own === undefined) return "more";
  const isAsked = own.required || (own.defaultValue === null && !isToldByVendor(connector, key));
  return isAsked ? "account" : "more";
}

/** Whether the vendor's answer to a consent fills it in. */
const isToldByVendor = (
  { authentication, otherAuthentications }: Connector,
  key: string,
): boolean => otherAuthentications.length === 0 && toldBy(authentication).includes(key);

/** The settings that the vendor's answer to a consent fills in. */
export function toldBy(authentication: Authentication): string[] {
  if (authentication.type !== "oauth2") return [];
  const kept = Object.values(authentication.keep).map((one) =>
    typeof one === "string" ? one : one.key,
  );
  return [...kept, ...Object.values(authentication.providerData)];
}

/** The ways in which instances of a connector can authenticate. */
export const waysOf = (connector: Connector): Authentication["type"][] =>
  [connector.authentication, ...connector.otherAuthentications].map(({ type }) => type);

/** Of the OAuth application that a consent is given to. */
export const APP_KEYS: readonly string[] = ["oauth.api.key", "oauth.api.secret"];

/** The settings that prove who calls the vendor; of a consent, to which application it is given. */
export function credentialKeys(authentication: Authentication): readonly string[] {
  switch (authentication.type) {
    case "oauth2":
      return APP_KEYS;
    case "apiKey":
      return [authentication.configurationKey];
    case "basic":
      return [authentication.usernameKey, authentication.passwordKey];
  }
}

/** What can be chosen of a connector's events. */
export function choicesOf({ events, webhook }: Connector): Choice[] {
  const hears = webhook !== undefined && events.methods.includes("webhook");
  const polls = events.methods.includes("polling");
  return CHOICES.filter((choice) => {
    if (choice === "off") return true;
    if (choice === "both") return hears && polls;
    return choice === "webhook" ? hears : polls;
  });
}

/** What an instance hears now. */
export function choiceOf(
  connector: Connector,
  configuration: Readonly<Record<string, string | null>>,
): Choice {
  const { enabled, modes } = eventSettings(connector, configuration);
  if (!enabled) return "off";
  return modes.length === 2 ? "both" : (modes[0] ?? "off");
}

const MODES: Record<Exclude<Choice, "off">, Mode[]> = {
  webhook: ["webhook"],
  polling: ["polling"],
  both: ["polling", "webhook"],
};

/** A choice as configuration. */
export const choiceAsConfiguration = (choice: Choice): Record<string, string> =>
  choice === "off"
    ? { "event.notification.enabled": "false" }
    : { "event.notification.enabled": "true", "event.vendor.type": MODES[choice].join(",") };
