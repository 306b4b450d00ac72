import { createHmac } from "node:crypto";
import type { Connector } from "../connectors/definition";
import { addressOf, valuesOf } from "./request";
import { sha256 } from "../values/bytes";

/** How a user's consent is asked for: an authorization request (RFC 6749 §4.1.1), bound by PKCE (RFC 7636). */
export type AuthorizationRequest = {
  apiKey: string;
  callbackUrl: string;
  scope?: string | undefined;
  /** The account's own host, where the vendor has one. */
  siteAddress?: string | undefined;
  /** The connector's key when absent. */
  state?: string | undefined;
};

/**
 * Where a user consents: `oauthUrl` of `/elements/{key}/oauth/url` (reference connector-events-api.md §3).
 * @param verifier What the vendor will ask for with the code; only its hash is in the URL.
 */
export function authorizeUrl(
  connector: Connector,
  request: AuthorizationRequest,
  configuration: Readonly<Record<string, string | null>> = {},
  verifier?: string,
): { ok: true; url: string } | { ok: false; message: string } {
  const { authentication } = connector;
  if (authentication.type !== "oauth2")
    return { ok: false, message: `Connector '${connector.key}' has no OAuth` };
  const site = request.siteAddress === undefined ? {} : { "site.address": request.siteAddress };
  const values = valuesOf({ connector, configuration: { ...configuration, ...site } });
  const address = addressOf(connector, authentication.authorizeUrl, values, "oauth.base.url");
  if (!address.ok) return address;
  const url = new URL(address.url);
  const scope = request.scope ?? authentication.scope;
  const parameters = {
    response_type: "code",
    client_id: request.apiKey,
    redirect_uri: request.callbackUrl,
    ...(scope === "" ? {} : { scope }),
    state: stateOf(connector, request),
    ...authentication.authorizeParameters,
    ...(verifier === undefined
      ? {}
      : { code_challenge: challengeOf(verifier), code_challenge_method: "S256" }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  url.search = url.search.replaceAll("+", "%20");
  return { ok: true, url: url.href };
}

export function stateOf({ key }: Connector, { state }: AuthorizationRequest): string {
  return state ?? key;
}

function challengeOf(verifier: string): string {
  return sha256(verifier, "base64url");
}

type Client = Pick<AuthorizationRequest, "apiKey" | "callbackUrl">;

/** The name under which a client's verifiers are kept: a hash, which says nothing of the client. */
export function clientName(
  organizationId: number,
  connectorKey: string,
  { apiKey, callbackUrl }: Client,
): string {
  return sha256(JSON.stringify([organizationId, connectorKey, apiKey, callbackUrl]), "hex");
}

/** The one verifier of a client and its callback until migration 0004: derived under a key of ours. */
export function constantVerifier(sessionKey: string, { apiKey, callbackUrl }: Client): string {
  return createHmac("sha256", sessionKey)
    .update(JSON.stringify(["pkce", apiKey, callbackUrl]))
    .digest("base64url");
}

/**
 * What a caller sends back as `providerData.secret` to use the platform's own application: nothing to learn
 * its secret from, and of no use to another organization.
 */
export function appHandle(sessionKey: string, organizationId: number, { key }: Connector): string {
  return createHmac("sha256", sessionKey)
    .update(JSON.stringify(["oauth-app", organizationId, key]))
    .digest("base64url");
}
