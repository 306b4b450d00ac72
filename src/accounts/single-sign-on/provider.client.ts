import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import * as z from "zod";
import { readConfig } from "../../config";
import { type Answer, type Outbound, request } from "../../http/client";
import { Cache } from "../../values/cache";
import type { Millis } from "../../values/instant";

const TIMEOUT_MS = 5_000;
const MOST_BYTES = 256 * 1024;
const HOUR_MS = 3_600_000;
/** Keys are read anew this often, and for a key id that is new, but not within the cooldown. */
const KEYS_FOR_MS = 10 * 60_000;
const COOLDOWN_MS = 30_000;

const keySets = new Cache<string, JWTVerifyGetKey>(10);
const metadataOf = new Cache<string, Metadata>(10);

/**
 * The keys of a provider. They are read when a token needs them; a token with an unknown key id makes them be read
 * again, once in half a minute at most, whatever tokens somebody makes up.
 */
export function keysAt(env: Env, url: string, now: Millis): JWTVerifyGetKey {
  const known = keySets.get(url, now);
  if (known !== undefined) return known;
  const keys = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: KEYS_FOR_MS,
    cooldownDuration: COOLDOWN_MS,
    [customFetch]: async (address) => {
      return new Response(await read(env, address), {
        headers: { "content-type": "application/json" },
      });
    },
  });
  keySets.set(url, keys, now + HOUR_MS);
  return keys;
}

const metadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(["client_secret_basic"]),
});
export type Metadata = z.infer<typeof metadata>;

/** What a provider says of itself (OpenID Connect Discovery 1.0, section 4). @throws when it doesn't, or speaks for another issuer. */
export async function discover(env: Env, issuer: string, now: Millis): Promise<Metadata> {
  const known = metadataOf.get(issuer, now);
  if (known !== undefined) return known;
  const base = issuer.endsWith("/") ? issuer.slice(0, -1) : issuer;
  const url = `${base}/.well-known/openid-configuration`;
  const found = metadata.parse(JSON.parse(await read(env, url)));
  if (found.issuer !== issuer)
    throw new Error(`The provider calls itself '${found.issuer}', not '${issuer}'`);
  metadataOf.set(issuer, found, now + HOUR_MS);
  return found;
}

const tokens = z.object({ id_token: z.string().max(64 * 1024) });

/**
 * Turns a code into an ID token (OpenID Connect Core 1.0, section 3.1.3). @returns undefined when the provider refuses the
 * code. @throws when it gives no answer that can be used.
 */
export async function redeem(
  env: Env,
  { token_endpoint: url, token_endpoint_auth_methods_supported: methods }: Metadata,
  client: { clientId: string; clientSecret?: string | undefined },
  grant: { code: string; redirectUri: string; verifier: string },
): Promise<string | undefined> {
  const { clientId, clientSecret } = client;
  const isBasic = clientSecret !== undefined && methods.includes("client_secret_basic");
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: grant.code,
    redirect_uri: grant.redirectUri,
    code_verifier: grant.verifier,
    ...(isBasic ? {} : { client_id: clientId }),
    ...(isBasic || clientSecret === undefined ? {} : { client_secret: clientSecret }),
  });
  const credentials = [clientId, clientSecret ?? ""].map(encodeURIComponent).join(":");
  const answer = await answerOf(env, {
    url,
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      ...(isBasic ? { authorization: `Basic ${btoa(credentials)}` } : {}),
    },
    body: body.toString(),
  });
  if (answer.status === 400) return undefined;
  return tokens.parse(JSON.parse(textOf(url, answer))).id_token;
}

type Answered = Extract<Answer, { kind: "answered" }>;

async function answerOf(
  env: Env,
  outbound: Pick<Outbound, "url" | "method" | "headers" | "body">,
): Promise<Answered> {
  const bounds = { timeoutMs: TIMEOUT_MS, mostBytes: MOST_BYTES };
  const answer = await request({ ...outbound, ...bounds }, readConfig(env).egress);
  if (answer.kind !== "answered") throw new Error(`${outbound.url}: ${answer.error}`);
  return answer;
}

function textOf(url: string, { status, truncated, fault, text }: Answered): string {
  if (status !== 200 || truncated || fault !== undefined)
    throw new Error(`${url} answered ${status}`);
  return text;
}

const read = async (env: Env, url: string): Promise<string> =>
  textOf(url, await answerOf(env, { url, method: "GET", headers: {} }));
