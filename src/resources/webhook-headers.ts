import { type Keyring, seal, unseal } from "../db/sealed";
import { openText, sealSpans } from "../db/sealed-text";
import { MASK } from "../values/secret-name";
import { isCredential, unmaskedUrl, urlSecrets } from "../values/secret-text";
import { type Content, headersOf, type Resource } from "./resource";

/**
 * A Webhook's spec as it is stored, its credentials sealed: within the URL (`?token=`) where they stand.
 * Headers that may be credentials (`Authorization`, `X-Api-Key`) are sealed beside its spec, where a
 * mask stands for them; a mask that is written back keeps what is stored.
 * @param stored The Webhook as it was, if there was one; an earlier version stored its headers in clear.
 */
export function sealWebhook(
  ring: Keyring,
  id: string,
  spec: Record<string, unknown>,
  stored?: Resource,
): Pick<Content, "spec" | "headers"> {
  const url = sealUrl(ring, id, textOf(spec), textOf(stored?.content.spec ?? {}));
  return sealHeaders(ring, id, { ...spec, ...(url === undefined ? {} : { url }) }, stored);
}

const textOf = ({ url }: Record<string, unknown>): string | undefined =>
  typeof url === "string" ? url : undefined;

function sealUrl(
  ring: Keyring,
  id: string,
  given: string | undefined,
  stored: string | undefined,
): string | undefined {
  if (given === undefined) return undefined;
  const url = stored === undefined ? given : unmaskedUrl(given, stored);
  return sealSpans(ring, row(id, "url"), url, urlSecrets(url));
}

/** The URL that a Webhook's invocations are sent to. */
export const openUrl = (ring: Keyring, { id, content }: Resource): string =>
  openText(ring, row(id, "url"), textOf(content.spec) ?? "");

function sealHeaders(
  ring: Keyring,
  id: string,
  spec: Record<string, unknown>,
  stored?: Resource,
): Pick<Content, "spec" | "headers"> {
  if (spec["headers"] === undefined) return { spec, headers: {} };
  const known = stored === undefined ? {} : openHeaders(ring, stored);
  const given = headersOf(spec);
  const secret = Object.entries(given).filter(([name, value]) => isCredential(name, value));
  const sealed = secret.map(([name, value]): [string, string] => [
    name,
    seal(ring, value === MASK ? (known[name] ?? value) : value, row(id, `headers/${name}`)),
  ]);
  const masks = Object.fromEntries(secret.map(([name]) => [name, MASK]));
  return {
    spec: { ...spec, headers: { ...given, ...masks } },
    headers: Object.fromEntries(sealed),
  };
}

/** All headers of a Webhook as they are sent. */
export function openHeaders(ring: Keyring, { id, content }: Resource): Record<string, string> {
  const opened = Object.entries(content.headers ?? {}).map(([name, sealed]): [string, string] => [
    name,
    unseal(ring, sealed, row(id, `headers/${name}`)),
  ]);
  return { ...headersOf(content.spec), ...Object.fromEntries(opened) };
}

const row = (id: string, name: string): string => `resources/${id}/${name}`;
