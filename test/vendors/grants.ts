import { createHash } from "node:crypto";
import type { Answer, Incoming } from "./server.ts";

/** What the emulators of OAuth vendors share: consent, codes, access tokens that end, refresh tokens that rotate or not. */
export interface Grants {
  /** The consent page, of a user who always consents: sent straight back with a code. */
  authorize(request: Incoming): Answer;
  /** The token endpoint. */
  token(request: Incoming): Answer;
  /** Why a request may not be answered; undefined when its access token holds. */
  refusal(request: Incoming): Answer | undefined;
  /** All access tokens end now. */
  expire(): void;
  /** Token requests that were granted. */
  readonly granted: string[];
}

export interface GrantOptions {
  now: () => number;
  clientAuthentication: "form" | "basic";
  /** Absent: the answer does not say when its token ends. */
  lifetimeSeconds?: number;
  /** How long a refresh token that is not used holds; for ever when absent. */
  refreshLifetimeSeconds?: number;
  /** A refresh token holds once. */
  rotates: boolean;
  /** How long one that was used holds all the same. */
  graceSeconds?: number;
  /** Answers to a refresh carry no refresh token at all. */
  silent?: boolean;
  /** More members of the answer. */
  extra?: () => Record<string, unknown>;
  /** The challenge that the authorize URL of `CODE` carried. */
  pkce?: { challenge: string };
  /** How this vendor says that a token ended. */
  unauthorized?: Answer;
  /** The scopes that the application may ask for. */
  scopes: string[];
  /** Parameters that the authorize URL must have beside OAuth's own. */
  authorizeParameters?: Record<string, string>;
  /** What the vendor sends back to the callback beside code and state. */
  redirected?: Record<string, string>;
}

export const CLIENT = { id: "client-id", secret: "client-secret" };
/** A code that was given before the test began; of single use, like all of them. */
export const CODE = "the-code";

type Code = { redirectUri?: string; challenge?: string };

/** How many emulators there are: what one of them granted is nothing to the others. */
let emulators = 0;

export function grants(options: GrantOptions): Grants {
  const { now, clientAuthentication, lifetimeSeconds, rotates, silent } = options;
  const emulator = (emulators += 1);
  let count = 0;
  const codes = new Map<string, Code>([[CODE, { ...options.pkce }]]);
  const access = new Map<string, number>();
  /** Until when each holds, epoch ms. */
  const refresh = new Map<string, number>([["the-refresh-token", Infinity]]);
  const granted: string[] = [];
  const name = (kind: string) =>
    `${kind}-${emulator}.${(count += 1)}-${createHash("sha256").update(`${emulator}.${count}`).digest("hex").slice(0, 8)}`;

  const deny = (error: string): Answer => ({ status: 400, body: { error } });

  const authorize = ({ method, query }: Incoming): Answer => {
    if (method !== "GET") return { status: 405 };
    const { redirected, authorizeParameters = {} } = options;
    const redirectUri = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== CLIENT.id) return deny("invalid_client");
    if (!URL.canParse(redirectUri)) return deny("redirect_uri_mismatch");
    if (query.get("response_type") !== "code") return deny("unsupported_response_type");
    const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    if (scopes.some((scope) => !options.scopes.includes(scope))) return deny("invalid_scope");
    for (const [parameter, value] of Object.entries(authorizeParameters))
      if (query.get(parameter) !== value) return deny("invalid_request");
    const challenge = query.get("code_challenge") ?? undefined;
    if (challenge !== undefined && query.get("code_challenge_method") !== "S256")
      return deny("invalid_request");
    const code = name("code");
    codes.set(code, { redirectUri, ...(challenge === undefined ? {} : { challenge }) });
    const location = new URL(redirectUri);
    const state = query.get("state");
    const back = { code, ...(state === null ? {} : { state }), ...redirected };
    for (const [parameter, value] of Object.entries(back))
      location.searchParams.set(parameter, value);
    return { status: 302, headers: { location: location.href } };
  };

  /** Whether the code is good; it is not a second time, whatever became of the first. */
  const takeCode = (form: URLSearchParams): boolean => {
    const code = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    if (code === undefined) return false;
    if (code.redirectUri !== undefined && form.get("redirect_uri") !== code.redirectUri)
      return false;
    const verifier = form.get("code_verifier");
    if (verifier === null || code.challenge === undefined)
      return verifier === null && code.challenge === undefined;
    return createHash("sha256").update(verifier).digest("base64url") === code.challenge;
  };

  /** Whether the refresh token is good; where they rotate it is used up. */
  const takeRefreshToken = (given: string): boolean => {
    const until = refresh.get(given) ?? -Infinity;
    if (until <= now()) return false;
    const graceUntil = now() + (options.graceSeconds ?? 0) * 1000;
    if (rotates) refresh.set(given, Math.min(until, graceUntil));
    return true;
  };

  const token = (request: Incoming): Answer => {
    if (request.method !== "POST") return { status: 405 };
    if (request.headers["content-type"] !== "application/x-www-form-urlencoded")
      return deny("invalid_request");
    const form = new URLSearchParams(request.text);
    const basic = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString("base64")}`;
    const proved =
      clientAuthentication === "basic"
        ? request.headers["authorization"] === basic && !form.has("client_secret")
        : form.get("client_id") === CLIENT.id && form.get("client_secret") === CLIENT.secret;
    if (!proved) return { status: 401, body: { error: "invalid_client" } };
    const grantType = form.get("grant_type") ?? "";
    if (!["authorization_code", "refresh_token"].includes(grantType))
      return deny("unsupported_grant_type");
    const isGood =
      grantType === "authorization_code"
        ? takeCode(form)
        : takeRefreshToken(form.get("refresh_token") ?? "");
    if (!isGood) return deny("invalid_grant");
    granted.push(grantType);
    const accessToken = name("access");
    access.set(accessToken, now() + (lifetimeSeconds ?? 7_200) * 1000);
    const isSilent = silent === true && grantType === "refresh_token";
    const refreshToken = isSilent ? undefined : rotates ? name("refresh") : "the-refresh-token";
    if (refreshToken !== undefined)
      refresh.set(refreshToken, now() + (options.refreshLifetimeSeconds ?? Infinity) * 1000);
    return {
      status: 200,
      body: {
        access_token: accessToken,
        token_type: "bearer",
        ...(lifetimeSeconds === undefined ? {} : { expires_in: lifetimeSeconds }),
        ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
        ...options.extra?.(),
      },
    };
  };

  return {
    authorize,
    token,
    granted,
    refusal: (request) => {
      const [, given = ""] = /^Bearer (.+)$/.exec(request.headers["authorization"] ?? "") ?? [];
      const until = access.get(given);
      if (until !== undefined && until > now()) return undefined;
      return options.unauthorized ?? { status: 401, body: { message: "Unauthorized" } };
    },
    expire: () => access.clear(),
  };
}

/** A vendor's rate limit: for so long, every request that is authenticated is turned away. */
export function limiter(now: () => number, refusal: Answer) {
  let until = 0;
  return {
    limit: (ms: number) => void (until = now() + ms),
    limited: (): Answer | undefined => (until > now() ? refusal : undefined),
  };
}

/** JSON of a request, or nothing. */
export function jsonOf(request: Incoming): Record<string, unknown> | undefined {
  if (!(request.headers["content-type"] ?? "").startsWith("application/json")) return undefined;
  try {
    const value: unknown = JSON.parse(request.text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
