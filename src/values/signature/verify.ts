import type { SignatureRule } from "./rule";
import { toInstant } from "../instant";
import { escapedJson } from "./escaped-json";
import { fits, keyOf } from "./key";

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
  let reason: Refused["reason"] = "unsigned";
  for (const rule of decisive === undefined ? present : [decisive]) {
    const verdict = verifyRule(rule, request, keys, now);
    if (verdict.kind === "valid") return verdict;
    // A rule for another kind of key says less than one that was tried.
    if (verdict.reason !== "no-key" || reason === "unsigned") reason = verdict.reason;
  }
  return refused(reason);
}

function applies(rule: SignatureRule, { headers }: Signed): boolean {
  return (
    headers.get(rule.header) !== null &&
    Object.entries(rule.requires).every(([name, value]) => headers.get(name) === value)
  );
}

type Refused = Extract<Verdict, { kind: "refused" }>;

const refused = (reason: Refused["reason"]): Verdict => ({
  kind: "refused",
  reason,
});

function verifyRule(rule: SignatureRule, request: Signed, keys: Keys, now: number): Verdict {
  const algorithm = algorithmOf(rule, keys);
  if (algorithm === undefined) return refused("no-key");
  const usable = keysOf(rule, keys).flatMap((text) => keyOf({ ...rule, algorithm }, text) ?? []);
  if (usable.length === 0) return refused("no-key");
  const header = request.headers.get(rule.header) ?? "";
  const parts = rule.pairs === undefined ? undefined : pairsOf(header);
  const given =
    parts === undefined || rule.pairs === undefined
      ? signaturesIn(rule, header)
      : (parts.get(rule.pairs.signature) ?? []).slice(0, MOST_SIGNATURES);
  const timestamp = timestampOf(rule, request, parts);
  if (rule.timestamp !== undefined) {
    const at = instantIn(rule.timestamp.unit, timestamp);
    if (at === undefined) return refused("stale");
    const { maxAgeSeconds, maxFutureSeconds } = rule.timestamp;
    if (now - at > maxAgeSeconds * 1000 || at - now > maxFutureSeconds * 1000)
      return refused("stale");
  }
  const { method, headers } = request;
  const values = { method, url: decodedUrl(rule, request.url), timestamp, headers };
  for (const body of spellings(rule, request.body))
    for (const key of usable)
      for (const signature of given) {
        if (!signature.startsWith(rule.prefix)) continue;
        const text = signature.slice(rule.prefix.length);
        if (
          fits(
            { ...rule, algorithm },
            key,
            contentOf(rule, { ...values, key: key.text }, body),
            text,
          )
        )
          return { kind: "valid" };
      }
  return refused("wrong-signature");
}

/** The most signatures of one header that are looked at: each costs a hash of the whole body. */
const MOST_SIGNATURES = 10;

function signaturesIn({ separator, prefix }: SignatureRule, header: string): string[] {
  if (separator === undefined) return [header];
  const all = header.split(separator === " " ? " " : /, ?/);
  return all.filter((one) => one.startsWith(prefix)).slice(0, MOST_SIGNATURES);
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

function contentOf(
  { content }: SignatureRule,
  values: {
    method: string;
    url: string;
    timestamp: string;
    key: string;
    headers: Signed["headers"];
  },
  body: Uint8Array,
): (string | Uint8Array)[] {
  return content
    .split(/(\$\{[\w:-]+\})/)
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
          return part.startsWith("${header:")
            ? (values.headers.get(part.slice("${header:".length, -1)) ?? "")
            : part;
      }
    });
}
