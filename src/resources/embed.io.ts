import type { Asker } from "../accounts/store";
import type { Embed, Shape } from "./embed";
import type { Key } from "./key";
import { kindNamed, kindsIn, type Version } from "./kinds/registry";
import { readContents, readReferrers } from "./relations.store";
import { type Resource, selectFields, view, type Warning } from "./resource";
import { readResources } from "./store";

/** Resources that `embed` shows of one relation, at most. */
const MOST_EMBEDDED = 1_000;

/** A resource as a request wants it: `fields` and `embed` applied. */
export async function readShown(
  db: D1Database,
  asker: Asker,
  resource: Resource,
  version: Version,
  { fields, embeds }: Shape,
  warnings: readonly Warning[] = [],
): Promise<Record<string, unknown>> {
  const shown = selectFields(view(resource, version, warnings), fields);
  if (embeds.length === 0) return shown;
  const metadata: Record<string, unknown> = {};
  const left: Warning[] = [];
  for (const embed of embeds) {
    const name = embed.slice("metadata.".length);
    if (embed === "metadata.accessRights") {
      metadata[name] = rightsOf(asker);
      continue;
    }
    const related = await readRelated(db, resource, embed);
    metadata[name] = related.slice(0, MOST_EMBEDDED).map((other) => view(other, version));
    if (related.length > MOST_EMBEDDED) left.push(leftOut(embed));
  }
  return { ...shown, _embedded: { metadata, ...(left.length === 0 ? {} : { warnings: left }) } };
}

const leftOut = (embed: Embed): Warning => ({
  code: "embed-incomplete",
  detail: `${embed}: Only the first ${MOST_EMBEDDED} are shown; list the others by their own path`,
});

/** What a relation names: one more than is shown when there are too many. */
async function readRelated(
  db: D1Database,
  resource: Resource,
  embed: Exclude<Embed, "metadata.accessRights">,
): Promise<Resource[]> {
  switch (embed) {
    case "metadata.references":
      return [...(await readResources(db, resource.organizationId, namedBy(resource))).values()];
    case "metadata.scopedResources":
      return readContents(db, resource, kindsIn(resource.kind.kind), MOST_EMBEDDED + 1);
    case "metadata.referencedByResources":
      return readReferrers(db, [resource]);
  }
}

function rightsOf({ scopes }: Asker): Record<string, boolean> {
  const canWrite = scopes.includes("write");
  return { canChangeOwner: canWrite, canDelete: canWrite, canWrite, canRead: true };
}

function namedBy({ content, scope }: Resource): Key[] {
  return content.references.map(({ kind, name }) => ({ kind: kindNamed(kind), scope, name }));
}
