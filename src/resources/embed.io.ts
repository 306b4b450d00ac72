import type { Asker } from "../accounts/store";
import type { Embed, Shape } from "./embed";
import { type Key, keyText } from "./key";
import { kindNamed, kindsIn, type Version } from "./kinds/registry";
import { missingText, namedTargets } from "./references";
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
    const { found, missing } = await readRelated(db, resource, embed);
    metadata[name] = found.slice(0, MOST_EMBEDDED).map((other) => view(other, version));
    left.push(...missing.map((key) => leftOut(embed, missingText(key))));
    if (found.length > MOST_EMBEDDED) left.push(leftOut(embed, TOO_MANY));
  }
  return { ...shown, _embedded: { metadata, ...(left.length === 0 ? {} : { warnings: left }) } };
}

const TOO_MANY = `Only the first ${MOST_EMBEDDED} are shown; list the others by their own path`;
const leftOut = (embed: Embed, why: string): Warning => ({
  code: "embed-incomplete",
  detail: `${embed}: ${why}`,
});

/** What a relation names (one more than is shown when there are too many), and what of it does not exist. */
async function readRelated(
  db: D1Database,
  resource: Resource,
  embed: Exclude<Embed, "metadata.accessRights">,
): Promise<{ found: Resource[]; missing: Key[] }> {
  switch (embed) {
    case "metadata.references":
      return readNamed(db, resource);
    case "metadata.scopedResources": {
      const kinds = kindsIn(resource.kind.kind);
      return { found: await readContents(db, resource, kinds, MOST_EMBEDDED + 1), missing: [] };
    }
    case "metadata.referencedByResources":
      return { found: await readReferrers(db, [resource]), missing: [] };
  }
}

/** What a resource refers to, and what its spec names besides. */
async function readNamed(
  db: D1Database,
  { organizationId, kind, scope, content }: Resource,
): Promise<{ found: Resource[]; missing: Key[] }> {
  const named = namedTargets(kind, content.spec).map(({ rule, name }) => ({ ...rule, name }));
  const keys = new Map(
    [...content.references, ...named].map((one) => {
      const key: Key = { kind: kindNamed(one.kind), scope, name: one.name };
      return [keyText(key), key];
    }),
  );
  const found = await readResources(db, organizationId, [...keys.values()]);
  const missing = [...keys].filter(([text]) => !found.has(text)).map(([, key]) => key);
  return { found: [...found.values()], missing };
}

function rightsOf({ scopes }: Asker): Record<string, boolean> {
  const canWrite = scopes.includes("write");
  return { canChangeOwner: canWrite, canDelete: canWrite, canWrite, canRead: true };
}
