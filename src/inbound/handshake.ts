import { createHmac } from "node:crypto";
import type { Handshake } from "../connectors/handshake";
import { textOf } from "../connectors/read";
import { equalInConstantTime } from "../values/bytes";
import { readPath } from "../values/path";
import { parseUnproved } from "./content";

/** The longest challenge that is answered, in UTF-16 units; a body with one is not much larger, in bytes. */
const MOST_CHALLENGE = 1_024;
const MOST_BODY = 8_192;

/** What is signed for anybody who asks must not be what a delivery's signature covers: no body looks like this. */
const SIGNABLE = /^[\w.+/-]{1,256}={0,2}$/;

export type Asked = {
  method: string;
  query: URLSearchParams;
  body: Uint8Array;
  contentType: string | null;
};

export type Answered =
  | { kind: "answered"; type: string; body: string }
  /** It is none, but a delivery. */
  | { kind: "none" }
  /** Only an instance can answer it. */
  | { kind: "needs-instance" }
  | { kind: "invalid"; message: string; field: string }
  | { kind: "refused" };

type Configuration = Readonly<Record<string, string | null>>;

/** The answer to a handshake; `configuration` is the instance's whose address it came to, if it is known. */
export function answerHandshake(
  rule: Handshake,
  asked: Asked,
  configuration: Configuration | undefined,
): Answered {
  if (asked.method !== rule.method) return { kind: "none" };
  const valueOf = valuesOf(rule, asked);
  if (Object.entries(rule.requires).some(([name, value]) => valueOf(name) !== value))
    return { kind: "none" };
  const { parameter } = rule;
  const challenge = valueOf(parameter);
  if (challenge === undefined && rule.method === "POST") return { kind: "none" };
  if (challenge === undefined || challenge === "")
    return invalid(parameter, "Expected a text to answer with");
  if (challenge.length > MOST_CHALLENGE)
    return invalid(parameter, `Expected at most ${MOST_CHALLENGE} characters`);
  const needsInstance = rule.verifyToken !== undefined || rule.hmac !== undefined;
  if (needsInstance && configuration === undefined) return { kind: "needs-instance" };
  if (!hasToken(rule, valueOf, configuration ?? {})) return { kind: "refused" };
  return answerOf(rule, challenge, configuration?.["event.vendor.signature.key"] ?? "");
}

const invalid = (field: string, message: string): Answered => ({
  kind: "invalid",
  message: `${field}: ${message}`,
  field,
});

function valuesOf(rule: Handshake, { query, body, contentType }: Asked) {
  if (rule.in === "query")
    return (name: string): string | undefined => query.get(name) ?? undefined;
  const parsed = body.byteLength > MOST_BODY ? undefined : parseUnproved(body, contentType);
  const content = parsed?.ok === true ? parsed.content.body : undefined;
  return (name: string): string | undefined => textOf(readPath(content, name));
}

function hasToken(
  { verifyToken }: Handshake,
  valueOf: (name: string) => string | undefined,
  configuration: Configuration,
): boolean {
  if (verifyToken === undefined) return true;
  const wanted = configuration[verifyToken.configurationKey] ?? "";
  return wanted !== "" && equalInConstantTime(valueOf(verifyToken.parameter) ?? "", wanted);
}

function answerOf(
  { hmac, answer, parameter }: Handshake,
  challenge: string,
  key: string,
): Answered {
  if (hmac !== undefined && !SIGNABLE.test(challenge))
    return invalid(parameter, "Expected at most 256 letters, digits and .+/-_ to sign");
  if (hmac !== undefined && key === "") return { kind: "refused" };
  const digest =
    hmac === undefined
      ? ""
      : createHmac(hmac.algorithm.slice(5), key).update(challenge).digest(hmac.encoding);
  if (answer === undefined)
    return { kind: "answered", type: "text/plain", body: hmac === undefined ? challenge : digest };
  const filled = Object.entries(answer).map(([name, text]) => [
    name,
    text.replaceAll("${hmac}", () => digest).replaceAll("${challenge}", () => challenge),
  ]);
  return {
    kind: "answered",
    type: "application/json",
    body: JSON.stringify(Object.fromEntries(filled)),
  };
}
