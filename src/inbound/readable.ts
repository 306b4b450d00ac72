import { invalid } from "../http/refusal";
import { type Content, type Parsed, parseContent } from "./content";
import type { Arrived } from "./proof";

/** What a delivery says. @throws Refusal `invalid` when it can't be read. */
export function contentOf({
  content,
  contentType,
}: Pick<Arrived, "content" | "contentType">): Content {
  return readable(parseContent(content, contentType));
}

export function readable(parsed: Parsed): Content {
  if (!parsed.ok) throw invalid(parsed.message);
  return parsed.content;
}
