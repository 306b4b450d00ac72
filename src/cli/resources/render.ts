import { stringify } from "yaml";
import type { Definition, ScopeName } from "./definitions.ts";
import { readKeys } from "../../values/path.ts";

/** Messages go to stderr, data to stdout (reference resource-api.md §12). */
export const say = (text: string): void => void process.stderr.write(`${text}\n`);
export const put = (text: string): void => void process.stdout.write(`${text}\n`);

/** `"Webhook/x" in the scope "Environment/y"`. */
export function label(kind: string, name: string, scope: ScopeName | undefined): string {
  const where = scope === undefined ? "" : ` in the scope "${scope.kind}/${scope.name}"`;
  return `"${kind}/${name}"${where}`;
}

export type Format = "yaml" | "json" | undefined;

/** YAML documents each after `---`; JSON indented by four. */
export function printResources(
  resources: readonly Record<string, unknown>[],
  format: "yaml" | "json",
): void {
  if (format === "json") {
    const [only] = resources;
    put(JSON.stringify(resources.length === 1 ? only : resources, null, 4));
    return;
  }
  for (const resource of resources) process.stdout.write(`---\n${stringify(resource)}`);
}

export function printTable(
  resources: readonly Record<string, unknown>[],
  columns: Definition["columns"],
  now: number,
): void {
  const rows = [
    columns.map(({ name }) => name.toUpperCase()),
    ...resources.map((resource) =>
      columns.map(({ jsonPath, type }) => cell(valueAt(resource, jsonPath), type, now)),
    ),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  for (const row of rows)
    put(
      row
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

function valueAt(resource: Record<string, unknown>, jsonPath: string): unknown {
  return readKeys(
    resource,
    jsonPath.split(".").filter((key) => key !== ""),
  );
}

function cell(value: unknown, type: string, now: number): string {
  if (typeof value !== "string" && typeof value !== "number") return "";
  if (type !== "date") return String(value);
  const at = Date.parse(String(value).replace(/\+0000$/, "Z"));
  return Number.isNaN(at) ? String(value) : age(Math.max(0, now - at));
}

function age(ms: number): string {
  const steps: [number, string][] = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ];
  for (const [size, unit] of steps) {
    const count = Math.floor(ms / size);
    if (count > 0) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  return "a few seconds ago";
}
