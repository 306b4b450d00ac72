import type { Connector, Resource } from "../connectors/definition";
import { findResource } from "../hub/request";
import type { PolledAs } from "../instances/polled";
import { touchedType } from "../instances/touched";
import type { PolledResource } from "./polled-resource";
import { parseHubUrl } from "./hub-url";
import { polledResources } from "./settings";

/**
 * The polled resources whose objects webhooks have named. A webhook names a type, which may be the name of the polled
 * resource, of the hub resource that it lists, or the vendor's own. Example: a webhook about `companies`, as HubSpot
 * calls them, lets the resource `accounts` be polled. A type that fits no resource of the connector may mean any of
 * them: then all are polled.
 */
export function touchedResources(
  connector: Connector,
  resources: readonly PolledResource[],
  touched: readonly string[],
): PolledResource[] {
  const types = new Set(touched.map(touchedType));
  const allNames = new Set([
    ...resources.flatMap((resource) => namesOf(connector, resource)),
    ...Object.entries(connector.resources).flatMap(([name, one]) => [name, ...vendorNames(one)]),
  ]);
  if (!types.isSubsetOf(allNames)) return [...resources];
  return resources.filter((one) => namesOf(connector, one).some((name) => types.has(name)));
}

/**
 * What an instance polls of the objects that its vendor calls by a type, by the same names; the resource of just that
 * name where several fit.
 */
export const polledAs: PolledAs = (instance) => {
  const { connector } = instance;
  const all = readNames(instance);
  return (type) => {
    const found = all.find(({ name }) => name === type) ?? all.find(({ names }) => names.has(type));
    if (found === undefined) return undefined;
    const hub = parseHubUrl(found.url);
    const resource = hub.ok ? findResource(connector, hub.request.resource)?.resource : undefined;
    return { name: found.name, resource };
  };
};

type Named = { name: string; url: string; names: ReadonlySet<string> };

/** What is polled, with all names of each; kept where it is the connector's own, which most instances poll. */
function readNames(instance: Parameters<PolledAs>[0]): Named[] {
  const { connector, configuration } = instance;
  const isOwn = CONFIGURED.every((key) => (configuration[key] ?? null) === null);
  const kept = isOwn ? own.get(connector) : undefined;
  if (kept !== undefined) return kept;
  const settings = polledResources(instance);
  const named = (settings.ok ? settings.resources : []).map((one) => ({
    name: one.resource,
    url: one.url,
    names: new Set(namesOf(connector, one)),
  }));
  if (isOwn) own.set(connector, named);
  return named;
}

const CONFIGURED = ["event.poller.configuration", "event.poller.urls", "event.objects"];
const own = new WeakMap<Connector, Named[]>();

function namesOf(connector: Connector, { resource, url }: PolledResource): string[] {
  const hub = parseHubUrl(url);
  const found = hub.ok ? findResource(connector, hub.request.resource) : undefined;
  if (found === undefined) return [resource];
  const { name, pathValues } = found;
  return [resource, name, ...Object.values(pathValues), ...vendorNames(found.resource)];
}

function vendorNames({ objectType, language }: Resource): string[] {
  return [
    ...(objectType === undefined ? [] : [objectType]),
    ...(language?.name === "soql" ? [language.object] : []),
  ];
}
