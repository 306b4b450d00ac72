import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { type Document, isMap, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import { isObject } from "./api.ts";

/** One resource in a file. */
export type FileDocument = {
  file: string;
  /** Counts from 1. */
  index: number;
  content: Record<string, unknown>;
  /** The line of a dotted path, or of the nearest thing above it. */
  lineOf: (path: string) => number;
};

/** A document that can't be read: it is told, and the others still run. */
export type Unreadable = { file: string; index: number; line: number; message: string };

const MOST_BYTES = 20 * 1024 * 1024;
const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);

export type Read = { documents: FileDocument[]; unreadable: Unreadable[] };

/** Files, folders with their folders, and `-` for standard input. */
export function readDocuments(paths: readonly string[]): Read {
  const read: Read = { documents: [], unreadable: [] };
  const files = paths.flatMap((path) => filesOf(path, read.unreadable));
  for (const file of files) readFile(file, read);
  return read;
}

function filesOf(path: string, unreadable: Unreadable[]): string[] {
  const refuse = (message: string): string[] => {
    unreadable.push({ file: path, index: 1, line: 1, message });
    return [];
  };
  if (path === "-") return [path];
  if (!existsSync(path)) return refuse("No such file");
  if (statSync(path).isDirectory())
    return readdirSync(path)
      .toSorted((left, right) => (left < right ? -1 : 1))
      .map((name) => join(path, name))
      .filter((inner) => statSync(inner).isDirectory() || EXTENSIONS.has(extname(inner)))
      .flatMap((inner) => filesOf(inner, unreadable));
  return EXTENSIONS.has(extname(path)) ? [path] : refuse("Expected a .yaml, .yml or .json file");
}

function readFile(path: string, { documents, unreadable }: Read): void {
  const file = path === "-" ? "standard input" : path;
  const refuse = (message: string): void =>
    void unreadable.push({ file, index: 1, line: 1, message });
  const size = path === "-" ? 0 : statSync(path).size;
  if (size >= MOST_BYTES) return refuse(`The file has ${size} bytes, expected less than 20 MiB`);
  const bytes = readFileSync(path === "-" ? 0 : path);
  if (bytes.byteLength >= MOST_BYTES)
    return refuse(`The input has ${bytes.byteLength} bytes, expected less than 20 MiB`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return refuse("The file is not UTF-8");
  }
  const lines = new LineCounter();
  let index = 0;
  for (const parsed of parseAllDocuments(text, { lineCounter: lines })) {
    const [error] = parsed.errors;
    if (error !== undefined) {
      index += 1;
      const line = lines.linePos(error.pos[0]).line;
      unreadable.push({ file, index, line, message: error.message.split("\n")[0] ?? "" });
      continue;
    }
    if (parsed.contents === null) continue;
    const items = isSeq(parsed.contents) ? parsed.contents.items : [parsed.contents];
    for (const item of items) {
      index += 1;
      const content = isNode(item) ? plain(item, parsed) : undefined;
      const start = isNode(item) ? lineAt(item, lines) : 1;
      if (content === undefined)
        unreadable.push({ file, index, line: start, message: "Expected an object" });
      else if (typeof content["kind"] !== "string" || content["kind"] === "")
        unreadable.push({ file, index, line: start, message: "The document has no kind" });
      else
        documents.push({
          file,
          index,
          content,
          lineOf: (where) => (isNode(item) ? lineOfPath(item, where.split("."), lines) : start),
        });
    }
  }
}

function plain(node: Node, document: Document.Parsed): Record<string, unknown> | undefined {
  const value: unknown = node.toJS(document);
  return isObject(value) ? value : undefined;
}

function lineOfPath(node: Node, path: readonly string[], lines: LineCounter): number {
  let at: Node = node;
  let line = lineAt(node, lines);
  for (const key of path) {
    if (isMap(at)) {
      const pair = at.items.find((item) => isNode(item.key) && String(item.key) === key);
      if (pair === undefined) return line;
      if (isNode(pair.key)) line = lineAt(pair.key, lines);
      if (!isNode(pair.value)) return line;
      at = pair.value;
    } else if (isSeq(at)) {
      const item = at.items[Number(key)];
      if (!isNode(item)) return line;
      line = lineAt(item, lines);
      at = item;
    } else return line;
  }
  return line;
}

function lineAt(node: Node, lines: LineCounter): number {
  return lines.linePos(node.range?.[0] ?? 0).line;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "toJS" in value;
}
