import { parseRelativePath } from "../variable-path";

/** A modifier that can't be applied: the message names it. */
export class ModifierFault extends Error {}

/** A value written out within a text: null as `null`, objects and lists as JSON. */
export function stringOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function number(value: unknown): number {
  const found = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof found === "number" && Number.isFinite(found)) return found;
  throw new ModifierFault(`'${stringOf(value).slice(0, 100)}' is not a number`);
}

export function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ModifierFault("Expected a list");
}

export function members(value: unknown): object {
  if (typeof value === "object" && value !== null) return value;
  throw new ModifierFault("Expected an object");
}

export const truthy = (value: unknown): boolean => value === true || value === "true";

export function pathOf(path: unknown): string[] {
  const keys = parseRelativePath(stringOf(path).replace(/^\$/, ""));
  if (keys === undefined)
    throw new ModifierFault(`'${stringOf(path).slice(0, 100)}' is not a path`);
  return keys;
}
