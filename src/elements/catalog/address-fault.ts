import type { Authentication } from "../../connectors/authentication";
import { checkEgress, type EgressPolicy } from "../../http/egress";
import type { Violation } from "../../http/refusal";
import type { OwnDefinition } from "./user-connector";

/**
 * What is wrong with the addresses of a connector's vendor that may not be called. One that holds `${key}` is known
 * only with an instance's configuration, and is checked before each request.
 */
export function addressFaults(
  { baseUrl, authentication, otherAuthentications = [] }: Partial<OwnDefinition>,
  policy: EgressPolicy,
): Violation[] {
  const all: [field: string, address: string | undefined][] = [
    ["baseUrl", baseUrl],
    ...(authentication === undefined ? [] : grantAddresses("authentication", authentication)),
    ...otherAuthentications.flatMap((other, index) =>
      grantAddresses(`otherAuthentications.${index}`, other),
    ),
  ];
  return all.flatMap(([field, address]) => {
    if (address === undefined || address.includes("${")) return [];
    const verdict = checkEgress(address, policy);
    return verdict.ok ? [] : { field, message: verdict.message };
  });
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
