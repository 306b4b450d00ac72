/**
 * The value at a dotted path, own properties only; `""` is the value itself. At each step the longest
 * remaining key is tried first, so a key that contains a dot is found. `undefined` when there is nothing.
 */
export function readField(value: unknown, path: string): unknown {
  if (path === "") return value;
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const key = path.slice(0, dot);
    if (!Object.hasOwn(value, key)) continue;
    const found = readField(value[key], path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Only the fields named, in the vendor's order; a dotted name reaches into objects and lists. */
export function selectFields(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => selectFields(item, names));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (names.includes(key)) return [[key, member]];
    const below = names.flatMap((name) =>
      name.startsWith(`${key}.`) ? name.slice(key.length + 1) : [],
    );
    return below.length > 0 && isObject(member) ? [[key, selectFields(member, below)]] : [];
  });
  return Object.fromEntries(kept);
}

/** Without members that are null, at any depth; nulls in lists stay. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, member]): [string, unknown][] =>
    member === null ? [] : [[key, withoutNulls(member)]],
  );
  return Object.fromEntries(kept);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
