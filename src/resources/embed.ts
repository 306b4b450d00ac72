import { invalid } from "../http/refusal";

/** What `embed` can ask for (reference resource-api.md §4). */
const EMBEDS = [
  "metadata.references",
  "metadata.scopedResources",
  "metadata.referencedByResources",
  "metadata.accessRights",
] as const;
export type Embed = (typeof EMBEDS)[number];

/** Which parts of a resource a request asks for; `fields` undefined: all of them. */
export type Shape = { fields: string[] | undefined; embeds: Embed[] };

/** Read before anything is written. @throws Refusal naming what can't be embedded. */
export const shapeOf = (query: Record<string, string>): Shape => ({
  fields: fieldsOf(query["fields"]),
  embeds: embedsOf(query["embed"]),
});

function embedsOf(text: string | undefined): Embed[] {
  return listOf(text).map((name) => {
    const found = EMBEDS.find((embed) => embed === name);
    if (found === undefined)
      throw invalid(
        `Invalid 'embed' parameter '${name}'. Supported: [${EMBEDS.join(", ")}]`,
        "embed",
      );
    return found;
  });
}

/** `fields` as a list, column paths (`.owner.id`) among them; undefined: everything. */
function fieldsOf(text: string | undefined): string[] | undefined {
  const fields = listOf(text).map((field) => field.replace(/^\./, ""));
  return fields.length === 0 ? undefined : fields;
}

const listOf = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
