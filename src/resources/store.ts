import { type ResourceRow as Row, resourceColumns } from "../db/resources";
import { parseScopeKey, type ScopeName, scopeKey } from "./address";
import { type Key, keyText, type World } from "./key";
import { kindNamed, kinds } from "./kinds/registry";
import type { ListStatements, Page, Statement } from "./list";
import { listenersVersion, readListeners } from "./listeners.store";
import { type Resource, storedContent } from "./resource";

export function toResource(row: Row): Resource {
  const { kind, scope, content, seq: _seq, ...rest } = row;
  return {
    ...rest,
    kind: kindNamed(kind),
    scope: parseScopeKey(scope),
    content: storedContent.read(content),
  };
}

export const toRow = ({ kind, scope, content, ...row }: Resource): Omit<Row, "seq"> => ({
  ...row,
  kind: kind.kind,
  scope: scopeKey(scope),
  content: storedContent.write(content),
});

/** CROSS JOIN: the names first, then one look into the key for each. */
const BY_KEYS = `SELECT ${resourceColumns("r")} FROM json_each(?2) AS k CROSS JOIN resources AS r
  ON r.organization_id = ?1 AND r.kind = json_extract(k.value, '$.kind')
  AND r.scope = json_extract(k.value, '$.scope') AND r.name = json_extract(k.value, '$.name')`;

/**
 * The resources named, and the hooks and webhooks, as they are now. This takes one round trip, and a second one only
 * when hooks or webhooks have changed since this isolate read them.
 */
export async function readWorld(
  db: D1Database,
  organizationId: number,
  keys: readonly Key[],
): Promise<World> {
  const [rows, version] = await db.batch<Row>([
    byKeys(db, organizationId, keys),
    listenersVersion(db, organizationId),
  ]);
  return {
    found: indexed(rows?.results ?? []),
    listeners: await readListeners(db, organizationId, version?.results),
  };
}

export async function readResources(
  db: D1Database,
  organizationId: number,
  keys: readonly Key[],
): Promise<ReadonlyMap<string, Resource>> {
  const { results } = await byKeys(db, organizationId, keys).all<Row>();
  return indexed(results);
}

export async function readResource(
  db: D1Database,
  organizationId: number,
  key: Key,
): Promise<Resource | undefined> {
  return (await readResources(db, organizationId, [key])).get(keyText(key));
}

/** One page, and how many resources match altogether. These are counted only if this is not the last page. */
export async function readPage(
  db: D1Database,
  { rows, count }: ListStatements,
  { page, pageSize }: Page,
): Promise<{ items: Resource[]; total: number }> {
  const { results } = await prepared(db, rows).all<Row>();
  const items = results.slice(0, pageSize).map(toResource);
  const isLastPage = results.length <= pageSize && (items.length > 0 || page === 1);
  const total = isLastPage ? (page - 1) * pageSize + items.length : await readCount(db, count);
  return { items, total };
}

export async function readCount(db: D1Database, count: Statement): Promise<number> {
  return (await prepared(db, count).first<number>("total")) ?? 0;
}

function byKeys(db: D1Database, organizationId: number, keys: readonly Key[]): D1PreparedStatement {
  const wanted = keys.map(({ kind, scope, name }) => ({
    kind: kind.kind,
    scope: scopeKey(scope),
    name,
  }));
  return db.prepare(BY_KEYS).bind(organizationId, JSON.stringify(wanted));
}

export function prepared(db: D1Database, { sql, values }: Statement): D1PreparedStatement {
  return db.prepare(sql).bind(...values);
}

function indexed(rows: readonly Row[]): ReadonlyMap<string, Resource> {
  return new Map(
    rows.map(toResource).map((resource): [string, Resource] => [keyText(resource), resource]),
  );
}

/** How many resources of each kind an organization has in a scope; outside of all when it is null. */
export async function countKinds(
  db: D1Database,
  organizationId: number,
  scope: ScopeName | null,
): Promise<ReadonlyMap<string, number>> {
  const { results } = await db
    .prepare(
      `SELECT kind, count(*) AS total FROM resources
       WHERE organization_id = ? AND kind IN (SELECT value FROM json_each(?)) AND scope = ? GROUP BY kind`,
    )
    .bind(organizationId, JSON.stringify(kinds.map(({ kind }) => kind)), scopeKey(scope))
    .all<{ kind: string; total: number }>();
  return new Map(results.map(({ kind, total }) => [kind, total]));
}
