import { fieldsOfForm, looksLikeForm } from "../values/body/form";
import { readBody, unwrapped } from "../values/body/read";
import { jsonValue } from "../values/json";

/**
 * A delivery's content: JSON with all digits, a form's or a query's fields, or text (XML). `text` is the XML, or JSON of
 * the body: as it came, if it came as such.
 */
export type Content = { body: unknown; text: string };
export type Parsed = { ok: true; content: Content } | { ok: false; message: string };

/** Reads a body (`values/body/read.ts`); what is neither JSON nor XML nor declared a form may still look like one. */
export function parseContent(
  sent: Uint8Array | string,
  contentType: string | null,
  parse: (json: string) => unknown = jsonValue,
): Parsed {
  const bytes = typeof sent === "string" ? new TextEncoder().encode(sent) : sent;
  let read = readBody(bytes, contentType, parse);
  if (read.kind === "text" && looksLikeForm(read.text))
    read = unwrapped(fieldsOfForm(bytes, contentType), parse);
  switch (read.kind) {
    case "empty":
      return { ok: true, content: { body: {}, text: "{}" } };
    case "xml":
      return { ok: true, content: { body: read.text, text: read.text } };
    case "json":
      return { ok: true, content: { body: read.value, text: read.text } };
    case "fields":
      return { ok: true, content: { body: read.value, text: JSON.stringify(read.value) } };
    case "deep":
      return { ok: false, message: read.message };
    case "text":
      return { ok: false, message: "The body is neither JSON nor XML nor a form" };
  }
}

/** Reading numbers digit by digit takes up to 120 ms a megabyte: this much may be, before anybody proved who sent it. */
const MOST_EXACT = 1024 * 1024;

/**
 * A body as it is read to learn whose it is, before its signature can be checked: quickly. Numbers of more digits than a
 * double holds keep them in bodies of up to 1 MB.
 */
export function parseUnproved(sent: Uint8Array | string, contentType: string | null): Parsed {
  return sent.length > MOST_EXACT
    ? parseContent(sent, contentType, JSON.parse)
    : parseContent(sent, contentType);
}
