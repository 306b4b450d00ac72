import type { Config } from "../config";
import type { Connector } from "../connectors/definition";
import { checkEgress } from "../http/egress";
import { type Fault, valueFaults } from "./value-checks";
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

/** All that is wrong with a configuration as a whole. The room `polling` checks the poll configuration. */
export function faultsOf(configuration: Record<string, string | null>, config: Config): Fault[] {
  const found = [...valueFaults(configuration), ...addressFaults(configuration, config)];
  const destination = destinationFault(configuration, config);
  const isTold = found.some(({ field }) => field === destination?.field);
  return destination === undefined || isTold ? found : [...found, destination];
}

const ADDRESSES = ["base.url", "oauth.base.url", "site.address"];

function addressFaults(configuration: Record<string, string | null>, config: Config): Fault[] {
  return ADDRESSES.flatMap((key) => {
    const value = configuration[key] ?? null;
    const verdict =
      value === null
        ? undefined
        : checkEgress(
            key === "site.address" && !value.includes("://") ? `https://${value}` : value,
            config.egress,
          );
    return verdict?.ok === false
      ? { field: `configuration.${key}`, message: `${key}: ${verdict.message}` }
      : [];
  });
}

function destinationFault(
  configuration: Record<string, string | null>,
  config: Config,
): Fault | undefined {
  const destination = destinationOf({ id: 0, organizationId: 0, configuration }, config.egress);
  return destination.ok ? undefined : destination;
}
