import type * as z from "zod";
import { isObject } from "../values/record";

/**
 * What of a document counts as absent. Generated clients send every member of their models: what is not set is `""`,
 * `{}` or null, and newer models have members that a schema here lacks.
 */

type Path = readonly PropertyKey[];

/**
 * Nothing, as such clients send it: `""`, null, or an object of nothing but that, `0` and `false`. `known` holds what
 * was found out of objects before.
 */
export function isZero(value: unknown, known = new WeakMap<object, boolean>()): boolean {
  if (!isObject(value)) return value === "" || value === null;
  const found =
    known.get(value) ??
    Object.values(value).every((inner) => inner === 0 || inner === false || isZero(inner, known));
  known.set(value, found);
  return found;
}

/**
 * A value without the zeros that its schema refuses: of each, the highest member that is zero and may be absent goes.
 * A zero that the schema takes stays (`description: ""`), as does one that it can't miss, an element of a list, and
 * the value itself.
 */
export function withoutZeros(schema: z.ZodType, value: unknown): unknown {
  const needed = new Set<string>();
  const known = new WeakMap<object, boolean>();
  const isMissable = (path: Path, member: unknown): boolean =>
    isZero(member, known) && !needed.has(keyOf(path));
  for (;;) {
    const zeros = new Map<string, Path>();
    for (const path of refusedPaths(schema, value)) {
      const zero = highestZero(value, path, isMissable);
      if (zero !== undefined) zeros.set(keyOf(zero), zero);
    }
    if (zeros.size === 0) return value;
    const rest = without(value, [...zeros.values()]);
    const missed = refusedPaths(schema, rest)
      .map(keyOf)
      .filter((key) => zeros.has(key));
    if (missed.length === 0) return rest;
    // Each time round, what can't be absent is sought one level deeper.
    for (const key of missed) needed.add(key);
  }
}

/** A value without the members that its schema does not know, and their dotted paths. */
export function withoutUnknown(
  schema: z.ZodType,
  value: unknown,
): { value: unknown; unknown: string[] } {
  const parsed = schema.safeParse(value);
  const paths = (parsed.error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key): Path => [...issue.path, key]) : [],
  );
  return {
    value: paths.length === 0 ? value : without(value, paths),
    unknown: paths.map((path) => path.map(String).join(".")),
  };
}

const refusedPaths = (schema: z.ZodType, value: unknown): Path[] =>
  (schema.safeParse(value).error?.issues ?? []).map(({ path }) => path);

function highestZero(
  value: unknown,
  path: Path,
  isMissable: (path: Path, member: unknown) => boolean,
): Path | undefined {
  let current = value;
  for (const [index, key] of path.entries()) {
    const isMember = isObject(current);
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key))
      return undefined;
    current = Reflect.get(current, key);
    const member = path.slice(0, index + 1);
    if (isMember && isMissable(member, current)) return member;
  }
  return undefined;
}

/** Members to leave out, by name; an empty tree stands for the whole member. */
type Tree = Map<PropertyKey, Tree>;

function without(value: unknown, paths: readonly Path[]): unknown {
  const root: Tree = new Map();
  for (const path of paths) {
    let tree = root;
    for (const key of path) {
      const inner = tree.get(key) ?? new Map();
      tree.set(key, inner);
      tree = inner;
    }
  }
  return pruned(value, root);
}

function pruned(value: unknown, tree: Tree): unknown {
  if (Array.isArray(value))
    return value.map((element, index) => {
      const inner = tree.get(index);
      return inner === undefined ? element : pruned(element, inner);
    });
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const inner = tree.get(key);
      if (inner === undefined) return [[key, member]];
      return inner.size === 0 ? [] : [[key, pruned(member, inner)]];
    }),
  );
}

const keyOf = (path: Path): string => JSON.stringify(path.map(String));
