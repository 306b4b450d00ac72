import { isObject } from "../../values/record";

/** A member that an object does not have; `undefined` could be a value. */
const ABSENT = Symbol("absent");

/**
 * Brings an instance up to its template. `base` is the template as the instance last had it, `mine` the instance as
 * its user has it now, `theirs` the template as it is now. What the user changed since `base` stays; everything else
 * becomes as in `theirs`. Objects merge member by member; lists and plain values are taken whole. Example: base
 * `{url: "a", method: "GET"}`, mine `{url: "b", method: "GET"}`, theirs `{url: "c", method: "PUT"}` gives
 * `{url: "b", method: "PUT"}`.
 */
export function mergeThreeWay(base: unknown, mine: unknown, theirs: unknown): unknown {
  const merged = merge(base, mine, theirs);
  return merged === ABSENT ? undefined : merged;
}

function merge(base: unknown, mine: unknown, theirs: unknown): unknown {
  if (same(base, mine)) return theirs;
  if (!isObject(mine) || !isObject(theirs)) return mine;
  const before = isObject(base) ? base : {};
  const keys = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  return Object.fromEntries(
    [...keys].flatMap((key) => {
      const value = merge(at(before, key), at(mine, key), at(theirs, key));
      return value === ABSENT ? [] : [[key, value] as const];
    }),
  );
}

function at(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : ABSENT;
}

function same(left: unknown, right: unknown): boolean {
  if (left === ABSENT || right === ABSENT) return left === right;
  return JSON.stringify(left) === JSON.stringify(right);
}
