import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from "yaml";
import { isObject } from "../../values/record.ts";

/** One resource in a file. */
export type FileDocument = {
  file: string;
  /** Counts from 1. */
  index: number;
  content: Record<string, unknown>;
  /** The line of a dotted path, or of the nearest thing above it. */
  lineOf: (path: string) => number;
};

/** What can't be read, a file or one of its documents: it is reported, and the others still run. */
export type Unreadable = { where: string; message: string };

const MOST_BYTES = 20 * 1024 * 1024;
const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);

export type Read = { documents: FileDocument[]; unreadable: Unreadable[] };

export const kindsIn = ({ documents }: Read): unknown[] =>
  documents.map(({ content }) => content["kind"]);

/** Files, folders with their folders, and `-` for standard input. */
export async function readDocuments(paths: readonly string[]): Promise<Read> {
  const read: Read = { documents: [], unreadable: [] };
  for (const path of paths) {
    const { length } = read.documents;
    const { length: refused } = read.unreadable;
    for (const file of filesOf(path, read.unreadable)) await readFile(file, read);
    if (read.documents.length === length && read.unreadable.length === refused)
      read.unreadable.push({ where: nameOf(path), message: "There is no document in it" });
  }
  return read;
}

const nameOf = (path: string): string => (path === "-" ? "standard input" : path);

/** `hooks.yaml, document 2, line 14`. */
const place = (file: string, index: number, line: number): string =>
  `${file}, document ${index}, line ${line}`;

function filesOf(path: string, unreadable: Unreadable[]): string[] {
  const refuse = (message: string): string[] => {
    unreadable.push({ where: path, message });
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

async function readFile(path: string, { documents, unreadable }: Read): Promise<void> {
  const file = nameOf(path);
  const text = await textOf(path);
  if (!text.ok) return void unreadable.push({ where: file, message: text.message });
  const lines = new LineCounter();
  let index = 0;
  const refuse = (line: number, message: string): void =>
    void unreadable.push({ where: place(file, index, line), message });
  for (const parsed of parseAllDocuments(text.text, { lineCounter: lines, prettyErrors: false })) {
    const [error] = parsed.errors;
    if (error !== undefined) {
      index += 1;
      refuse(lines.linePos(error.pos[0]).line, error.message);
      continue;
    }
    const { contents } = parsed;
    if (contents === null || (isScalar(contents) && contents.value === null)) continue;
    const items = isSeq(contents) ? contents.items : [contents];
    for (const item of items) {
      index += 1;
      const start = isNode(item) ? lineAt(item, lines) : 1;
      const found = isNode(item) ? plain(item, parsed) : "Expected an object";
      if (typeof found === "string") refuse(start, found);
      else
        documents.push({
          file,
          index,
          content: found,
          lineOf: (where) => (isNode(item) ? lineOfPath(item, where.split("."), lines) : start),
        });
    }
  }
}

type Text = { ok: true; text: string } | { ok: false; message: string };

async function textOf(path: string): Promise<Text> {
  const size = path === "-" ? 0 : statSync(path).size;
  const bytes = size >= MOST_BYTES ? undefined : await bytesOf(path);
  if (bytes === undefined) return { ok: false, message: "Expected less than 20 MiB" };
  try {
    return {
      ok: true,
      text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes),
    };
  } catch {
    return { ok: false, message: "The text is not UTF-8" };
  }
}

/** Undefined: too many. Standard input comes in parts, and there may be none for a while. */
async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  if (path !== "-") return readFileSync(path);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const part = Buffer.from(chunk);
    size += part.byteLength;
    if (size >= MOST_BYTES) return undefined;
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

/** A document's content, or why it is none. */
function plain(node: Node, document: Document.Parsed): Record<string, unknown> | string {
  try {
    const value: unknown = node.toJS(document);
    // A document whose anchors lead back to itself has no JSON.
    JSON.stringify(value);
    if (!isObject(value)) return "Expected an object";
    const { kind } = value;
    return typeof kind === "string" && kind !== "" ? value : "The document has no kind";
  } catch (error) {
    const known = error instanceof ReferenceError ? error.message : undefined;
    return known ?? "The document contains itself";
  }
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
