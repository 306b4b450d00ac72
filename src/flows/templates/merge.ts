import { isObject } from "../../values/record";

/** Stands for "not there": undefined can't be told from it otherwise. */
const ABSENT = Symbol("absent");

/**
 * An instance brought up to its template: what its user changed since `base` stays, everything else is as
 * in `theirs`. Objects merge member by member; lists and plain values are taken whole.
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
