import * as z from "zod";
import { parseScopeKey, scopeKey } from "./address";
import { type Key, keyText, type World } from "./key";
import { kindNamed } from "./kinds/registry";
import type { ListStatements, Page, Statement } from "./list";
import { listenersVersion, readListeners } from "./listeners.store";
import { type Resource, storedContent } from "./resource";

/** A row of `resources` as D1 gives it. */
export type Row = {
  organization_id: number;
  kind: string;
  scope: string;
  name: string;
  id: string;
  title: string;
  version: number;
  state: string | null;
  seq: number;
  created_at: number;
  created_by: string;
  modified_at: number;
  modified_by: string;
  content: string;
};

export function toResource(row: Row): Resource {
  return {
    organizationId: row.organization_id,
    kind: kindNamed(row.kind),
    scope: parseScopeKey(row.scope),
    name: row.name,
    id: row.id,
    title: row.title,
    version: row.version,
    state: row.state === "DELETING" ? "DELETING" : null,
    createdAt: row.created_at,
    createdBy: row.created_by,
    modifiedAt: row.modified_at,
    modifiedBy: row.modified_by,
    content: storedContent.read(row.content),
  };
}

/** CROSS JOIN: the names first, then one look into the key for each. */
const BY_KEYS = `SELECT r.* FROM json_each(?2) AS k CROSS JOIN resources AS r
  ON r.organization_id = ?1 AND r.kind = json_extract(k.value, '$.kind')
  AND r.scope = json_extract(k.value, '$.scope') AND r.name = json_extract(k.value, '$.name')`;

/**
 * The resources named, and who listens to changes, as they are now: one round trip that reads one row of
 * the listeners, whatever the number of hooks; a second one after somebody changed them.
 */
export async function readWorld(
  db: D1Database,
  organizationId: number,
  keys: readonly Key[],
): Promise<World> {
  const [rows, version] = await db.batch<Record<string, unknown>>([
    byKeys(db, organizationId, keys),
    listenersVersion(db, organizationId),
  ]);
  return {
    found: indexed(rowsOf(rows?.results)),
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

/** One page with the number of all that fit; the count is asked for only when the page does not tell. */
export async function readPage(
  db: D1Database,
  { rows, count }: ListStatements,
  { page, pageSize }: Page,
): Promise<{ items: Resource[]; total: number }> {
  const { results } = await prepared(db, rows).all<Row>();
  const items = results.slice(0, pageSize).map(toResource);
  const known = results.length <= pageSize && (items.length > 0 || page === 1);
  const total = known ? (page - 1) * pageSize + items.length : await readCount(db, count);
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

const rowSchema: z.ZodType<Row> = z.object({
  organization_id: z.number(),
  kind: z.string(),
  scope: z.string(),
  name: z.string(),
  id: z.string(),
  title: z.string(),
  version: z.number(),
  state: z.string().nullable(),
  seq: z.number(),
  created_at: z.number(),
  created_by: z.string(),
  modified_at: z.number(),
  modified_by: z.string(),
  content: z.string(),
});

const rowsOf = (results: unknown): Row[] => z.array(rowSchema).parse(results ?? []);

function indexed(rows: readonly Row[]): ReadonlyMap<string, Resource> {
  return new Map(
    rows.map(toResource).map((resource): [string, Resource] => [keyText(resource), resource]),
  );
}
