import type { Authentication } from "../../connectors/authentication";
import type { Connector } from "../../connectors/definition";
import { entriesOf, type Entry } from "../../instances/entries";
import { APP_KEYS, credentialKeys, sectionsOf, toldBy, waysOf } from "../connect/sections";

/** How somebody proves whose account it is. */
export type Way = Authentication["type"];

/** A connector that people of a tenant can connect by themselves, and how. */
export type Offer = { connector: Connector; ways: readonly [Way, ...Way[]] };

/** Connectors are named by their keys, in whatever case. */
export const isNamed = (name: string, key: string): boolean => name.toLowerCase() === key;

type Settings = Readonly<Record<string, unknown>>;

const isGiven = (settings: Settings, key: string): boolean =>
  (settings[key] ?? null) !== null && settings[key] !== "";

/**
 * What can be offered of a connector: by consent only where there is an application that they consent to.
 * @param settings What the instance is given, whatever they say.
 * @param hasApp The organization, or the platform, has an application whose people come back here.
 */
export function offerOf(
  connector: Connector,
  settings: Settings,
  hasApp: boolean,
): Offer | undefined {
  const chosen = settings["authentication.type"];
  const hasOwn = APP_KEYS.every((key) => isGiven(settings, key));
  const [first, ...others] = waysOf(connector).filter(
    (way) =>
      (typeof chosen !== "string" || way.toLowerCase() === chosen.toLowerCase()) &&
      (way !== "oauth2" || hasApp || hasOwn),
  );
  return first && { connector, ways: [first, ...others] };
}

/**
 * What somebody is asked for beside a consent: what proves whose account it is, and says which one, as far as it isn't given.
 * @param isAgain It is there and is connected again: all but its credentials it has.
 */
export function askedOf(
  connector: Connector,
  way: Way,
  { settings, isAgain }: { settings: Settings; isAgain: boolean },
): Entry[] {
  const all = [connector.authentication, ...connector.otherAuthentications];
  const own = all.find(({ type }) => type === way) ?? connector.authentication;
  // Whoever consents has no key of the application.
  const needed = own.type === "oauth2" ? [] : credentialKeys(own);
  const unasked = new Set([...APP_KEYS, ...toldBy(own), ...all.flatMap(credentialKeys)]);
  const account = isAgain
    ? []
    : sectionsOf(connector).account.filter(({ key }) => !unasked.has(key));
  const known = new Map(entriesOf(connector).map((entry) => [entry.key, entry]));
  const asked = [...needed.map((key) => known.get(key) ?? unlisted(key)), ...account];
  return asked
    .filter(({ key }) => !isGiven(settings, key))
    .map((entry) => ({ ...entry, required: entry.required || needed.includes(entry.key) }));
}

/** A credential of a way that the connector's catalogue of settings leaves out. */
const unlisted = (key: string): Entry => ({
  id: 0,
  key,
  name: key,
  description: "",
  defaultValue: null,
  type: "TEXTFIELD_1000",
  required: true,
  internal: false,
});

/** What was typed: of what was asked for, and nothing else that a form may hold. */
export function readAnswers(
  asked: readonly Entry[],
  form: URLSearchParams,
): { answers: Record<string, string>; faults: Map<string, string> } {
  const typed = asked.map(({ key }): [string, string] => [
    key,
    (form.get(`c.${key}`) ?? "").trim(),
  ]);
  const empty = asked.filter(({ required }, index) => required && typed[index]?.[1] === "");
  return {
    answers: Object.fromEntries(typed.filter(([, value]) => value !== "")),
    faults: new Map(empty.map(({ key }) => [key, "Expected a value"])),
  };
}

/** The instance's configuration as a whole: by default it tells its events. */
export function settingsOf(
  connector: Connector,
  way: Way,
  { settings, answers }: { settings: Settings; answers: Readonly<Record<string, string>> },
): Record<string, unknown> {
  const says = ["event.notification.enabled", "event.vendor.type"].some((key) =>
    isGiven(settings, key),
  );
  return {
    ...(says ? {} : { "event.notification.enabled": "true" }),
    ...settings,
    ...answers,
    ...(waysOf(connector).length < 2 ? {} : { "authentication.type": way }),
  };
}
