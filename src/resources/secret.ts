import { type Keyring, seal, unseal } from "../db/sealed";
import { dataOf, type Resource } from "./resource";
import { MASK } from "../values/secret-name";

/** Values of a Secret, sealed for its row; a mask keeps what is stored (reference resource-api.md §8). */
export function sealData(
  ring: Keyring,
  id: string,
  spec: Record<string, unknown>,
  stored: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const data = Object.entries(dataOf(spec)).map(([key, value]): [string, string] => [
    key,
    value === MASK && stored[key] !== undefined ? stored[key] : seal(ring, value, row(id, key)),
  ]);
  return { ...spec, data: Object.fromEntries(data) };
}

/** One value of a Secret; undefined when it has no such key. */
export function openValue(ring: Keyring, secret: Resource, key: string): string | undefined {
  const data = dataOf(secret.content.spec);
  const sealed = Object.hasOwn(data, key) ? data[key] : undefined;
  return sealed === undefined ? undefined : unseal(ring, sealed, row(secret.id, key));
}

const row = (id: string, key: string): string => `resources/${id}/data/${key}`;
