/**
 * Paths into a JSON value. Only an object's own members are found, so no path reaches a prototype; items of a list are
 * named by their index. `undefined` where there is nothing.
 */

/**
 * The value at a dotted path (`user.emails.0`); `""` is the value itself. At each step the longest
 * remaining key is tried first, so a key that contains a dot is found.
 */
export function readPath(value: unknown, path: string): unknown {
  if (path === "") return value;
  const whole = memberOf(value, path);
  if (whole !== undefined) return whole;
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const inner = memberOf(value, path.slice(0, dot));
    const found = inner === undefined ? undefined : readPath(inner, path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The value that a list of keys leads to; without keys, the value itself. */
export function readKeys(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce(memberOf, value);
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}
