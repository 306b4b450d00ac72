import { RE2JS } from "re2js";
import type { Authentication } from "../connectors/authentication";
import type { Connector } from "../connectors/definition";
import {
  addressOf,
  basicCredentials,
  type Built,
  type Caller,
  valuesOf,
  type VendorRequest,
} from "./request";
import { fillTemplate } from "../instances/instance";
import { isObject } from "../values/record";
import { readPath } from "../values/path";
import { foreignHost } from "./vendor-host";

type OAuth2 = Extract<Authentication, { type: "oauth2" }>;
type Configuration = Readonly<Record<string, string | null>>;

/** A token that expires within this time is refreshed before it is used. */
const RENEWED_BEFORE_MS = 60_000;

const TOKEN = "oauth.user.token";
const REFRESH_TOKEN = "oauth.user.refresh_token";
const EXPIRES_AT = "oauth.user.expires_at";

export type Grant =
  | { type: "authorization_code"; code: string; verifier?: string | undefined }
  | { type: "refresh_token"; refreshToken: string };

/** The request that turns a code, or a refresh token, into an access token. */
export function tokenRequest(caller: Caller, grant: Grant): Built {
  const { authentication } = caller.connector;
  if (authentication.type !== "oauth2") return noOAuth(caller.connector);
  const values = valuesOf(caller);
  const template =
    grant.type === "refresh_token"
      ? (authentication.refreshUrl ?? authentication.tokenUrl)
      : authentication.tokenUrl;
  const address = addressOf(caller.connector, template, values, "oauth.base.url");
  if (!address.ok) return address;
  const [id, secret] = [values["oauth.api.key"] ?? "", values["oauth.api.secret"] ?? ""];
  if (id === "") return { ok: false, message: "Missing configuration 'oauth.api.key'" };
  if (secret === "") return { ok: false, message: "Missing configuration 'oauth.api.secret'" };
  return {
    ok: true,
    request: formRequest(authentication, address.url, { id, secret }, fieldsOf(grant, values)),
  };
}

function fieldsOf(grant: Grant, values: Configuration): Record<string, string> {
  switch (grant.type) {
    case "authorization_code": {
      const callback = values["oauth.callback.url"] ?? "";
      const redirect = callback === "" ? {} : { redirect_uri: callback };
      const { code, verifier } = grant;
      const proof = verifier === undefined ? {} : { code_verifier: verifier };
      return { grant_type: grant.type, code, ...redirect, ...proof };
    }
    case "refresh_token":
      return { grant_type: grant.type, refresh_token: grant.refreshToken };
  }
}

function formRequest(
  { clientAuthentication }: OAuth2,
  url: string,
  client: { id: string; secret: string },
  fields: Record<string, string>,
): VendorRequest {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
  };
  const form = new URLSearchParams(fields);
  switch (clientAuthentication) {
    case "basic":
      headers["Authorization"] = basicCredentials(
        encodeURIComponent(client.id.toWellFormed()),
        encodeURIComponent(client.secret.toWellFormed()),
      );
      break;
    case "form":
      form.set("client_id", client.id);
      form.set("client_secret", client.secret);
      break;
  }
  return { method: "POST", url, headers, body: form.toString() };
}

export type ReadGrant =
  | { ok: true; configuration: Record<string, string> }
  | { ok: false; message: string };

/**
 * A token answer as configuration values. Without a refresh token in it, the stored one stays. An answer that names a
 * host which is not the connector's is refused: the token would be sent there.
 */
export function readGrant(caller: Caller, answer: unknown, now: number): ReadGrant {
  const { connector } = caller;
  const { authentication } = connector;
  if (authentication.type !== "oauth2") return noOAuth(connector);
  const token = textOf(readPath(answer, "access_token"));
  if (token === undefined)
    return { ok: false, message: `The token answer of ${connector.name} has no access_token` };
  const seconds = Number(textOf(readPath(answer, "expires_in")) ?? Number.NaN);
  const lifetime = seconds > 0 && seconds < 1e9 ? seconds : authentication.expiresInDefault;
  const configuration: Record<string, string> = {
    [TOKEN]: token,
    [EXPIRES_AT]: String(Math.floor(now + lifetime * 1000)),
  };
  const refreshToken = textOf(readPath(answer, "refresh_token"));
  if (refreshToken !== undefined) configuration[REFRESH_TOKEN] = refreshToken;
  for (const [field, kept] of Object.entries(authentication.keep)) {
    const text = textOf(readPath(answer, field));
    const { key, value } =
      typeof kept === "string"
        ? { key: kept, value: text }
        : { key: kept.key, value: firstGroup(kept.pattern, text ?? "") };
    if (value !== undefined) configuration[key] = value;
  }
  const foreign = foreignHostIn(caller, configuration);
  return foreign === undefined
    ? { ok: true, configuration }
    : { ok: false, message: `The token answer of ${connector.name}: ${foreign}` };
}

/** Why calls with this grant would go to a host that is not the connector's. */
function foreignHostIn(
  { connector, configuration }: Caller,
  grant: Record<string, string>,
): string | undefined {
  const values = valuesOf({ connector, configuration: { ...configuration, ...grant } });
  if (values["base.url"]) return undefined;
  const filled = fillTemplate(connector.baseUrl, values);
  if (filled === undefined || !URL.canParse(filled)) return undefined;
  return foreignHost(connector, connector.baseUrl, filled);
}

/** By RE2, which matches in linear time: the pattern may come from a user's connector definition. */
function firstGroup(pattern: string, text: string): string | undefined {
  const matcher = RE2JS.compile(pattern).matcher(text);
  return matcher.find() && matcher.groupCount() > 0 ? (matcher.group(1) ?? undefined) : undefined;
}

/** The configuration values that make up the grant: tokens, their expiry, and what came with them. */
export function grantIn(
  connector: Connector,
  configuration: Configuration,
): Record<string, string> {
  const { authentication } = connector;
  const kept =
    authentication.type === "oauth2"
      ? Object.values(authentication.keep).map((it) => (typeof it === "string" ? it : it.key))
      : [];
  const grant: Record<string, string> = {};
  for (const key of [TOKEN, REFRESH_TOKEN, EXPIRES_AT, ...kept]) {
    const value = configuration[key];
    if (value !== undefined && value !== null) grant[key] = value;
  }
  return grant;
}

/**
 * `ending`: expires soon, but works until then. `absent`: only a refresh token is there. `none`: there is no
 * token of any kind, as nobody has consented yet.
 */
export type TokenState = "good" | "ending" | "ended" | "absent" | "none";

export function tokenState(configuration: Configuration, now: number): TokenState {
  if (!configuration[TOKEN]) return configuration[REFRESH_TOKEN] ? "absent" : "none";
  const expiresAt = Number(configuration[EXPIRES_AT] ?? Number.NaN);
  if (Number.isNaN(expiresAt) || expiresAt - now >= RENEWED_BEFORE_MS) return "good";
  if (!configuration[REFRESH_TOKEN]) return "good";
  return expiresAt > now ? "ending" : "ended";
}

/**
 * Whether a token endpoint's refusal is final (RFC 6749 §5.2), so that the customer must consent again. An answer
 * that is not JSON (a gateway's error page) and temporary errors say nothing about the grant.
 */
export function isRefusedForGood(status: number, answer: unknown): boolean {
  if (status !== 400 && status !== 401) return false;
  if (!isObject(answer) && !Array.isArray(answer)) return false;
  const error = readPath(answer, "error");
  return error !== "temporarily_unavailable" && error !== "server_error";
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function noOAuth(connector: Connector): { ok: false; message: string } {
  return { ok: false, message: `Connector '${connector.key}' has no OAuth` };
}
