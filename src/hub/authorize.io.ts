import type { Config } from "../config";
import type { Connector } from "../connectors/definition";
import { keyring } from "../db/sealed";
import { type AuthorizationRequest, authorizeUrl, clientName, stateOf } from "./authorize";
import { keepVerifier } from "./verifiers.store";

/**
 * An authorize URL for one user's consent. Where the vendor knows PKCE, its verifier is kept for the code.
 * @param configuration Of the instance that the consent is for, where there is one.
 */
export async function requestAuthorization(
  organizationId: number,
  connector: Connector,
  request: AuthorizationRequest,
  doors: { db: D1Database; config: Config },
  configuration: Readonly<Record<string, string | null>> = {},
): Promise<ReturnType<typeof authorizeUrl>> {
  const { authentication } = connector;
  if (authentication.type !== "oauth2" || !authentication.pkce)
    return authorizeUrl(connector, request, configuration);
  const verifier = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const built = authorizeUrl(connector, request, configuration, verifier);
  if (!built.ok) return built;
  const client = clientName(organizationId, connector.key, request);
  const kept = { client, state: stateOf(connector, request), verifier };
  await keepVerifier(doors.db, keyring(doors.config.masterKeys), kept, Date.now());
  return built;
}
