import * as z from "zod";
import { parseScopeKey } from "../address";
import type { Change } from "../change";
import { storedTargets } from "../hooks";
import { topicSpec } from "../kinds/management";
import { type Changed, changeTypes } from "../match";
import { Bindings } from "../query";
import type { Resource } from "../resource";
import { filtersCondition } from "./entry";

const changeRow = z.object({
  seq: z.number(),
  at: z.number(),
  event_id: z.string(),
  type: z.enum(changeTypes),
  group_name: z.string(),
  kind: z.string(),
  scope: z.string(),
  name: z.string(),
  resource_id: z.string(),
  body: z.string(),
  targets: z.string(),
});

export type LoggedChange = Change & { seq: number };

export function toChange(row: unknown): LoggedChange {
  const { seq, at, event_id, type, group_name, kind, scope, name, resource_id, body, targets } =
    changeRow.parse(row);
  return {
    seq,
    at,
    eventId: event_id,
    changed: { type, group: group_name, kind, name, scope: parseScopeKey(scope) },
    resourceId: resource_id,
    body,
    targets: storedTargets.read(targets),
  };
}

/** Organizations with changes that may not be in their streams yet: those numbered above `handedSeq`. */
export async function readBehind(
  db: D1Database,
): Promise<{ organizationId: number; handedSeq: number }[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE logs(id) AS (
         SELECT min(organization_id) FROM resource_changes
         UNION ALL
         SELECT (SELECT min(organization_id) FROM resource_changes WHERE organization_id > id)
         FROM logs WHERE id IS NOT NULL)
       SELECT id AS organizationId, handed AS handedSeq FROM
         (SELECT id, ifnull(handed_seq, 0) AS handed,
            (SELECT max(seq) FROM resource_changes WHERE organization_id = id) AS last
          FROM logs LEFT JOIN resource_cursors ON organization_id = id WHERE id IS NOT NULL)
       WHERE last > handed`,
    )
    .all<{ organizationId: number; handedSeq: number }>();
  return results;
}

export async function readChanges(
  db: D1Database,
  organizationId: number,
  after: number,
  limit: number,
): Promise<LoggedChange[]> {
  const { results } = await db
    .prepare(
      "SELECT * FROM resource_changes WHERE organization_id = ? AND seq > ? ORDER BY seq LIMIT ?",
    )
    .bind(organizationId, after, limit)
    .all();
  return results.map(toChange);
}

export async function saveHanded(
  db: D1Database,
  organizationId: number,
  handedSeq: number,
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO resource_cursors (organization_id, handed_seq) VALUES (?1, ?2)
       ON CONFLICT (organization_id) DO UPDATE SET handed_seq = max(handed_seq, ?2)`,
    )
    .bind(organizationId, handedSeq)
    .run();
}

/**
 * The oldest changes of an organization, made before `before`, at most `limit`: the number of the last one, and the
 * Webhooks that were deleted by them. Never the last change of the log, nor one that was not handed over.
 */
export async function readExpired(
  db: D1Database,
  organizationId: number,
  before: number,
  limit: number,
): Promise<{ upTo: number; webhookIds: string[] } | undefined> {
  const { results } = await db
    .prepare(
      `SELECT seq, at, type, kind, resource_id AS resourceId FROM resource_changes
       WHERE organization_id = ?1 AND seq <= (SELECT handed_seq FROM resource_cursors WHERE organization_id = ?1)
         AND seq < (SELECT max(seq) FROM resource_changes WHERE organization_id = ?1)
       ORDER BY seq LIMIT ?2`,
    )
    .bind(organizationId, limit)
    .all<{ seq: number; at: number; type: string; kind: string; resourceId: string }>();
  const young = results.findIndex(({ at }) => at >= before);
  const expired = young === -1 ? results : results.slice(0, young);
  const last = expired.at(-1);
  if (last === undefined) return undefined;
  return {
    upTo: last.seq,
    webhookIds: expired
      .filter(({ type, kind }) => kind === "Webhook" && type === "ResourceDeleted")
      .map(({ resourceId }) => resourceId),
  };
}

export function prepareExpiry(
  db: D1Database,
  organizationId: number,
  upTo: number,
): D1PreparedStatement {
  return db
    .prepare("DELETE FROM resource_changes WHERE organization_id = ? AND seq <= ?")
    .bind(organizationId, upTo);
}

/** The changes numbered above `after` that the filters of a topic match. */
export async function readLog(
  db: D1Database,
  topic: Resource,
  request: { after: number; direction: "ASC" | "DESC"; limit: number; offset: number },
): Promise<LoggedChange[]> {
  const bindings = new Bindings();
  const organization = bindings.add(topic.organizationId);
  const after = bindings.add(request.after);
  const condition = filtersCondition(topicSpec.parse(topic.content.spec).filters, bindings.add);
  const { results } = await db
    .prepare(
      `SELECT c.* FROM resource_changes AS c
       WHERE c.organization_id = ${organization} AND c.seq > ${after} AND ${condition}
       ORDER BY c.seq ${request.direction}
       LIMIT ${bindings.add(request.limit)} OFFSET ${bindings.add(request.offset)}`,
    )
    .bind(...bindings.values)
    .all();
  return results.map(toChange);
}

/** The numbers of the first and last change in the log, and of the last one before the topic was made. */
export async function readBounds(
  db: D1Database,
  topic: Resource,
): Promise<{ first: number; last: number; made: number }> {
  const row = await db
    .prepare(
      `SELECT (SELECT min(seq) FROM resource_changes WHERE organization_id = ?1) AS first,
         (SELECT max(seq) FROM resource_changes WHERE organization_id = ?1) AS last,
         (SELECT seq FROM resources WHERE organization_id = ?1 AND kind = 'WatchTopic' AND scope = ''
          AND name = ?2) AS made`,
    )
    .bind(topic.organizationId, topic.name)
    .first<{ first: number | null; last: number | null; made: number | null }>();
  return { first: row?.first ?? 1, last: row?.last ?? 0, made: row?.made ?? 0 };
}

/** Organizations whose first change in the log is older than `before`. The last change of a log is always kept. */
export async function readAged(db: D1Database, before: number): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT k.organization_id AS id FROM resource_cursors AS k WHERE
         (SELECT at FROM resource_changes WHERE organization_id = k.organization_id ORDER BY seq LIMIT 1) < ?
         AND EXISTS (SELECT 1 FROM resource_changes WHERE organization_id = k.organization_id
           ORDER BY seq LIMIT 1 OFFSET 1)
       LIMIT 5000`,
    )
    .bind(before)
    .all<{ id: number }>();
  return results.map(({ id }) => id);
}

/** A change without what it was about. */
export type BriefChange = Changed & { seq: number; at: number };

const briefRow = z.object({
  seq: z.number(),
  at: z.number(),
  type: z.enum(changeTypes),
  group_name: z.string(),
  kind: z.string(),
  scope: z.string(),
  name: z.string(),
});

/** The latest changes of an organization below a number, newest first. */
export async function readLatest(
  db: D1Database,
  organizationId: number,
  { before, limit }: { before: number | null; limit: number },
): Promise<BriefChange[]> {
  const { results } = await db
    .prepare(
      `SELECT seq, at, type, group_name, kind, scope, name FROM resource_changes
       WHERE organization_id = ?1 AND seq < ifnull(?2, 9e18) ORDER BY seq DESC LIMIT ?3`,
    )
    .bind(organizationId, before, limit)
    .all();
  return results.map((row) => {
    const { group_name: group, scope, ...change } = briefRow.parse(row);
    return { ...change, group, scope: parseScopeKey(scope) };
  });
}
