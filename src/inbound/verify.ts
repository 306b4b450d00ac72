import { createHash, createHmac, createPublicKey, verify as verifyWithKey } from "node:crypto";
import type { SignatureRule } from "../connectors/webhook";
import { toInstant } from "../values/instant";
import { equalInConstantTime } from "../values/bytes";

/** A vendor's request as it came; `url` is the public one, query included. */
export type Signed = {
  method: string;
  url: string;
  headers: { get(name: string): string | null };
  body: Uint8Array;
};

export type Keys = {
  primary: string | null;
  secondary: string | null;
  /** Replaces a configurable rule's algorithm. */
  algorithm: string | null;
};

export type Verdict =
  | { kind: "valid" }
  | { kind: "refused"; reason: "unsigned" | "no-key" | "wrong-signature" | "stale" };

/**
 * Whether one of the rules proves that the vendor made this request: over the raw bytes, in constant time,
 * against every key that the rule allows.
 */
export function verifySignature(
  rules: readonly SignatureRule[],
  request: Signed,
  keys: Keys,
  now: number,
): Verdict {
  const present = rules.filter((rule) => applies(rule, request));
  const decisive = present.find((rule) => rule.decisive);
  let verdict: Verdict = { kind: "refused", reason: "unsigned" };
  for (const rule of decisive === undefined ? present : [decisive]) {
    verdict = verifyRule(rule, request, keys, now);
    if (verdict.kind === "valid") return verdict;
  }
  return verdict;
}

function applies(rule: SignatureRule, { headers }: Signed): boolean {
  return (
    headers.get(rule.header) !== null &&
    Object.entries(rule.requires).every(([name, value]) => headers.get(name) === value)
  );
}

const refused = (reason: Extract<Verdict, { kind: "refused" }>["reason"]): Verdict => ({
  kind: "refused",
  reason,
});

function verifyRule(rule: SignatureRule, request: Signed, keys: Keys, now: number): Verdict {
  const usable = keysOf(rule, keys);
  if (usable.length === 0) return refused("no-key");
  const header = request.headers.get(rule.header) ?? "";
  const parts = rule.pairs === undefined ? undefined : pairsOf(header);
  const given =
    parts === undefined || rule.pairs === undefined
      ? [header]
      : (parts.get(rule.pairs.signature) ?? []);
  const timestamp = timestampOf(rule, request, parts);
  if (rule.timestamp !== undefined) {
    const at = instantIn(rule.timestamp.unit, timestamp);
    if (at === undefined) return refused("stale");
    const { maxAgeSeconds, maxFutureSeconds } = rule.timestamp;
    if (now - at > maxAgeSeconds * 1000 || at - now > maxFutureSeconds * 1000)
      return refused("stale");
  }
  const algorithm = algorithmOf(rule, keys);
  if (algorithm === undefined) return refused("no-key");
  const values = { method: request.method, url: decodedUrl(rule, request.url), timestamp };
  for (const body of spellings(rule, request.body))
    for (const key of usable)
      for (const signature of given) {
        if (!signature.startsWith(rule.prefix)) continue;
        const text = signature.slice(rule.prefix.length);
        if (fits({ ...rule, algorithm }, key, contentOf(rule, { ...values, key }, body), text))
          return { kind: "valid" };
      }
  return refused("wrong-signature");
}

function keysOf({ key }: SignatureRule, { primary, secondary }: Keys): string[] {
  const wanted = { primary: [primary], secondary: [secondary], any: [primary, secondary] }[key];
  return wanted.filter((one) => one !== null && one !== "") as string[];
}

function algorithmOf(
  rule: SignatureRule,
  { algorithm }: Keys,
): SignatureRule["algorithm"] | undefined {
  if (!rule.configurable || algorithm === null) return rule.algorithm;
  const known = ["hmac-sha256", "hmac-sha1", "hmac-sha512", "sha256", "rsa-sha256"] as const;
  return known.find((name) => name === algorithm.toLowerCase());
}

function pairsOf(header: string): Map<string, string[]> {
  const pairs = new Map<string, string[]>();
  for (const part of header.split(",")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, equals).trim();
    if (equals > 0) pairs.set(name, [...(pairs.get(name) ?? []), part.slice(equals + 1).trim()]);
  }
  return pairs;
}

function timestampOf(
  { timestamp, pairs }: SignatureRule,
  { headers }: Signed,
  parts: Map<string, string[]> | undefined,
): string {
  if (timestamp?.header !== undefined) return headers.get(timestamp.header) ?? "";
  return pairs?.timestamp === undefined ? "" : (parts?.get(pairs.timestamp)?.[0] ?? "");
}

function instantIn(unit: "ms" | "s" | "iso", text: string): number | undefined {
  switch (unit) {
    case "ms":
      return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
    case "s":
      return /^\d{1,13}$/.test(text) ? Number(text) * 1000 : undefined;
    case "iso":
      return /^\d{4}-/.test(text) ? toInstant(text) : undefined;
  }
}

function decodedUrl({ decodedInUrl }: SignatureRule, url: string): string {
  if (decodedInUrl.length === 0) return url;
  return url.replace(/%[0-9a-fA-F]{2}/g, (escape) =>
    decodedInUrl.includes(escape.toUpperCase()) ? decodeURIComponent(escape) : escape,
  );
}

function spellings({ spelling }: SignatureRule, body: Uint8Array): Uint8Array[] {
  return spelling === undefined ? [body] : [body, escapedJson(body)];
}

const [SLASH, BACKSLASH, LETTER_U] = [0x2f, 0x5c, 0x75];
const HEX = new TextEncoder().encode("0123456789abcdef");

/**
 * JSON as Box signs it: each UTF-16 unit but ASCII as lower-case `\uXXXX`, and each slash that is not escaped
 * as `\/`. Written byte by byte: a body of a megabyte is a matter of milliseconds.
 */
export function escapedJson(body: Uint8Array): Uint8Array {
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(body);
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x7f) length += 5;
    else if (unit === SLASH) length += 1;
  }
  const escaped = new Uint8Array(length);
  let end = 0;
  let isEscape = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x7f) {
      escaped[end] = BACKSLASH;
      escaped[end + 1] = LETTER_U;
      for (let digit = 0; digit < 4; digit += 1)
        escaped[end + 2 + digit] = HEX[(unit >> (12 - 4 * digit)) & 15] ?? 0;
      end += 6;
    } else {
      if (unit === SLASH && !isEscape) escaped[end++] = BACKSLASH;
      escaped[end++] = unit;
    }
    isEscape = unit === BACKSLASH && !isEscape;
  }
  return escaped.subarray(0, end);
}

function contentOf(
  { content }: SignatureRule,
  values: { method: string; url: string; timestamp: string; key: string },
  body: Uint8Array,
): (string | Uint8Array)[] {
  return content
    .split(/(\$\{\w+\})/)
    .filter((part) => part !== "")
    .map((part) => {
      switch (part) {
        case "${body}":
          return body;
        case "${method}":
          return values.method;
        case "${url}":
          return values.url;
        case "${timestamp}":
          return values.timestamp;
        case "${key}":
          return values.key;
        default:
          return part;
      }
    });
}

function fits(
  { algorithm, encoding }: Pick<SignatureRule, "algorithm" | "encoding">,
  key: string,
  content: readonly (string | Uint8Array)[],
  signature: string,
): boolean {
  switch (algorithm) {
    case "hmac-sha256":
    case "hmac-sha1":
    case "hmac-sha512": {
      const hmac = createHmac(algorithm.slice(5), key);
      for (const part of content) hmac.update(part);
      return equalInConstantTime(hmac.digest(encoding), signature);
    }
    case "sha256": {
      const hash = createHash("sha256");
      for (const part of content) hash.update(part);
      return equalInConstantTime(hash.digest(encoding), signature);
    }
    case "rsa-sha256": {
      const bytes = Buffer.from(signature, encoding);
      // Only the one spelling of the bytes: the unused bits of the last letter are signed too.
      if (bytes.toString(encoding) !== signature) return false;
      return verifiedBy(key, Buffer.concat(content.map((part) => Buffer.from(part))), bytes);
    }
  }
}

/** A key that is none fits nothing. */
function verifiedBy(pem: string, content: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifyWithKey("sha256", content, createPublicKey(pem), signature);
  } catch {
    return false;
  }
}
