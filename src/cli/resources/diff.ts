import { isObject } from "../../values/record.ts";

/** A member that differs: absent on one side, or another value. */
export type Difference = { path: string; server: unknown; file: unknown };

const COMPARED = ["title", "attributes", "tags", "finalizers", "owner", "spec"];

/**
 * What applying a document would change: only what a document says, as the server takes it. Values of
 * Secrets are masked on the server and can't be compared.
 */
export function differences(
  server: Record<string, unknown> | undefined,
  file: Record<string, unknown>,
  subResources: readonly string[],
): Difference[] {
  const keys = Object.keys(file).filter(
    (key) => COMPARED.includes(key) || subResources.includes(key) || key.startsWith("x-"),
  );
  return keys.flatMap((key) => compare(key, server?.[key], file[key]));
}

function compare(path: string, server: unknown, file: unknown): Difference[] {
  if (server === "********" && typeof file === "string") return [];
  if (isObject(server) && isObject(file)) {
    const keys = new Set([...Object.keys(server), ...Object.keys(file)]);
    return [...keys].flatMap((key) => compare(`${path}.${key}`, server[key], file[key]));
  }
  if (Array.isArray(server) && Array.isArray(file)) {
    const length = Math.max(server.length, file.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      compare(`${path}[${index}]`, server[index], file[index]),
    );
  }
  return JSON.stringify(server) === JSON.stringify(file) ? [] : [{ path, server, file }];
}

/** Two lines a difference: what is there, what would be. */
export function diffLines(found: readonly Difference[]): string[] {
  return found.flatMap(({ path, server, file }) => [
    ...(server === undefined ? [] : [`- ${path}: ${JSON.stringify(server)}`]),
    ...(file === undefined ? [] : [`+ ${path}: ${JSON.stringify(file)}`]),
  ]);
}

/** A document's value with what its schema (of the server's OpenAPI) fills in. */
export function withDefaults(value: unknown, schema: unknown): unknown {
  if (!isObject(value) || !isObject(schema) || !isObject(schema["properties"])) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [key, inner] of Object.entries(schema["properties"])) {
    if (!isObject(inner)) continue;
    if (filled[key] === undefined && "default" in inner) filled[key] = inner["default"];
    else if (filled[key] !== undefined) filled[key] = withDefaults(filled[key], inner);
  }
  return filled;
}
