import { createHash } from "node:crypto";
import type { Answer, Incoming } from "./server.ts";

/** What the emulators of OAuth vendors share: codes, access tokens that end, refresh tokens that rotate or not. */
export interface Grants {
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
  /** A refresh token holds once. */
  rotates: boolean;
  /** Answers to a refresh carry no refresh token at all. */
  silent?: boolean;
  /** More members of the answer. */
  extra?: () => Record<string, unknown>;
  /** How this vendor says that a token ended. */
  unauthorized?: Answer;
}

export const CLIENT = { id: "client-id", secret: "client-secret" };
export const CODE = "the-code";

export function grants(options: GrantOptions): Grants {
  const { now, clientAuthentication, lifetimeSeconds, rotates, silent } = options;
  let count = 0;
  const access = new Map<string, number>();
  const refresh = new Set<string>(["the-refresh-token"]);
  const spent = new Set<string>();
  const granted: string[] = [];
  const name = (kind: string) =>
    `${kind}-${(count += 1)}-${createHash("sha256").update(String(count)).digest("hex").slice(0, 8)}`;

  const deny = (error: string): Answer => ({ status: 400, body: { error } });

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
    if (grantType === "authorization_code" && form.get("code") !== CODE)
      return deny("invalid_grant");
    if (grantType === "refresh_token") {
      const given = form.get("refresh_token") ?? "";
      if (spent.has(given) || !refresh.has(given)) return deny("invalid_grant");
      if (rotates) {
        spent.add(given);
        refresh.delete(given);
      }
    }
    if (!["authorization_code", "refresh_token"].includes(grantType))
      return deny("unsupported_grant_type");
    granted.push(grantType);
    const accessToken = name("access");
    access.set(accessToken, now() + (lifetimeSeconds ?? 7_200) * 1000);
    const isSilent = silent === true && grantType === "refresh_token";
    const refreshToken = isSilent ? undefined : rotates ? name("refresh") : "the-refresh-token";
    if (refreshToken !== undefined) refresh.add(refreshToken);
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
