import { type Key, keyText } from "../key";
import { kindNamed, kindsIn } from "../kinds/registry";
import { readContents, readReferrers } from "../relations.store";
import type { Resource } from "../resource";
import { readResources } from "../store";

/** All that depends on a resource by hard references, directly or through others. */
export async function readDependents(db: D1Database, target: Resource): Promise<Resource[]> {
  const found = new Map<string, Resource>();
  let level: Resource[] = [target];
  while (level.length > 0) {
    const ids = new Set(level.map(({ id }) => id));
    const referrers = await readReferrers(db, level);
    level = referrers.filter(
      (resource) =>
        !found.has(resource.id) &&
        resource.content.references.some(({ id, type }) => type === "hard" && ids.has(id)),
    );
    for (const resource of level) found.set(resource.id, resource);
  }
  return [...found.values()];
}

function holdersOf({ scope, content }: Resource): Key[] {
  const holder: Key[] =
    scope === null ? [] : [{ kind: kindNamed(scope.kind), scope: null, name: scope.name }];
  const targets = content.references
    .filter(({ type }) => type === "hard")
    .map((reference): Key => ({ kind: kindNamed(reference.kind), scope, name: reference.name }));
  return [...targets, ...holder];
}

/**
 * Dying resources that waited only for those removed, and so go with them (`released`). Others wait on, each for at
 * least one resource that is still there, its witness: if a witness is gone by the time the deletion is written, the
 * deletion must be decided anew, or the one that waited for it would stay for ever.
 */
export async function readReleased(
  db: D1Database,
  removed: readonly Resource[],
): Promise<{ released: Resource[]; witnesses: Resource[] }> {
  const released: Resource[] = [];
  const witnesses: Resource[] = [];
  const gone = new Map(removed.map((resource) => [resource.id, resource]));
  for (let level = removed; level.length > 0;) {
    const goneKeys = new Set([...gone.values()].map(keyText));
    const next: Resource[] = [];
    for (const holder of await readHolders(db, level)) {
      const waits = holder.state === "DELETING" && holder.content.finalizers.length === 0;
      if (!waits || goneKeys.has(keyText(holder))) continue;
      const held = await readHeld(db, holder, gone.size + 1);
      const witness = held.find(({ id }) => !gone.has(id));
      if (witness === undefined) next.push(holder);
      else witnesses.push(witness);
    }
    for (const resource of next) gone.set(resource.id, resource);
    released.push(...next);
    level = next;
  }
  return { released, witnesses: witnesses.filter(({ id }) => !gone.has(id)) };
}

/** What may have waited for these resources to go: their scope, and what they depend on. */
async function readHolders(db: D1Database, leaving: readonly Resource[]): Promise<Resource[]> {
  const [first] = leaving;
  const away = new Set(leaving.map(keyText));
  const keys = new Map(leaving.flatMap(holdersOf).map((key) => [keyText(key), key]));
  const wanted = [...keys].filter(([text]) => !away.has(text)).map(([, key]) => key);
  if (first === undefined || wanted.length === 0) return [];
  return [...(await readResources(db, first.organizationId, wanted)).values()];
}

/** What keeps a dying resource from going: contents of a scope (at most `limit` of them), else what depends on it. */
async function readHeld(db: D1Database, holder: Resource, limit: number): Promise<Resource[]> {
  const kinds = kindsIn(holder.kind.kind);
  if (kinds.length > 0) return readContents(db, holder, kinds, limit);
  const referrers = await readReferrers(db, [holder]);
  return referrers.filter(({ content }) =>
    content.references.some(({ id, type }) => id === holder.id && type === "hard"),
  );
}
