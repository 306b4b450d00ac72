import { DEEPEST, nestsDeeper } from "../values/depth";
import { parseExactly } from "../values/json";

/**
 * A delivery's content: JSON with all digits, a form's or a query's fields, or text (XML). `text` is the XML, or JSON of
 * the body: as it came, if it came as such.
 */
export type Content = { body: unknown; text: string };
export type Parsed = { ok: true; content: Content } | { ok: false; message: string };

/** Reads a body. Its first characters decide how, since vendors are careless with content types. */
export function parseContent(text: string, contentType: string | null): Parsed {
  const trimmed = text.trimStart();
  if (trimmed.startsWith("<")) return { ok: true, content: { body: text, text } };
  if (trimmed === "") return { ok: true, content: { body: {}, text: "{}" } };
  if (contentType?.toLowerCase().startsWith("application/x-www-form-urlencoded") === true)
    return { ok: true, content: contentOfForm(new URLSearchParams(text)) };
  if (nestsDeeper(text))
    return { ok: false, message: `The body is nested deeper than ${DEEPEST} levels` };
  const parsed = parseExactly(text);
  return parsed.ok
    ? { ok: true, content: { body: parsed.value, text } }
    : { ok: false, message: "The body is neither JSON nor XML nor a form" };
}

/** Reading numbers digit by digit takes up to a second a megabyte: this much may be, before anybody proved who sent it. */
const MOST_EXACT = 128 * 1024;

/**
 * A body as it is read to learn whose it is, before its signature can be checked: quickly. Numbers of more digits than a
 * double holds keep them in bodies of up to 128 KB.
 */
export function parseUnproved(text: string, contentType: string | null): Parsed {
  const isQuick = text.length > MOST_EXACT && /^[[{]/.test(text.trimStart()) && !nestsDeeper(text);
  if (!isQuick || contentType?.toLowerCase().includes("form") === true)
    return parseContent(text, contentType);
  try {
    return { ok: true, content: { body: JSON.parse(text), text } };
  } catch {
    return { ok: false, message: "The body is neither JSON nor XML nor a form" };
  }
}

function contentOfForm(parameters: URLSearchParams): Content {
  const body = Object.fromEntries(parameters);
  return { body, text: JSON.stringify(body) };
}
