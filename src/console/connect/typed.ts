import type { Connector } from "../../connectors/definition";
import { authenticationOf } from "../../instances/configuration";
import { entriesOf, isSealedKey } from "../../instances/entries";
import { maskedUrl } from "../../values/secret-text";
import {
  askedAs,
  FIELDS,
  mergedResource,
  type Offered,
  offeredResources,
  parsedObject,
  pollConfiguration,
} from "./chosen";
import { type Choice, choiceAsConfiguration, choiceOf, CHOICES, waysOf } from "./sections";

type Values = Readonly<Record<string, string | null>>;

/** What stands in an instance's form; secrets are apart from it. */
export type Typed = {
  name: string;
  tags: string;
  events: Choice;
  /** How it authenticates, where the connector knows several ways. */
  way: string;
  /** By configuration key; a secret is never among them. */
  values: Readonly<Record<string, string>>;
  /** Secrets to be removed. */
  cleared: readonly string[];
  resources: readonly Offered[];
  /** A further resource. */
  another: { name: string; json: string };
  /** Settings that have no field, as a JSON object. */
  other: string;
};

/** What is wrong, by where in the form: a setting's key, `event.poller.configuration.<resource>`, `name`, `another`, `other`, or `` for the whole. */
export type Faults = ReadonlyMap<string, string>;

const POLLED = "event.poller.configuration";
export const placeOfResource = (name: string): string => `${POLLED}.${name}`;

/** The form of an instance as it is; of one that is still to be made, `name` and `configuration` are empty. */
export function typedOf(
  connector: Connector,
  is: { name: string; tags: readonly string[]; configuration: Values },
  isNew: boolean,
): Typed {
  const { name, tags, configuration } = is;
  const { methods, defaultMode } = connector.events;
  const begin: Choice = methods.includes(defaultMode) ? defaultMode : "off";
  return {
    name,
    tags: tags.join(", "),
    events: isNew ? begin : choiceOf(connector, configuration),
    way: authenticationOf(connector, configuration).type,
    values: shownValues(connector, configuration),
    cleared: [],
    resources: offeredResources(connector, configuration),
    another: { name: "", json: "" },
    other: otherSettings(connector, configuration),
  };
}

/** The settings that people may see, as they are stored. */
function shownValues(connector: Connector, values: Values): Record<string, string> {
  const keys = entriesOf(connector).map(({ key }) => key);
  return Object.fromEntries(
    keys
      .filter((key) => !isSealedKey(connector, key))
      .map((key) => [key, maskedUrl(values[key] ?? null) ?? ""]),
  );
}

/** Settings that no field has, secrets and what is kept for ourselves left out. */
function otherSettings(connector: Connector, values: Values): string {
  const known = new Set(entriesOf(connector).map(({ key }) => key));
  const ids = connector.webhook?.registration?.idsKey;
  const other = Object.entries(values).filter(
    ([key, value]) =>
      value !== null &&
      !known.has(key) &&
      !isSealedKey(connector, key) &&
      !key.startsWith("oauth.") &&
      key !== `${ids}.items`,
  );
  return other.length === 0 ? "" : JSON.stringify(Object.fromEntries(other), null, 2);
}

/** A form as it was sent: what was typed, the secrets among it, and what can't be read. */
export function readTyped(
  connector: Connector,
  form: URLSearchParams,
): { typed: Typed; secrets: Record<string, string>; faults: Map<string, string> } {
  const text = (name: string): string => (form.get(name) ?? "").replaceAll("\r\n", "\n");
  const faults = new Map<string, string>();
  const sent = entriesOf(connector).flatMap(({ key }) => (form.has(`c.${key}`) ? key : []));
  const isSecret = (key: string): boolean => isSealedKey(connector, key);
  const resources = form.getAll("resource").map((name): Offered => {
    const fields = Object.fromEntries(
      FIELDS.flatMap(([field]) => {
        const value = form.get(`r.${name}.${field}`);
        return value === null ? [] : [[field, value]];
      }),
    );
    const json = text(`json.${name}`);
    const merged = mergedResource({ was: text(`was.${name}`), json, fields });
    if (!merged.ok) faults.set(placeOfResource(name), merged.message);
    const isPolled = form.getAll("poll").includes(name);
    return { name, isPolled, json: merged.ok ? merged.json : json };
  });
  const events = CHOICES.find((choice) => choice === form.get("events")) ?? "off";
  const values = (keys: string[]) =>
    Object.fromEntries(keys.map((key) => [key, text(`c.${key}`).trim()]));
  const secrets = values(sent.filter(isSecret));
  return {
    typed: {
      name: text("name").trim(),
      tags: text("tags").trim(),
      events,
      way:
        waysOf(connector).find((way) => way === form.get("way")) ?? connector.authentication.type,
      values: values(sent.filter((key) => !isSecret(key))),
      cleared: form.getAll("clear").filter(isSecret),
      resources,
      another: { name: text("another.name").trim(), json: text("another.json") },
      other: text("other").trim(),
    },
    secrets: Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== "")),
    faults,
  };
}

/** What a form changes, as `POST` and `PATCH /instances` take it. */
export function changesOf(
  connector: Connector,
  before: Typed | undefined,
  { typed, secrets }: { typed: Typed; secrets: Readonly<Record<string, string>> },
  configuration: Values,
): { configuration: Record<string, unknown>; faults: Map<string, string> } {
  const faults = new Map<string, string>();
  const other = typed.other === "" ? {} : parsedObject(typed.other);
  if (other === undefined) faults.set("other", "Expected a JSON object of settings");
  const removed = Object.keys(parsedObject(before?.other ?? "") ?? {}).filter(
    (key) => !Object.hasOwn(other ?? {}, key),
  );
  const isChanged = ([key, value]: [string, string]): boolean =>
    before === undefined ? value !== "" : value !== (before.values[key] ?? "");
  return {
    configuration: {
      ...Object.fromEntries(removed.map((key) => [key, null])),
      ...other,
      ...Object.fromEntries(Object.entries(typed.values).filter(isChanged)),
      ...Object.fromEntries(typed.cleared.map((key) => [key, null])),
      ...secrets,
      ...(before?.events === typed.events ? {} : choiceAsConfiguration(typed.events)),
      ...(waysOf(connector).length < 2 || before?.way === typed.way
        ? {}
        : { "authentication.type": typed.way }),
      ...polled(connector, before, typed, { configuration, faults }),
    },
    faults,
  };
}

function polled(
  connector: Connector,
  before: Typed | undefined,
  { events, resources, another }: Typed,
  { configuration, faults }: { configuration: Values; faults: Map<string, string> },
): Record<string, unknown> {
  const polls = events === "polling" || events === "both";
  if (!polls || askedAs(connector, configuration) !== "resources") return {};
  const added = another.name === "" ? [] : [{ ...another, isPolled: true }];
  if (added.length > 0 && parsedObject(another.json) === undefined)
    faults.set("another", "Expected a JSON object that says how the resource is polled");
  if (another.name === "" && another.json.trim() !== "")
    faults.set("another", "Expected the name of the resource");
  const chosen = [...resources, ...added];
  if (!chosen.some(({ isPolled }) => isPolled))
    faults.set(POLLED, "Choose at least one resource, or switch polling off");
  const isSame = JSON.stringify(before?.resources) === JSON.stringify(chosen);
  return isSame ? {} : { [POLLED]: pollConfiguration(connector, chosen) };
}

/** Where in a form the faults that an instance was refused for belong. */
export function placed(
  violations: readonly { field?: string | undefined; message: string }[],
  resources: readonly Offered[],
  places: ReadonlySet<string>,
): Map<string, string> {
  const faults = new Map<string, string>();
  for (const { field = "", message } of violations) {
    const key = field.replace(/^configuration\./, "");
    const place = placeOf(key, resources, places);
    const text = message.startsWith(`${key}: `) ? message.slice(key.length + 2) : message;
    const isDeeper = place !== "" && key.startsWith(`${place}.`);
    const told = isDeeper ? `${key.slice(place.length + 1)}: ${text}` : text;
    faults.set(place, [...(faults.has(place) ? [faults.get(place)] : []), told].join("; "));
  }
  return faults;
}

function placeOf(key: string, resources: readonly Offered[], places: ReadonlySet<string>): string {
  if (places.has(key)) return key;
  const owner = resources
    .map(({ name }) => placeOfResource(name))
    .find((place) => key === place || key.startsWith(`${place}.`));
  return owner ?? (key.startsWith(POLLED) ? POLLED : "");
}
