import { mapSecrets } from "../values/secret-json";
import { MASK } from "../values/secret-name";
import { hasToken, replaceSpans, replaceTokens, type Span, tokenOf } from "../values/secret-text";
import { type Keyring, seal, unseal } from "./sealed";

export type { Keyring };

/**
 * Texts that are stored in clear but for the credentials in them, each sealed for `place`. Everything around a credential
 * (a placeholder, a host) can be read, compared and rewritten as it is; what an earlier version stored in clear is read
 * as such, and sealed when it is written again.
 */

/** A text with each span sealed that is not sealed yet. A mask that nothing was stored for stays one. */
export function sealSpans(
  ring: Keyring,
  place: string,
  text: string,
  spans: readonly Span[],
): string {
  return replaceSpans(text, spans, (literal) => {
    if (hasToken(literal) || literal === MASK) return literal;
    const sealed = seal(ring, literal, place);
    const dot = sealed.indexOf(".");
    const body = Buffer.from(sealed.slice(dot + 1), "base64").toString("base64url");
    return tokenOf(sealed.slice(0, dot), body);
  });
}

/** A text as it was before it was sealed. @throws when it was sealed for another place, or by a key that is gone. */
export const openText = (ring: Keyring, place: string, text: string): string =>
  replaceTokens(text, (keyId, body) =>
    unseal(ring, `${keyId}.${Buffer.from(body, "base64url").toString("base64")}`, place),
  );

/** JSON that describes requests, with its credentials sealed: texts that are the same stay the same. */
export function sealJson<T>(ring: Keyring, place: string, value: T): T {
  const sealed = new Map<string, string>();
  return mapSecrets(value, (text, spans) => {
    const known = sealed.get(text) ?? sealSpans(ring, place, text, spans);
    sealed.set(text, known);
    return known;
  });
}

/** JSON as it was before it was sealed. */
export const openJson = <T>(ring: Keyring, place: string, value: T): T =>
  mapSecrets(value, (text) => openText(ring, place, text));
