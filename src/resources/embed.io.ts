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
  for (const embed of embeds)
    metadata[embed.slice("metadata.".length)] = await readEmbed(
      db,
      asker,
      resource,
      version,
      embed,
    );
  return { ...shown, _embedded: { metadata } };
}

async function readEmbed(
  db: D1Database,
  { scopes }: Asker,
  resource: Resource,
  version: Version,
  embed: Embed,
): Promise<unknown> {
  const shown = (resources: Iterable<Resource>): unknown =>
    Array.from(resources, (other) => view(other, version));
  switch (embed) {
    case "metadata.references":
      return shown((await readResources(db, resource.organizationId, namedBy(resource))).values());
    case "metadata.scopedResources":
      return shown(await readContents(db, resource, kindsIn(resource.kind.kind), MOST_EMBEDDED));
    case "metadata.referencedByResources":
      return shown(await readReferrers(db, [resource]));
    case "metadata.accessRights": {
      const canWrite = scopes.includes("write");
      return { canChangeOwner: canWrite, canDelete: canWrite, canWrite, canRead: true };
    }
  }
}

function namedBy({ content, scope }: Resource): Key[] {
  return content.references.map(({ kind, name }) => ({ kind: kindNamed(kind), scope, name }));
}
