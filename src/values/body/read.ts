import { DEEPEST, nestsDeeper } from "../depth";
import { jsonValue } from "../json";
import { isObject } from "../record";
import { decoded, mediaTypeOf } from "./charset";
import type { Fields } from "./fields";
import { fieldsOfForm } from "./form";
import { fieldsOfMultipart } from "./multipart";

/** What a body from outside turned out to be. */
export type Read =
  /** JSON, with its text; or a list of a JSON text a line. */
  | { kind: "json"; value: unknown; text: string }
  /** The fields of a form, or the JSON that one of them held. */
  | { kind: "fields"; value: unknown }
  | { kind: "xml"; text: string }
  /** Anything else. */
  | { kind: "text"; text: string }
  | { kind: "empty" }
  | { kind: "deep"; message: string };

/**
 * Reads a body whose sender may have declared it carelessly: the body itself is looked at before its `Content-Type`.
 * Text is read in the declared charset (`charset.ts`).
 *
 * | the body | declared as | becomes |
 * |---|---|---|
 * | JSON, a list or an object | anything | its value |
 * | any other JSON | anything but a form | its value |
 * | begins with `<` | anything | XML, as text |
 * | `--boundary` | anything | a multipart form's fields |
 * | a JSON text a line | anything | the list of them |
 * | anything else | a form | its fields |
 *
 * `parse` may be a quicker reader of JSON than the exact one.
 */
export function readBody(
  bytes: Uint8Array,
  contentType: string | null,
  parse: (json: string) => unknown = jsonValue,
): Read {
  const text = decoded(bytes, contentType);
  const start = text.trimStart();
  if (start === "") return { kind: "empty" };
  if (start.startsWith("<")) return { kind: "xml", text };
  const media = mediaTypeOf(contentType);
  const isForm = media === "application/x-www-form-urlencoded";
  const isStructured = start.startsWith("{") || start.startsWith("[");
  if (isStructured || !isForm) {
    const isDeep = nestsDeeper(text);
    if (isDeep && !isForm) return DEEP;
    const value = isDeep ? undefined : valueOf(text, parse);
    if (value !== undefined) return { kind: "json", value, text };
  }
  if (start.startsWith("--") || media === "multipart/form-data") {
    const fields = fieldsOfMultipart(bytes, contentType);
    if (fields !== undefined) return unwrapped(fields, parse);
  }
  const lines = isStructured ? linesOf(text, parse) : undefined;
  if (lines !== undefined) return { kind: "json", value: lines, text: JSON.stringify(lines) };
  return isForm ? unwrapped(fieldsOfForm(bytes, contentType), parse) : { kind: "text", text };
}

const DEEP: Read = {
  kind: "deep",
  message: `The body is nested deeper than ${DEEPEST} levels`,
};

function valueOf(json: string, parse: (json: string) => unknown): unknown {
  try {
    return parse(json);
  } catch {
    return undefined;
  }
}

/** NDJSON: undefined unless every line is JSON. */
function linesOf(text: string, parse: (json: string) => unknown): unknown[] | undefined {
  const values: unknown[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const value = valueOf(line, parse);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/**
 * The JSON that a form carries: the value of its field `payload` (GitHub, Slack), or of its only field, or its only name
 * (JSON sent under a form's type). Other fields beside a `payload` stay, where it has no member of their name.
 */
export function unwrapped(fields: Fields, parse: (json: string) => unknown = jsonValue): Read {
  const names = Object.keys(fields);
  const [only = ""] = names;
  const name = names.length === 1 ? only : "payload";
  const held = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const json = held === "" && names.length === 1 ? name : held;
  if (typeof json !== "string" || !/^\s*[[{]/.test(json)) return { kind: "fields", value: fields };
  if (nestsDeeper(json)) return DEEP;
  const value = valueOf(json, parse);
  if (value === undefined) return { kind: "fields", value: fields };
  if (names.length === 1) return { kind: "fields", value };
  const { [name]: _json, ...others } = fields;
  return isObject(value)
    ? { kind: "fields", value: { ...others, ...value } }
    : { kind: "fields", value: { ...fields, [name]: value } };
}
