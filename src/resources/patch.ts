import * as z from "zod";
import { digitsAlong, isRawNumber } from "../values/digits";
import { jsonValue, movable } from "../values/json";
import { isObject } from "../values/record";

/** `application/json-patch+json` (RFC 6902) as far as reference resource-api.md §5 takes it. */

const pointer = z.string().regex(/^(\/.*)?$/, "Expected a JSON pointer");
const operation = z.discriminatedUnion("op", [
  z.object({ op: z.literal("add"), path: pointer, value: z.unknown() }),
  z.object({ op: z.literal("replace"), path: pointer, value: z.unknown() }),
  z.object({ op: z.literal("remove"), path: pointer }),
  /** Creates the objects missing along the path. */
  z.object({ op: z.literal("x-build-object-tree"), path: pointer }),
]);

export type Operation = z.infer<typeof operation>;

/** @returns the operations, or what is wrong with them. */
export function parsePatch(
  body: unknown,
): { ok: true; operations: Operation[] } | { ok: false; message: string; field: string } {
  const parsed = z.array(operation).safeParse(body);
  if (parsed.success) return { ok: true, operations: digitsAlong(body, parsed.data) };
  const issue = parsed.error.issues[0];
  return {
    ok: false,
    field: issue?.path.join(".") ?? "",
    message: issue?.message ?? "Expected a list of operations",
  };
}

/** `document` with all operations applied, itself unchanged; or the first that cannot be. */
export function applyPatch(
  document: Record<string, unknown>,
  operations: readonly Operation[],
): { ok: true; document: Record<string, unknown> } | { ok: false; message: string; field: string } {
  const root = { "": movable({ document }, "document") };
  for (const [index, step] of operations.entries()) {
    const path = step.path.split("/").map(unescape);
    const message = path.includes("__proto__") ? "is refused" : apply(root, path, step);
    if (message !== undefined)
      return { ok: false, field: `${index}.path`, message: `'${step.path}' ${message}` };
  }
  const patched = root[""];
  // The document itself may have been removed.
  const result = patched === undefined ? undefined : jsonValue(JSON.stringify(patched));
  return isObject(result)
    ? { ok: true, document: result }
    : { ok: false, field: "", message: "The document must stay an object" };
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && !isRawNumber(value);

/** @returns why the step cannot be done. */
function apply(root: unknown, path: readonly string[], step: Operation): string | undefined {
  if (step.op === "x-build-object-tree") return build(root, path);
  const parent = path.slice(0, -1).reduce(inside, root);
  const key = path.at(-1) ?? "";
  const value = step.op === "remove" ? undefined : movable(step, "value");
  if (Array.isArray(parent)) return applyToArray(parent, key, step.op, value);
  if (!isMembers(parent)) return "does not exist";
  if (step.op !== "add" && !Object.hasOwn(parent, key)) return "does not exist";
  if (step.op === "remove") delete parent[key];
  else parent[key] = value;
  return undefined;
}

function applyToArray(
  list: unknown[],
  key: string,
  op: "add" | "replace" | "remove",
  value: unknown,
): string | undefined {
  const index =
    key === "-" && op === "add" ? list.length : /^\d{1,9}$/.test(key) ? Number(key) : -1;
  const last = op === "add" ? list.length : list.length - 1;
  if (index < 0 || index > last) return "does not exist";
  if (op === "add") list.splice(index, 0, value);
  else if (op === "replace") list[index] = value;
  else list.splice(index, 1);
  return undefined;
}

function build(root: unknown, path: readonly string[]): string | undefined {
  let at = root;
  for (const key of path) {
    if (isMembers(at) && (!Object.hasOwn(at, key) || at[key] === null)) at[key] = {};
    const next = inside(at, key);
    if (!isMembers(next) && !Array.isArray(next)) return "leads through a value that is no object";
    at = next;
  }
  return undefined;
}

function inside(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return /^\d{1,9}$/.test(key) ? value[Number(key)] : undefined;
  return isMembers(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

const unescape = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");
