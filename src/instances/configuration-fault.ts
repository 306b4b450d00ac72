import type { Config } from "../config";
import type { Connector } from "../connectors/definition";
import { checkEgress } from "../http/egress";
import { configurationFault, type Fault } from "./value-checks";
import { destinationOf } from "./destination";

/** `authentication.type` names a way to authenticate that the connector does not have. */
export function authenticationFault(
  { authentication, otherAuthentications }: Connector,
  configuration: Record<string, string | null>,
): Fault | undefined {
  const chosen = configuration["authentication.type"] ?? null;
  const types = [authentication, ...otherAuthentications].map(({ type }) => type);
  if (chosen === null || otherAuthentications.length === 0) return undefined;
  if (types.some((type) => type.toLowerCase() === chosen.toLowerCase())) return undefined;
  const message = `authentication.type: Expected ${types.join(" or ")}, got '${chosen}'`;
  return { field: "configuration.authentication.type", message };
}

/** What is wrong with a configuration as a whole. The room `polling` checks the poll configuration. */
export function faultOf(
  configuration: Record<string, string | null>,
  config: Config,
): Fault | undefined {
  return (
    configurationFault(configuration) ??
    addressFault(configuration, config) ??
    destinationFault(configuration, config)
  );
}

const ADDRESSES = ["base.url", "oauth.base.url", "site.address"];

function addressFault(
  configuration: Record<string, string | null>,
  config: Config,
): Fault | undefined {
  for (const key of ADDRESSES) {
    const value = configuration[key] ?? null;
    const verdict =
      value === null
        ? undefined
        : checkEgress(
            key === "site.address" && !value.includes("://") ? `https://${value}` : value,
            config.egress,
          );
    if (verdict?.ok === false)
      return { field: `configuration.${key}`, message: `${key}: ${verdict.message}` };
  }
  return undefined;
}

function destinationFault(
  configuration: Record<string, string | null>,
  config: Config,
): Fault | undefined {
  const destination = destinationOf({ id: 0, organizationId: 0, configuration }, config.egress);
  return destination.ok ? undefined : destination;
}
