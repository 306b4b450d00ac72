import type { Connector } from "../connectors/definition";
import { quoted } from "../values/text";
import { entriesOf, sharedKeys } from "./entries";

/** An answer names so many unknown keys at most. */
const MOST = 20;
/** A longer key is like no known one. */
const LONGEST = 100;

/**
 * What to tell whoever set configuration keys that nothing reads (`event.vendor.typ`): one line for each, with the known
 * key that it is most like. They are kept all the same, since callers may keep notes of their own there
 * (reference connector-events-api.md §4).
 */
export function unknownKeyWarnings(connector: Connector, keys: readonly string[]): string[] {
  const known = knownKeys(connector);
  const unknown = keys.filter((key) => !known.has(key));
  const lines = unknown.slice(0, MOST).map((key) => {
    const near = nearest(key, known);
    const hint = near === undefined ? "" : `; did you mean '${near}'?`;
    return `configuration.${quoted(key)}: Nothing reads this key${hint}`;
  });
  const more = unknown.length - lines.length;
  return more > 0 ? [...lines, `${more} more keys that nothing reads`] : lines;
}

/** What an instance of the connector may be given: its entries, and what the definition reads in its templates and answers. */
function knownKeys(connector: Connector): ReadonlySet<string> {
  const found = known.get(connector);
  if (found !== undefined) return found;
  const text = JSON.stringify(connector);
  const filledIn = [...text.matchAll(/\$\{([^{}]*)\}/g)].map((match) => match[1] ?? "");
  const credentials = [connector.authentication, ...connector.otherAuthentications].flatMap(
    (authentication) => {
      switch (authentication.type) {
        case "oauth2":
          return [
            ...Object.values(authentication.keep).map((kept) =>
              typeof kept === "string" ? kept : kept.key,
            ),
            ...Object.values(authentication.providerData),
          ];
        case "apiKey":
          return [authentication.configurationKey];
        case "basic":
          return [authentication.usernameKey, authentication.passwordKey];
      }
    },
  );
  const entries = entriesOf(connector).map(({ key }) => key);
  const keys = new Set([...entries, ...sharedKeys, ...filledIn, ...credentials]);
  known.set(connector, keys);
  return keys;
}

const known = new WeakMap<Connector, ReadonlySet<string>>();

/** The known key that differs from this one by the fewest letters, and by less than a quarter of them. */
function nearest(key: string, keys: ReadonlySet<string>): string | undefined {
  if (key.length > LONGEST) return undefined;
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[_-]/g, ".");
  let [best, least] = [undefined as string | undefined, Math.max(2, key.length >> 2)];
  for (const one of keys) {
    const distance = lettersBetween(plain(key), plain(one));
    if (distance < least) [best, least] = [one, distance];
  }
  return best;
}

/** How many letters are to be added, left out or replaced (Levenshtein). */
function lettersBetween(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= right.length; to += 1) {
      const replaced = (row[to - 1] ?? 0) + (left[at - 1] === right[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
