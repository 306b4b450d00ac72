import { XMLParser } from "fast-xml-parser";

/** How XML of vendors is read: without a document type or entities, at most a hundred elements deep. */

const OPTIONS = {
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  removeNSPrefix: true,
  maxNestedTags: 100,
};

/** The parser takes about a microsecond a tag: so many keep nobody waiting. */
const MOST_TAGS = 100_000;

/**
 * A DOCTYPE or entity could expand to a huge or foreign text: such bodies are refused (reference vendors.md
 * SF-2).
 */
const FORBIDDEN = /<!(?:DOCTYPE|ENTITY)|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)/i;

/** Where `textOfElement` looks, in UTF-16 units. */
const HEAD = 64 * 1024;

export type ReadXml = { ok: true; value: unknown } | { ok: false; message: string };

/** Reads XML as objects: names without prefixes, attributes as `@name`. @param lists elements that are a list though there is one. */
export function readXml(text: string, lists: readonly string[]): ReadXml {
  if (FORBIDDEN.test(text))
    return { ok: false, message: "Expected XML without a document type or entities" };
  if (hasManyTags(text)) return { ok: false, message: `Expected at most ${MOST_TAGS} tags` };
  const parser = new XMLParser({ ...OPTIONS, isArray: (name) => lists.includes(name) });
  try {
    return { ok: true, value: parser.parse(text, true) };
  } catch {
    return { ok: false, message: "The body is not well-formed XML" };
  }
}

function hasManyTags(text: string): boolean {
  let tags = 0;
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at + 1))
    if ((tags += 1) > MOST_TAGS) return true;
  return false;
}

/**
 * The text of the first element `name` that holds one word, whatever its prefix, in the text's first 64 KB. Bounded,
 * since it is asked before anybody has proved who the text is from.
 */
export function textOfElement(text: string, name: string): string | undefined {
  const head = text.length > HEAD ? text.slice(0, text.lastIndexOf(">", HEAD) + 1) : text;
  if (FORBIDDEN.test(head)) return undefined;
  const found: string[] = [];
  const parser = new XMLParser({
    ...OPTIONS,
    tagValueProcessor: (tag, value) => {
      if (tag === name && /^\S+$/.test(value.trim())) found.push(value.trim());
      return value;
    },
  });
  try {
    parser.parse(head);
  } catch {
    // The text is cut off, or isn't well-formed; what stood before it was seen.
  }
  return found[0];
}
