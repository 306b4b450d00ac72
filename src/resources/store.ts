import * as z from "zod";
import { parseScopeKey, type ScopeName, scopeKey } from "./address";
import type { Hook, HookedWebhook, Listeners } from "./hooks";
import type { Kind } from "./kinds/kind";
import { type Key, keyText, type World } from "./key";
import { dependentsOf, depthOf, kindNamed, kindsIn } from "./kinds/registry";
import type { hookSpec } from "./kinds/management";
import type { ListStatements, Page, Statement } from "./list";
import type { Content, Resource } from "./resource";

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
  const content: Content = JSON.parse(row.content);
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
    content,
  };
}

/** CROSS JOIN: the names first, then one look into the key for each. */
const BY_KEYS = `SELECT r.* FROM json_each(?2) AS k CROSS JOIN resources AS r
  ON r.organization_id = ?1 AND r.kind = json_extract(k.value, '$.kind')
  AND r.scope = json_extract(k.value, '$.scope') AND r.name = json_extract(k.value, '$.name')`;

const HOOKS = `SELECT name, scope, json_extract(content, '$.spec') AS spec
  FROM resources INDEXED BY resources_kind WHERE organization_id = ?1 AND kind = 'ResourceHook'`;

const WEBHOOKS = `SELECT w.id, w.name, w.scope, json_extract(w.content, '$.spec.enabled') AS enabled,
    json_extract(w.content, '$.spec.auth.secret.key') IS NULL OR EXISTS
      (SELECT 1 FROM resources AS s, json_each(s.content, '$.spec.data') AS d
       WHERE s.organization_id = ?1 AND s.kind = 'Secret' AND s.scope = w.scope
         AND s.name = json_extract(w.content, '$.spec.auth.secret.name')
         AND d.key = json_extract(w.content, '$.spec.auth.secret.key')) AS secret_found
  FROM resources AS w INDEXED BY resources_kind WHERE w.organization_id = ?1 AND w.kind = 'Webhook'`;

const VERSION =
  "SELECT listeners_version AS version FROM resource_cursors WHERE organization_id = ?1";

/** Hooks and webhooks of organizations, as of one count of their writes. */
const known = new Map<number, { version: number; listeners: Listeners }>();

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
    db.prepare(VERSION).bind(organizationId),
  ]);
  const current = versionIn(version?.results);
  const mine = known.get(organizationId);
  return {
    found: indexed(rowsOf(rows?.results)),
    listeners: mine?.version === current ? mine.listeners : await readListeners(db, organizationId),
  };
}

async function readListeners(db: D1Database, organizationId: number): Promise<Listeners> {
  const [hooks, webhooks, version] = await db.batch<Record<string, unknown>>([
    db.prepare(HOOKS).bind(organizationId),
    db.prepare(WEBHOOKS).bind(organizationId),
    db.prepare(VERSION).bind(organizationId),
  ]);
  const listeners = {
    hooks: z
      .array(hookRow)
      .parse(hooks?.results ?? [])
      .map(toHook),
    webhooks: z
      .array(webhookRow)
      .parse(webhooks?.results ?? [])
      .map(toWebhook),
  };
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(organizationId, { version: versionIn(version?.results), listeners });
  return listeners;
}

/** Organizations whose listeners an isolate keeps in mind. */
const MOST_KNOWN = 500;

const versionIn = (results: unknown): number =>
  z.array(z.object({ version: z.number() })).parse(results ?? [])[0]?.version ?? 0;

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

/** What a scope holds of these kinds, dependents before what they depend on; at most `limit`. */
export async function readContents(
  db: D1Database,
  scope: Resource,
  kinds: readonly Kind[],
  limit: number,
): Promise<Resource[]> {
  const key = scopeKey({ kind: scope.kind.kind, name: scope.name });
  const found: Resource[] = [];
  for (const kind of kinds.toSorted((left, right) => depthOf(right) - depthOf(left))) {
    if (found.length >= limit) break;
    const { results } = await db
      .prepare(
        `SELECT * FROM resources INDEXED BY resources_scope
         WHERE organization_id = ? AND kind = ? AND scope = ? ORDER BY seq LIMIT ?`,
      )
      .bind(scope.organizationId, kind.kind, key, limit - found.length)
      .all<Row>();
    found.push(...results.map(toResource));
  }
  return found;
}

/** Counts what a scope holds. */
export function contentsCount(scope: Resource): Statement {
  return {
    sql: `SELECT count(*) AS total FROM resources
      WHERE organization_id = ?1 AND kind IN (${inList(kindsIn(scope.kind.kind))}) AND scope = ?2`,
    values: [scope.organizationId, scopeKey({ kind: scope.kind.kind, name: scope.name })],
  };
}

/** Whether anything a scope holds has finalizers. */
export async function readFinalized(db: D1Database, scope: Resource): Promise<boolean> {
  const key = scopeKey({ kind: scope.kind.kind, name: scope.name });
  const row = await db
    .prepare(
      `SELECT 1 FROM resources WHERE organization_id = ? AND kind IN (${inList(kindsIn(scope.kind.kind))})
         AND scope = ? AND json_array_length(content, '$.finalizers') > 0 LIMIT 1`,
    )
    .bind(scope.organizationId, key)
    .first();
  return row !== null;
}

/** Resources of the same scopes whose references name one of `targets`. */
export async function readReferrers(
  db: D1Database,
  targets: readonly Resource[],
): Promise<Resource[]> {
  const selection = referrersOf(targets);
  if (selection === undefined) return [];
  const { sql, values } = selection;
  const { results } = await prepared(db, { sql: `SELECT * ${sql}`, values }).all<Row>();
  return results.map(toResource);
}

/** Counts the referrers of `targets`; undefined: there can't be any. */
export function referrersCount(targets: readonly Resource[]): Statement | undefined {
  const selection = referrersOf(targets);
  if (selection === undefined) return undefined;
  return { sql: `SELECT count(*) AS total ${selection.sql}`, values: selection.values };
}

function referrersOf(targets: readonly Resource[]): Statement | undefined {
  const [first] = targets;
  const kinds = [...new Set(targets.flatMap(({ kind }) => [...dependentsOf(kind.kind)]))];
  if (first === undefined || kinds.length === 0) return undefined;
  const scopes = [...new Set(targets.map(({ scope }) => scopeKey(scope)))];
  const ids = targets.map(({ id }) => id);
  return {
    sql: `FROM resources INDEXED BY resources_scope
      WHERE organization_id = ?1 AND kind IN (${inList(kinds)})
        AND scope IN (SELECT value FROM json_each(?2))
        AND EXISTS (SELECT 1 FROM json_each(content, '$.references') AS t
          WHERE json_extract(t.value, '$.id') IN (SELECT value FROM json_each(?3)))`,
    values: [first.organizationId, JSON.stringify(scopes), JSON.stringify(ids)],
  };
}

/** The Webhooks of a scope that name a Secret. */
export async function readWebhooksOf(
  db: D1Database,
  organizationId: number,
  scope: ScopeName | null,
  secret: string,
): Promise<Resource[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM resources INDEXED BY resources_scope
       WHERE organization_id = ? AND kind = 'Webhook' AND scope = ?
         AND json_extract(content, '$.spec.auth.secret.name') = ?`,
    )
    .bind(organizationId, scopeKey(scope), secret)
    .all<Row>();
  return results.map(toResource);
}

function byKeys(db: D1Database, organizationId: number, keys: readonly Key[]): D1PreparedStatement {
  const wanted = keys.map(({ kind, scope, name }) => ({
    kind: kind.kind,
    scope: scopeKey(scope),
    name,
  }));
  return db.prepare(BY_KEYS).bind(organizationId, JSON.stringify(wanted));
}

function prepared(db: D1Database, { sql, values }: Statement): D1PreparedStatement {
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

const hookRow = z.object({ name: z.string(), scope: z.string(), spec: z.string() });
const webhookRow = z.object({
  id: z.string(),
  name: z.string(),
  scope: z.string(),
  enabled: z.number().nullable(),
  secret_found: z.number(),
});

const rowsOf = (results: unknown): Row[] => z.array(rowSchema).parse(results ?? []);

function indexed(rows: readonly Row[]): ReadonlyMap<string, Resource> {
  return new Map(
    rows.map(toResource).map((resource): [string, Resource] => [keyText(resource), resource]),
  );
}

function toHook({ name, scope, spec }: z.infer<typeof hookRow>): Hook {
  const { triggers, webhooks }: z.infer<typeof hookSpec> = JSON.parse(spec);
  return { name, scope: parseScopeKey(scope), triggers, webhooks };
}

function toWebhook(row: z.infer<typeof webhookRow>): HookedWebhook {
  const { id, name, scope, enabled, secret_found } = row;
  return {
    id,
    name,
    scope: parseScopeKey(scope),
    enabled: enabled !== 0,
    secretFound: secret_found !== 0,
  };
}

const inList = (kinds: readonly Kind[]): string => kinds.map(({ kind }) => `'${kind}'`).join(", ");
