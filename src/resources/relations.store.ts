import { resourceColumns, type ResourceRow } from "../db/resources";
import { type ScopeName, scopeKey } from "./address";
import type { Kind } from "./kinds/kind";
import { dependentsOf, depthOf, kindsIn } from "./kinds/registry";
import type { Statement } from "./list";
import type { Resource } from "./resource";
import { prepared, toResource } from "./store";

/** The resources of these kinds in a scope, dependents before what they depend on; at most `limit`. */
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
        `SELECT ${resourceColumns("resources")} FROM resources INDEXED BY resources_scope
         WHERE organization_id = ? AND kind = ? AND scope = ? ORDER BY seq LIMIT ?`,
      )
      .bind(scope.organizationId, kind.kind, key, limit - found.length)
      .all<ResourceRow>();
    found.push(...results.map(toResource));
  }
  return found;
}

/** Counts the resources in a scope. */
export function contentsCount(scope: Resource): Statement {
  return {
    sql: `SELECT count(*) AS total FROM resources
      WHERE organization_id = ?1 AND kind IN (${inList(kindsIn(scope.kind.kind))}) AND scope = ?2`,
    values: [scope.organizationId, scopeKey({ kind: scope.kind.kind, name: scope.name })],
  };
}

/** Whether any resource in a scope has finalizers. */
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
  const { results } = await prepared(db, {
    sql: `SELECT ${resourceColumns("resources")} ${sql}`,
    values,
  }).all<ResourceRow>();
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
      `SELECT ${resourceColumns("resources")} FROM resources INDEXED BY resources_scope
       WHERE organization_id = ? AND kind = 'Webhook' AND scope = ?
         AND json_extract(content, '$.spec.auth.secret.name') = ?`,
    )
    .bind(organizationId, scopeKey(scope), secret)
    .all<ResourceRow>();
  return results.map(toResource);
}

const inList = (kinds: readonly Kind[]): string => kinds.map(({ kind }) => `'${kind}'`).join(", ");
