import type { Authentication } from "../../connectors/authentication";
import type { Fault } from "../../instances/value-checks";
import { checkEgress, type EgressPolicy } from "../../http/egress";
import type { OwnDefinition } from "./user-connector";

/**
 * What is wrong with the first address of a connector's vendor that may not be called. One that holds `${key}` is known
 * only with an instance's configuration, and is checked before each request.
 */
export function addressFault(
  { baseUrl, authentication, otherAuthentications }: OwnDefinition,
  policy: EgressPolicy,
): Fault | undefined {
  const all: [field: string, address: string | undefined][] = [
    ["baseUrl", baseUrl],
    ...grantAddresses("authentication", authentication),
    ...otherAuthentications.flatMap((other, index) =>
      grantAddresses(`otherAuthentications.${index}`, other),
    ),
  ];
  for (const [field, address] of all) {
    if (address === undefined || address.includes("${")) continue;
    const verdict = checkEgress(address, policy);
    if (!verdict.ok) return { field, message: verdict.message };
  }
  return undefined;
}

/** Where we ask for tokens; a browser goes to `authorizeUrl`. */
function grantAddresses(
  place: string,
  authentication: Authentication,
): [field: string, address: string | undefined][] {
  if (authentication.type !== "oauth2") return [];
  const { tokenUrl, refreshUrl, revokeUrl } = authentication;
  return Object.entries({ tokenUrl, refreshUrl, revokeUrl }).map(([name, address]) => [
    `${place}.${name}`,
    address,
  ]);
}
