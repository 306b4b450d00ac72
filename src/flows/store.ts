import { and, desc, eq, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { foldEmail } from "../accounts/email";
import { flows } from "../db/flows";
import { keyring } from "../db/sealed";
import type { User } from "../accounts/users/store";
import { Refusal } from "../http/refusal";
import type { FlowDoors } from "./doors";
import type { Columns } from "./fields";
import type { Flow, Permission, Viewer } from "./flow";
import { sealedColumns } from "./sealed-flow";
import { flowBytes, MOST_FLOW_BYTES } from "./row-size";

/**
 * What a viewer may see: their own flows, and those shared with all these permissions. Anybody may sign up under any
 * address, so one that nobody vouched for counts for nothing.
 */
export function visible(viewer: Viewer, permissions: readonly Permission[]): SQL | undefined {
  const email = viewer.isEmailVerified ? foldEmail(viewer.email) : null;
  const domain = email === null ? null : email.slice(email.lastIndexOf("@") + 1);
  return or(
    eq(flows.userId, viewer.id),
    and(
      eq(flows.organizationId, viewer.organizationId),
      sql`EXISTS (SELECT 1 FROM json_each(${flows.sharedWith}) AS share
        WHERE (lower(trim(share.value ->> 'email')) = ${email}
          OR lower(trim(share.value ->> 'domain')) = ${domain}
          OR share.value ->> 'scope' = 'user')
        AND NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(permissions)}) AS wanted
          WHERE wanted.value NOT IN (SELECT value FROM json_each(share.value, '$.permissions'))))`,
    ),
  );
}

/** A flow that this user may see; unknown and invisible look the same. */
export async function readFlow(
  db: D1Database,
  viewer: Viewer,
  id: string,
  permission: Permission = "read",
): Promise<Flow | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flows)
    .where(and(eq(flows.id, id), visible(viewer, [permission])));
  return row;
}

/** A flow of this very user. */
export async function readOwnFlow(
  db: D1Database,
  userId: number,
  id: string,
): Promise<Flow | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flows)
    .where(and(eq(flows.id, id), eq(flows.userId, userId)));
  return row;
}

/** A flow of whichever user of an organization. */
export async function readFlowOf(
  db: D1Database,
  organizationId: number,
  id: string,
): Promise<Flow | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flows)
    .where(and(eq(flows.id, id), eq(flows.organizationId, organizationId)));
  return row;
}

/** A new flow of this user, stopped. */
export function newFlow(
  user: Pick<User, "id" | "organizationId">,
  id: string,
  columns: Columns,
): Parameters<typeof createFlow>[1] {
  const now = Date.now();
  return {
    id,
    organizationId: user.organizationId,
    userId: user.id,
    btime: now,
    mtime: now,
    ...columns,
    name: columns.name ?? "New flow",
    flow: columns.flow ?? {},
  };
}

/** @returns false when the id is taken. @throws Refusal `too-large` for more than a row can hold. */
export async function createFlow(
  { db, config }: Pick<FlowDoors, "db" | "config">,
  given: Partial<Flow> & typeof flows.$inferInsert,
): Promise<boolean> {
  const flow = { ...given, ...sealedColumns(keyring(config.masterKeys), given) };
  checkSize(flow);
  const rows = await drizzle(db)
    .insert(flows)
    .values(flow)
    .onConflictDoNothing()
    .returning({ id: flows.id });
  return rows.length > 0;
}

/** @throws Refusal `too-large` for more than a row can hold. */
export function checkSize(flow: Partial<Flow>): void {
  if (flowBytes(flow) > MOST_FLOW_BYTES)
    throw new Refusal({
      kind: "too-large",
      message: `The flow is larger than ${MOST_FLOW_BYTES} bytes, what its template was included`,
    });
}

/** The flow of this user that has a component; the one that was changed last when several have. */
export async function flowOfComponent(
  db: D1Database,
  userId: number,
  componentId: string,
  flowId: string | undefined,
): Promise<string | undefined> {
  const [row] = await drizzle(db)
    .select({ id: flows.id })
    .from(flows)
    .where(
      and(
        eq(flows.userId, userId),
        flowId === undefined ? undefined : eq(flows.id, flowId),
        sql`json_type(${flows.flow}, ${`$.${JSON.stringify(componentId)}`}) IS NOT NULL`,
      ),
    )
    .orderBy(desc(flows.mtime))
    .limit(1);
  return row?.id;
}

/** The newest thousand flows of this user with their descriptors, or one of them. */
export async function readUserFlows(
  db: D1Database,
  userId: number,
  flowId: string | undefined,
): Promise<Pick<Flow, "id" | "flow">[]> {
  return drizzle(db)
    .select({ id: flows.id, flow: flows.flow })
    .from(flows)
    .where(and(eq(flows.userId, userId), flowId === undefined ? undefined : eq(flows.id, flowId)))
    .orderBy(desc(flows.mtime))
    .limit(1_000);
}
