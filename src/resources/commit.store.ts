import { tellDirectory } from "../db/directory/tell";
import { and, eq, type Query, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { resources } from "../db/resources";
import { groupsByWeight } from "../stream/plan";
import type { Trigger } from "../flows/triggers/trigger";
import { toTriggers } from "../flows/triggers/store";
import { scopeKey } from "./address";
import type { Change } from "./change";
import { prepareTriggers } from "./hand-over.io";
import { storedTargets } from "./hooks";
import type { Key } from "./key";
import { listenersChange } from "./listeners.store";
import type { Statement } from "./list";
import type { Resource } from "./resource";
import { toRow } from "./store";

/** What must still be so when a plan is written. Otherwise nothing of the plan is. */
export type Expectation = Key & {
  /** Undefined: no resource has this name. */
  id: string | undefined;
  /** The version that was read, if another writer must not have raised it. */
  version?: number;
  /** It must not be waiting for its deletion (`DELETING`). */
  live?: true;
};

/** The writes that a request was decided to make. They and the records of their changes are one transaction. */
export type Plan = {
  expects: Expectation[];
  /** Rows that were counted when the plan was made, and must be as many still. */
  counts: Count[];
  changes: Change[];
  inserts: Resource[];
  updates: Resource[];
  removals: Resource[];
  statements: D1PreparedStatement[];
};

/** `sql` counts rows (`total`). */
export type Count = Statement & { expected: number };

export const emptyPlan = (): Plan => ({
  expects: [],
  counts: [],
  changes: [],
  inserts: [],
  updates: [],
  removals: [],
  statements: [],
});

/** Bound text is at most 2 MB; its own quotes count twice. */
const GROUP_UNITS = 400_000;

/**
 * `triggers`: of the flows that may be started by the changes, read in the same transaction. `conflict`: something that
 * the plan was decided by has changed since it was read, so the request must be decided again.
 */
export type Outcome = { kind: "committed"; triggers: Trigger[] } | { kind: "conflict" };

/** Writes a plan: rows and their change records together or not at all. */
export async function commitPlan(
  db: D1Database,
  organizationId: number,
  plan: Plan,
): Promise<Outcome> {
  const written = [...plan.inserts, ...plan.updates, ...plan.removals];
  const statements = [
    ...expectations(db, organizationId, plan.expects),
    ...plan.counts.map((count) => counted(db, count)),
    ...changeRows(db, organizationId, plan.changes),
    ...plan.inserts.map((resource) => insert(db, resource)),
    ...plan.updates.map((resource) => update(db, resource)),
    ...removals(db, organizationId, plan.removals),
    ...(written.some(({ kind }) => LISTENERS.has(kind.kind))
      ? [listenersChange(db, organizationId)]
      : []),
    ...plan.statements,
    ...(plan.changes.length === 0 ? [] : [prepareTriggers(db, organizationId, plan.changes)]),
  ];
  if (statements.length === 0) return { kind: "committed", triggers: [] };
  try {
    const results = await db.batch(statements);
    // Destinations of Webhooks.
    if (plan.statements.length > 0) await tellDirectory(db, `organization:${organizationId}`);
    const triggers = plan.changes.length === 0 ? [] : toTriggers(results.at(-1)?.results);
    return { kind: "committed", triggers };
  } catch (error) {
    if (error instanceof Error && /malformed JSON|UNIQUE constraint/.test(error.message))
      return { kind: "conflict" };
    throw error;
  }
}

const LISTENERS = new Set(["ResourceHook", "Webhook", "Secret"]);

/** D1 has no interactive transaction: a batch is undone by a statement that fails on purpose. */
const ASSERT = `SELECT iif(count(*) = 0, 1, json('!' || count(*))) FROM json_each(?2) AS e
  LEFT JOIN resources AS r ON r.organization_id = ?1 AND r.kind = json_extract(e.value, '$.kind')
    AND r.scope = json_extract(e.value, '$.scope') AND r.name = json_extract(e.value, '$.name')
  WHERE r.id IS NOT json_extract(e.value, '$.id')
    OR r.version <> json_extract(e.value, '$.version')
    OR (json_extract(e.value, '$.live') AND r.state IS NOT NULL)`;

function expectations(
  db: D1Database,
  organizationId: number,
  expects: readonly Expectation[],
): D1PreparedStatement[] {
  const encoded = expects.map(({ kind, scope, name, id, version, live }) => ({
    kind: kind.kind,
    scope: scopeKey(scope),
    name,
    id: id ?? null,
    version,
    live,
  }));
  return groupsByWeight(encoded, GROUP_UNITS, 5_000, () => 300).map((group) =>
    db.prepare(ASSERT).bind(organizationId, JSON.stringify(group)),
  );
}

function counted(db: D1Database, { sql, values, expected }: Count): D1PreparedStatement {
  return db
    .prepare(`SELECT iif(total = ?${values.length + 1}, 1, json('!' || total)) FROM (${sql})`)
    .bind(...values, expected);
}

const CHANGE_COLUMNS =
  "organization_id, seq, at, event_id, type, group_name, kind, scope, name, resource_id, body, targets";
const NEXT_SEQ =
  "(SELECT ifnull(max(seq), 0) FROM resource_changes WHERE organization_id = ?1) + 1";

/** The log: numbered within the organization, in the order of the plan. */
function changeRows(
  db: D1Database,
  organizationId: number,
  changes: readonly Change[],
): D1PreparedStatement[] {
  const groups = groupsByWeight(changes, GROUP_UNITS, 1_000, ({ body }) => body.length + 500);
  return groups.map((group) => {
    const [only] = group;
    if (group.length === 1 && only !== undefined)
      return db
        .prepare(
          `INSERT INTO resource_changes (${CHANGE_COLUMNS})
           VALUES (?1, ${NEXT_SEQ}, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
        )
        .bind(organizationId, ...changeValues(only));
    return db
      .prepare(
        `INSERT INTO resource_changes (${CHANGE_COLUMNS})
         SELECT ?1, ${NEXT_SEQ} + e.key,
           ${Array.from({ length: 10 }, (_, index) => `json_extract(e.value, '$[${index}]')`).join(", ")}
         FROM json_each(?2) AS e ORDER BY e.key`,
      )
      .bind(organizationId, JSON.stringify(group.map(changeValues)));
  });
}

function changeValues({ at, eventId, changed, resourceId, body, targets }: Change) {
  const { type, group, kind, scope, name } = changed;
  return [
    at,
    eventId,
    type,
    group,
    kind,
    scopeKey(scope),
    name,
    resourceId,
    body,
    storedTargets.write(targets),
  ];
}

/** Its place in lists is the number of the change that made it: the log's last by now. */
function insert(db: D1Database, resource: Resource): D1PreparedStatement {
  const seq = sql<number>`(SELECT ifnull(max(seq), 0) FROM resource_changes WHERE organization_id = ${resource.organizationId})`;
  return bound(
    db,
    drizzle(db)
      .insert(resources)
      .values({ ...toRow(resource), seq }),
  );
}

function update(db: D1Database, resource: Resource): D1PreparedStatement {
  const { organizationId, kind, scope, name, ...rest } = toRow(resource);
  const isIt = and(
    eq(resources.organizationId, organizationId),
    eq(resources.kind, kind),
    eq(resources.scope, scope),
    eq(resources.name, name),
  );
  return bound(db, drizzle(db).update(resources).set(rest).where(isIt));
}

function bound(db: D1Database, query: { toSQL(): Query }): D1PreparedStatement {
  const { sql: text, params } = query.toSQL();
  return db.prepare(text).bind(...params);
}

function removals(
  db: D1Database,
  organizationId: number,
  resources: readonly Resource[],
): D1PreparedStatement[] {
  const keys = resources.map(({ kind, scope, name }) => [kind.kind, scopeKey(scope), name]);
  return groupsByWeight(keys, GROUP_UNITS, 5_000, () => 300).map((group) =>
    db
      .prepare(
        `DELETE FROM resources WHERE organization_id = ?1 AND (kind, scope, name) IN
           (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
            FROM json_each(?2))`,
      )
      .bind(organizationId, JSON.stringify(group)),
  );
}
