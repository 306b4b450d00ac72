/** A user's polling configuration as a list of resources (reference connector-events-api.md §5.1, §5.2). */
import { nestsDeeper } from "../values/depth";
import {
  knownFields,
  type PolledResource,
  polledResource,
  quote,
  Settings,
} from "./polled-resource";
import { expandTemplates } from "./url-template";
import { isObject } from "../values/record";

export type PollingConfiguration =
  | { ok: true; resources: PolledResource[] }
  | (Failure & {
      /** What else is wrong: of each resource, the first thing. */
      others?: readonly Failure[];
    });
type Failure = { ok: false; field: string; message: string };

/** The instance's values of `event.poller.configuration`, `event.poller.urls` and `event.objects`. */
export type PollingInput = {
  configuration?: unknown;
  urls?: string | null;
  objects?: string | null;
};

/** The configuration of a resource that the defaults don't have; undefined: the connector has no such resource. */
export type FindOther = (name: string) => unknown;

const CONFIGURATION = "event.poller.configuration";
const URLS = "event.poller.urls";
const OBJECTS = "event.objects";

/**
 * The resources to poll: of the configuration if it has any, else of the legacy urls, else of the object names, else
 * the connector's `defaults`. A failure names the key that is at fault, with its path.
 */
export function parsePollingConfiguration(
  input: PollingInput,
  defaults: Record<string, unknown>,
  defaultIdField = "id",
  findOther: FindOther = () => undefined,
): PollingConfiguration {
  const given = readObject(input.configuration);
  if (!given)
    return fault(CONFIGURATION, `Expected a JSON object, got ${quote(input.configuration)}`);
  if (Object.keys(given).length > 0) return parseResources(given);
  const urls = input.urls?.trim();
  if (urls) return parseUrls(urls, defaults, defaultIdField, findOther);
  const objects = input.objects?.trim();
  if (objects) return parseNames(objects.split(/[,|\r\n]/), OBJECTS, defaults, findOther);
  return parseResources(defaults);
}

function fault(field: string, message: string): Failure {
  return { ok: false, field, message };
}

/** An object, or the object that a JSON text holds. Absent or blank: an empty object. Undefined: it is neither. */
function readObject(value: unknown): Record<string, unknown> | undefined {
  const parsed = typeof value === "string" ? parseJson(value) : (value ?? {});
  return isObject(parsed) ? parsed : undefined;
}

function parseJson(text: string): unknown {
  if (nestsDeeper(text)) return undefined;
  try {
    return text.trim() === "" ? {} : (JSON.parse(text) ?? {});
  } catch {
    return undefined;
  }
}

/**
 * The legacy form: a line
 * `<resource>|<url>|<xPathFilter>|<updatedField>|<format>|<zone>|<createdField>|<format>|<zone>` for each resource; or,
 * when no line has a URL, names of resources.
 */
function parseUrls(
  text: string,
  defaults: Record<string, unknown>,
  defaultIdField: string,
  findOther: FindOther,
): PollingConfiguration {
  const lines = text.split(/\r?\n|\r/).filter((line) => line.trim() !== "");
  if (!lines.some((line) => line.split("|")[1]?.trim().startsWith("/"))) {
    return parseNames(
      lines.flatMap((line) => line.split("|")),
      URLS,
      defaults,
      findOther,
    );
  }
  const resources = lines.map((line): [string, unknown] => {
    const [
      resource = "",
      url,
      ,
      updatedDateField,
      updatedDateFormat,
      updatedDateTimezone,
      ...created
    ] = line.split("|").map((part) => part.trim());
    const [createdDateField, createdDateFormat, createdDateTimezone] = created;
    const { idField = defaultIdField } = isObject(defaults[resource])
      ? knownFields(defaults[resource])
      : {};
    const updated = { updatedDateField, updatedDateFormat, updatedDateTimezone };
    return [
      resource,
      { url, idField, ...updated, createdDateField, createdDateFormat, createdDateTimezone },
    ];
  });
  const parsed = parseResources(Object.fromEntries(resources));
  return parsed.ok
    ? parsed
    : fault(URLS, `${parsed.message} (${parsed.field.slice(CONFIGURATION.length + 1)})`);
}

function parseNames(
  names: string[],
  field: string,
  defaults: Record<string, unknown>,
  findOther: FindOther,
): PollingConfiguration {
  const wanted = new Set(names.map((name) => name.trim()).filter((name) => name !== ""));
  const found = [...wanted].map((name): [string, unknown] => [
    name,
    Object.hasOwn(defaults, name) ? defaults[name] : findOther(name),
  ]);
  const unknown = found.find(([, configuration]) => configuration === undefined);
  if (unknown !== undefined) return fault(field, `Unknown resource "${unknown[0]}"`);
  return parseResources(Object.fromEntries(found));
}

function parseResources(given: Record<string, unknown>): PollingConfiguration {
  const parsed = Object.entries(given).map(([resource, value]) => parseResource(resource, value));
  const [first, ...others] = parsed.filter((one): one is Failure => !("resource" in one));
  if (first !== undefined) return others.length === 0 ? first : { ...first, others };
  return { ok: true, resources: parsed.filter((one) => "resource" in one) };
}

function parseResource(resource: string, value: unknown): PolledResource | Failure {
  const path = `${CONFIGURATION}.${resource}`;
  if (!isObject(value)) return fault(path, `Expected an object, got ${quote(value)}`);
  const own = knownFields(value);
  const { datesConfiguration = {} } = own;
  if (!isObject(datesConfiguration)) {
    return fault(
      `${path}.datesConfiguration`,
      `Expected an object, got ${quote(datesConfiguration)}`,
    );
  }
  const dates = knownFields(datesConfiguration);
  const settings = Settings.safeParse({ ...dates, ...own });
  if (!settings.success) {
    const [issue] = settings.error.issues;
    const name = String(issue?.path[0]);
    const inDates = Object.hasOwn(dates, name) && !Object.hasOwn(own, name);
    return fault(
      `${path}.${inDates ? "datesConfiguration." : ""}${name}`,
      issue?.message ?? "Invalid",
    );
  }
  const expansion = expandTemplates(settings.data.url, 0, settings.data.updatedDateFormat);
  return expansion.ok
    ? polledResource(resource, settings.data)
    : fault(`${path}.url`, expansion.message);
}
