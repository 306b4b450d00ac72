import { type Keyring, seal, unseal } from "../db/sealed";
import { isSecretName, MASK } from "../values/secret-name";
import { type Content, headersOf, type Resource } from "./resource";

/**
 * Headers of a Webhook that may be credentials (`Authorization`, `X-Api-Key`) are sealed beside its spec, where a
 * mask stands for them; a mask that is written back keeps what is stored.
 * @param stored The Webhook as it was, if there was one; an earlier version stored its headers in clear.
 */
export function sealHeaders(
  ring: Keyring,
  id: string,
  spec: Record<string, unknown>,
  stored?: Resource,
): Pick<Content, "spec" | "headers"> {
  if (spec["headers"] === undefined) return { spec, headers: {} };
  const known = stored === undefined ? {} : openHeaders(ring, stored);
  const given = headersOf(spec);
  const secret = Object.entries(given).filter(([name]) => isSecretName(name));
  const sealed = secret.map(([name, value]): [string, string] => [
    name,
    seal(ring, value === MASK ? (known[name] ?? value) : value, row(id, name)),
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
    unseal(ring, sealed, row(id, name)),
  ]);
  return { ...headersOf(content.spec), ...Object.fromEntries(opened) };
}

const row = (id: string, name: string): string => `resources/${id}/headers/${name}`;
