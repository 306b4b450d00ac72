import { jwtVerify } from "jose";
import { readConfig } from "../../config";
import type { Millis } from "../../values/instant";
import type { OidcProvider } from "../../values/member-sign-in";
import { ALGORITHMS, type Vouched, vouchedByAccess, vouchedByOidc } from "./claims";
import { discover, keysAt, redeem } from "./provider.client";

const CLOCK_TOLERANCE_SECONDS = 30;

/** Whom Cloudflare Access vouches for with `Cf-Access-Jwt-Assertion`; undefined where it is not set up. */
export async function accessVouches(
  env: Env,
  assertion: string,
  now: Millis,
): Promise<Vouched | undefined> {
  const access = readConfig(env).memberSignIn?.access;
  if (access === undefined) return undefined;
  const issuer = `https://${access.team}`;
  const { audience } = access;
  const keys = `${issuer}/cdn-cgi/access/certs`;
  return vouched(env, assertion, { issuer, audience, keys }, now, vouchedByAccess);
}

/** A sign-in that a browser began: what the provider's answer is held against. */
export type Begun = { state: string; nonce: string; verifier: string };

/** Where a browser goes to sign in with a provider (OpenID Connect Core 1.0, section 3.1.2.1, with PKCE). @throws when the provider can't be reached. */
export async function authorizationUrl(
  env: Env,
  provider: OidcProvider,
  { state, nonce, verifier }: Begun,
  redirectUri: string,
  now: Millis,
): Promise<string> {
  const { authorization_endpoint: endpoint } = await discover(env, provider.issuer, now);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries({
    response_type: "code",
    client_id: provider.clientId,
    redirect_uri: redirectUri,
    scope: "openid email",
    state,
    nonce,
    code_challenge: Buffer.from(digest).toString("base64url"),
    code_challenge_method: "S256",
  }))
    url.searchParams.set(name, value);
  return url.href;
}

/** Whom a provider vouches for with the code that a browser brought back. @throws when the provider gives no answer that can be used. */
export async function oidcVouches(
  env: Env,
  provider: OidcProvider,
  { nonce, verifier }: Begun,
  { code, redirectUri }: { code: string; redirectUri: string },
  now: Millis,
): Promise<Vouched> {
  const { issuer, clientId } = provider;
  const metadata = await discover(env, issuer, now);
  const token = await redeem(env, metadata, provider, { code, redirectUri, verifier });
  if (token === undefined) return { kind: "refused", because: "The provider refused the code" };
  const expected = { issuer, audience: clientId, keys: metadata.jwks_uri };
  return vouched(env, token, expected, now, (payload) =>
    vouchedByOidc(payload, { clientId, nonce }),
  );
}

async function vouched(
  env: Env,
  token: string,
  { issuer, audience, keys }: { issuer: string; audience: string; keys: string },
  now: Millis,
  read: (payload: unknown) => Vouched,
): Promise<Vouched> {
  try {
    const { payload } = await jwtVerify(token, keysAt(env, keys, now), {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp", "iat"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now),
    });
    return read(payload);
  } catch (error) {
    // Who presents the token learns no more than that; operators find why in the log.
    console.warn(JSON.stringify({ at: "single-sign-on", issuer, error: String(error) }));
    return { kind: "refused", because: "It could not be verified" };
  }
}
