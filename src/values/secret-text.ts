import { isSecretName, MASK } from "./secret-name";

/**
 * Credentials within texts: header values, JSON of headers, URLs. What stands in `{{{…}}}` or `${…}` is filled in later
 * and is none. Where a text is stored, a credential in it is replaced by a token that only the platform can open
 * (`db/sealed-text.ts`); where it is shown, by a mask.
 */

/** Where a credential stands in a text; `name` tells it from others of the same text. */
export type Span = { name: string; from: number; to: number };

/** `~sealed.<key id>.<base64url>~`: no sign of it means anything in a URL, in JSON or in a placeholder. */
const TOKEN = /~sealed\.([0-9a-f]{8})\.([\w-]+)~/g;

export const tokenOf = (keyId: string, body: string): string => `~sealed.${keyId}.${body}~`;

/** Whether a text has a token, or what looks like one: nobody may send that. */
export const hasToken = (text: string): boolean => text.includes("~sealed.");

/** A text with each token replaced. */
export const replaceTokens = (
  text: string,
  replace: (keyId: string, body: string) => string,
): string =>
  hasToken(text)
    ? text.replace(TOKEN, (_, keyId: string, body: string) => replace(keyId, body))
    : text;

/** A scheme alone tells nothing: `Bearer {{{…}}}`. */
const SCHEME = /^(?:basic|bearer|digest|token|apikey)?$/i;
/** What is used as a credential, whatever its header is called. */
const CREDENTIAL = /^\s*(?:basic|bearer|digest|apikey)\s+\S/i;
const FILLED_IN = /\{\{\{[^{}]*\}\}\}|\$\{[^{}]*\}/g;

/** The literal parts of a piece of text that is a credential, without what is filled in and without a scheme alone. */
function literals(text: string, name: string, from: number, to: number): Span[] {
  const spans: Span[] = [];
  let start = from;
  const add = (end: number): void => {
    if (!SCHEME.test(text.slice(start, end).trim()))
      spans.push({ name: `${name} ${spans.length}`, from: start, to: end });
  };
  for (const match of text.slice(from, to).matchAll(FILLED_IN)) {
    add(from + match.index);
    start = from + match.index + match[0].length;
  }
  add(to);
  return spans;
}

/** Whether a header of this name and value may be a credential: by its name, or by how it is used. */
export const isCredential = (name: string, value: string): boolean =>
  isSecretName(name) || CREDENTIAL.test(value) || value.includes(MASK) || hasToken(value);

/** Headers as somebody may see them who must not learn what they prove. */
export const maskedHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isCredential(name, value) ? MASK : value,
    ]),
  );

/** The credentials in the value of a header. */
export const headerSecrets = (name: string, value: string): Span[] =>
  isCredential(name, value) ? literals(value, name.toLowerCase(), 0, value.length) : [];

/** The credentials in a key: all of it, but for what is filled in. */
export const keySecrets = (text: string): Span[] =>
  text.includes("{{{")
    ? literals(text, "key", 0, text.length)
    : text === ""
      ? []
      : [{ name: "key", from: 0, to: text.length }];

/** The credentials in headers that are written as JSON, perhaps with placeholders; any other text is one as a whole. */
export function jsonHeaderSecrets(text: string): Span[] {
  if (!text.trimStart().startsWith("{")) return literals(text, "", 0, text.length);
  const spans: Span[] = [];
  let name: string | undefined;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) {
    const end = endOfString(text, at);
    const inner = text.slice(at + 1, end);
    if (nextSign(text, end + 1) === ":") name = inner;
    else {
      if (name !== undefined && isCredential(name, inner))
        spans.push(...literals(text, name.toLowerCase(), at + 1, end));
      name = undefined;
    }
    at = end;
  }
  return spans;
}

function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === "\\") at += 1;
    else if (sign === '"') return at;
  }
  return text.length;
}

function nextSign(text: string, from: number): string {
  let at = from;
  while (/[ \t\r\n]/.test(text.charAt(at))) at += 1;
  return text.charAt(at);
}

/** Names of query parameters that are credentials, beside those of headers. */
const QUERY = /^(?:sig|code|auth|pass|pwd|passwd|jwt|sas)$/i;

/** The credentials in a URL: who calls (`https://user:password@…`), and parameters like `?token=`. */
export function urlSecrets(url: string): Span[] {
  const spans: Span[] = [];
  const scheme = url.indexOf("://");
  if (scheme !== -1 && !/[/?#]/.test(url.slice(0, scheme))) {
    const rest = url.slice(scheme + 3).search(/[/?#]/);
    const end = rest === -1 ? url.length : scheme + 3 + rest;
    const at = url.lastIndexOf("@", end);
    if (at > scheme) spans.push(...literals(url, "user", scheme + 3, at));
  }
  const query = url.indexOf("?");
  if (query === -1) return spans;
  const hash = url.indexOf("#", query);
  let from = query + 1;
  for (const part of url.slice(from, hash === -1 ? url.length : hash).split("&")) {
    const equals = part.indexOf("=");
    const [name, value] = [part.slice(0, equals), part.slice(equals + 1)];
    if (equals > 0 && (isCredential(name, value) || QUERY.test(name)))
      spans.push(...literals(url, `?${name}`, from + equals + 1, from + part.length));
    from += part.length + 1;
  }
  return spans;
}

/** A text with each of its spans replaced; `replace` gets the literal and the span's name. */
export function replaceSpans(
  text: string,
  spans: readonly Span[],
  replace: (literal: string, name: string) => string,
): string {
  const parts: string[] = [];
  let copied = 0;
  for (const { name, from, to } of spans) {
    parts.push(text.slice(copied, from), replace(text.slice(from, to), name));
    copied = to;
  }
  return parts.join("") + text.slice(copied);
}

/** A text as somebody may see it who must not learn its credentials. */
export const maskedText = (text: string, spans: readonly Span[]): string =>
  replaceSpans(text, spans, () => MASK);

/** A URL as it is shown. */
export const maskedUrl = <T extends string | null>(url: T): T | string =>
  url === null ? url : maskedText(url, urlSecrets(url));

/** A text that was shown and comes back: each mask keeps what is stored under its name. */
export function unmaskedText(
  given: { text: string; spans: readonly Span[] },
  stored: { text: string; spans: readonly Span[] },
): string {
  const known = new Map(
    stored.spans.map(({ name, from, to }) => [name, stored.text.slice(from, to)]),
  );
  return replaceSpans(given.text, given.spans, (literal, name) =>
    literal === MASK ? (known.get(name) ?? MASK) : literal,
  );
}

/** A URL that was shown and comes back. */
export const unmaskedUrl = (given: string, stored: string): string =>
  unmaskedText(
    { text: given, spans: urlSecrets(given) },
    { text: stored, spans: urlSecrets(stored) },
  );
