import type { Connector, Resource } from "../connectors/definition";
import { findResource } from "../hub/request";
import { touchedType } from "../instances/touched";
import type { PolledResource } from "./polled-resource";
import { parseHubUrl } from "./hub-url";

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
