import { and, asc, count, desc, eq, inArray, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { flows } from "../../db/flows";
import type { Filter, Filtered } from "./filter";
import type { Flow, Permission, Viewer } from "../flow";
import { visible } from "../store";

const COLUMNS: Record<Filtered, SQLiteColumn> = {
  userId: flows.userId,
  flowId: flows.id,
  stage: flows.stage,
  name: flows.name,
  description: flows.description,
  type: flows.type,
  btime: flows.btime,
  mtime: flows.mtime,
  started: flows.started,
  sharedWith: flows.sharedWith,
  customFields: flows.customFields,
  originFlowId: flows.originFlowId,
  revision: flows.revision,
  thumbnail: flows.thumbnail,
  wizard: flows.wizard,
  flow: flows.flow,
};

export type ListRequest = {
  permissions: Permission[];
  filters: (Filter & { field: Filtered })[];
  pattern: string | undefined;
  sort: { field: Filtered; descending: boolean };
  offset: number;
  limit: number;
};

/** A column, or a member of it, as text; in a path, digits are an index of a list or the name of a member. */
function textOf(column: SQLiteColumn, path: readonly string[]): SQL {
  if (path.length === 0) return sql`coalesce(CAST(${column} AS TEXT), '')`;
  const places = [
    path.map(memberOf),
    path.map((key) => (/^\d{1,6}$/.test(key) ? `[${key}]` : memberOf(key))),
  ].map((parts) => `$${parts.join("")}`);
  const found = [...new Set(places)].map(
    (place) => sql`CASE json_type(${column}, ${place})
      WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
      ELSE CAST(json_extract(${column}, ${place}) AS TEXT) END`,
  );
  return sql`coalesce(${sql.join(found, sql`, `)}, '')`;
}

const memberOf = (key: string): string => `.${JSON.stringify(key)}`;

/** Several values of one field are alternatives; everything else must hold together. */
function conditions(viewer: Viewer, request: ListRequest): SQL | undefined {
  const wanted = Map.groupBy(request.filters, ({ field, path, negated }) =>
    JSON.stringify([field, path, negated]),
  );
  const filters = [...wanted.values()].map((alternatives) => {
    const tests = alternatives.map(({ field, path, value, negated }) => {
      const subject = textOf(COLUMNS[field], path);
      // An empty value asks for what is absent or empty.
      if (value === "") return sql`(${subject} IN ('', '[]', '{}')) IS NOT ${negated ? 1 : 0}`;
      return negated ? sql`${subject} IS NOT ${value}` : sql`${subject} = ${value}`;
    });
    return alternatives[0]?.negated === true ? and(...tests) : or(...tests);
  });
  const { pattern } = request;
  return and(
    visible(viewer, request.permissions),
    ...filters,
    pattern === undefined ? undefined : sql`instr(lower(${flows.name}), lower(${pattern})) > 0`,
  );
}

export function listFlows(db: D1Database, viewer: Viewer, request: ListRequest): Promise<Flow[]> {
  const column = COLUMNS[request.sort.field];
  return drizzle(db)
    .select()
    .from(flows)
    .where(conditions(viewer, request))
    .orderBy(request.sort.descending ? desc(column) : asc(column), asc(flows.id))
    .limit(request.limit)
    .offset(request.offset);
}

export function countFlows(db: D1Database, viewer: Viewer, request: ListRequest): Promise<number> {
  return drizzle(db).$count(flows, conditions(viewer, request));
}

/** What lists show of a flow: its descriptor may be large, and stays where it is. */
const brief = {
  id: flows.id,
  userId: flows.userId,
  name: flows.name,
  type: flows.type,
  stage: flows.stage,
  mtime: flows.mtime,
  started: flows.started,
};
export type BriefFlow = Pick<Flow, keyof typeof brief>;

/** A page of flows, those that were changed last first, from after the last one of the page before. */
export type FlowPage = { after: Pick<Flow, "mtime" | "id"> | null; limit: number };

const brieflyListed = (db: D1Database, of: SQL | undefined, { after, limit }: FlowPage) =>
  drizzle(db)
    .select(brief)
    .from(flows)
    .where(
      and(
        of,
        after === null
          ? undefined
          : sql`(${flows.mtime}, ${flows.id}) < (${after.mtime}, ${after.id})`,
      ),
    )
    .orderBy(desc(flows.mtime), desc(flows.id))
    .limit(limit);

/** The flows of a user. */
export const flowsOfUser = (db: D1Database, userId: number, page: FlowPage): Promise<BriefFlow[]> =>
  brieflyListed(db, eq(flows.userId, userId), page);

/** The flows of one type that an organization's users have. */
export const flowsOfType = (
  db: D1Database,
  organizationId: number,
  type: string,
  page: FlowPage,
): Promise<BriefFlow[]> =>
  brieflyListed(db, and(eq(flows.organizationId, organizationId), eq(flows.type, type)), page);

/** How many flows users have, and how many of them run. */
export async function countFlowsOf(
  db: D1Database,
  userIds: readonly number[],
): Promise<ReadonlyMap<number, { all: number; running: number }>> {
  if (userIds.length === 0) return new Map();
  const rows = await drizzle(db)
    .select({
      userId: flows.userId,
      all: count(),
      running: sql<number>`sum(${flows.stage} = 'running')`.mapWith(Number),
    })
    .from(flows)
    .where(inArray(flows.userId, [...userIds]))
    .groupBy(flows.userId);
  return new Map(rows.map(({ userId, ...counts }) => [userId, counts]));
}
