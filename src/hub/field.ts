import { boundedName } from "../stream/in-range";
import { copyDigits } from "../values/digits";
import { readPath } from "../values/path";
import { isObject } from "../values/record";

/** Only the fields named, in the vendor's order; a dotted name reaches into objects and lists. */
export function selectFields(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value))
    return copyDigits(
      value,
      value.map((item) => selectFields(item, names)),
    );
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (names.includes(key)) return [[key, member]];
    const below = names.flatMap((name) =>
      name.startsWith(`${key}.`) ? name.slice(key.length + 1) : [],
    );
    const isInside = below.length > 0 && typeof member === "object" && member !== null;
    return isInside ? [[key, selectFields(member, below)]] : [];
  });
  return copyDigits(value, Object.fromEntries(kept));
}

/** Without members that are null, at any depth; nulls in lists stay. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return copyDigits(value, value.map(withoutNulls));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, member]): [string, unknown][] =>
    member === null ? [] : [[key, withoutNulls(member)]],
  );
  return copyDigits(value, Object.fromEntries(kept));
}

/** A record's id as text, in a size that keys can have; `undefined` unless it is a number or a text that is not empty. */
export function readId(record: unknown, path: string): string | undefined {
  const id = readPath(record, path);
  if (typeof id === "string") return id === "" ? undefined : boundedName(id);
  return typeof id === "bigint" || (typeof id === "number" && Number.isFinite(id))
    ? String(id)
    : undefined;
}
