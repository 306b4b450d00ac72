import * as z from "zod";
import type { Millis } from "../values/instant";
import { parseExactly } from "../values/json";
import { recordOf } from "../values/record";
import { MASK } from "../values/secret-name";
import { storedJson } from "../values/stored-json";

/** How the calls of an endpoint prove who makes them. */

const PRINTABLE = /^[\x20-\x7e]*$/;
const TOKEN = /^[\x21-\x7e]+$/;
const ASCII = "Expected printable ASCII";
const TEXT = "Expected a text";
const text = (most: number) => z.string(TEXT).min(1, TEXT).max(most).regex(PRINTABLE, ASCII);

const basic = z.strictObject({
  type: z.literal("basic"),
  username: z
    .string(TEXT)
    .max(512)
    .regex(/^[^:\p{Cc}]*$/u, "Expected neither colons nor control characters"),
  password: z
    .string(TEXT)
    .max(4_096)
    .regex(/^\P{Cc}*$/u, "Expected no control characters"),
});
const bearer = z.strictObject({
  type: z.literal("bearer"),
  token: z.string(TEXT).max(8_192).regex(TOKEN, `${ASCII} without spaces`),
});
const oauth2 = z.strictObject({
  type: z.literal("oauth2"),
  tokenUrl: z
    .string("Expected a URL")
    .max(2_048)
    .describe("Asked for a token: client credentials (RFC 6749)"),
  clientId: text(512),
  clientSecret: text(4_096),
  scope: text(1_024).optional(),
  audience: text(1_024).optional(),
  authStyle: z
    .enum(["header", "body"], "Expected header or body")
    .default("header")
    .describe("Whether client id and secret go as basic credentials or in the form"),
});
const mtls = z.strictObject({
  type: z.literal("mtls"),
  binding: z
    .string("Expected the name of a binding")
    .max(64)
    .regex(/^[A-Za-z_]\w*$/, "Expected the name of a binding")
    .describe("An `mtls_certificates` binding of the deployment: whose certificate is shown"),
});

/** The shapes of each kind. */
export const authKinds = [basic, bearer, oauth2, mtls] as const;
const auth = z.discriminatedUnion("type", authKinds);
export type Auth = z.infer<typeof auth>;
export type OAuth2 = Extract<Auth, { type: "oauth2" }>;

/** The form in which it is sealed. */
export const storedAuth = storedJson(auth);

/** With its secret as `map` makes it. */
export function mapSecret(given: Auth, map: (secret: string, field: string) => string): Auth {
  switch (given.type) {
    case "basic":
      return { ...given, password: map(given.password, "password") };
    case "bearer":
      return { ...given, token: map(given.token, "token") };
    case "oauth2":
      return { ...given, clientSecret: map(given.clientSecret, "clientSecret") };
    case "mtls":
      return given;
  }
}

/** What was shown and comes back: a mask keeps the stored secret of the same kind. */
export function unmaskedAuth(given: Auth, stored: Auth | undefined): Auth {
  if (stored?.type !== given.type) return given;
  let kept = MASK;
  mapSecret(stored, (secret) => (kept = secret));
  return mapSecret(given, (secret) => (secret === MASK ? kept : secret));
}

/** The credentials that its calls carry; undefined: none, or a token that is asked for first. */
export function authorizationOf(given: Auth | undefined): string | undefined {
  switch (given?.type) {
    case "basic":
      return basicCredentials(given.username, given.password);
    case "bearer":
      return `Bearer ${given.token}`;
    case "oauth2":
    case "mtls":
    case undefined:
      return undefined;
  }
}

const basicCredentials = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

/** The request for a token (RFC 6749, section 4.4; the client's credentials as section 2.3.1 says). */
export function tokenRequest({ clientId, clientSecret, scope, audience, authStyle }: OAuth2): {
  headers: Record<string, string>;
  body: string;
} {
  const inForm = authStyle === "body" ? { client_id: clientId, client_secret: clientSecret } : {};
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    ...inForm,
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
  });
  const [id, secret] = [encodeURIComponent(clientId), encodeURIComponent(clientSecret)];
  return {
    headers: {
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
      ...(authStyle === "header" ? { authorization: basicCredentials(id, secret) } : {}),
    },
    body: form.toString(),
  };
}

/** How long a token is used whose answer does not say how long it is good. */
const UNTOLD_SECONDS = 300;
/** A token is not used any more so long before its end, or in its last tenth. */
const BEFORE_END_MS = 60_000;
const LONGEST_REASON = 200;

export type ReadToken = { ok: true; token: string; until: Millis } | { ok: false; reason: string };

/** The token in an answer to what was asked at `askedAt`, and until when it is used; or why there is none. */
export function tokenIn(
  { status, text: body }: { status: number; text: string },
  askedAt: Millis,
): ReadToken {
  const parsed = parseExactly(body);
  const answer = recordOf(parsed.ok ? parsed.value : undefined);
  if (status < 200 || status > 299) {
    const told = [answer["error"], answer["error_description"]].filter(
      (one) => typeof one === "string" && one !== "",
    );
    const reason = [`answered with ${status}`, ...told].join(": ");
    return { ok: false, reason: reason.slice(0, LONGEST_REASON) };
  }
  const { access_token: token, token_type: type = "Bearer", expires_in: seconds } = answer;
  if (typeof token !== "string" || !TOKEN.test(token))
    return { ok: false, reason: "answered without an access_token that can be sent" };
  if (String(type).toLowerCase() !== "bearer")
    return {
      ok: false,
      reason: `answered with a token of the type '${String(type).slice(0, 50)}'`,
    };
  const told = Number(seconds ?? Number.NaN);
  const lifeMs = 1_000 * (told > 0 && told < 1e9 ? told : UNTOLD_SECONDS);
  return { ok: true, token, until: askedAt + lifeMs - Math.min(BEFORE_END_MS, lifeMs / 10) };
}
