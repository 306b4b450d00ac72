import { and, count, eq, gt, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flows, flowTickets } from "../../db/schema";
import type { Flow } from "../flow";

type Origin = { organizationId: number; originFlowId: string; type: string };

function from({ organizationId, originFlowId, type }: Origin) {
  return and(
    eq(flows.originFlowId, originFlowId),
    eq(flows.organizationId, organizationId),
    // Written out: a bound value would not match the partial index.
    sql`origin_flow_id IS NOT NULL`,
    eq(flows.type, type),
  );
}

/** The flows of one type that were made from another, whoever made them, in the order of their ids. */
export function flowsFrom(
  db: D1Database,
  origin: Origin,
  after: string,
  limit: number,
): Promise<Flow[]> {
  return drizzle(db)
    .select()
    .from(flows)
    .where(and(from(origin), gt(flows.id, after)))
    .orderBy(flows.id)
    .limit(limit);
}

export async function countFlowsFrom(db: D1Database, origin: Origin): Promise<number> {
  const [row] = await drizzle(db).select({ n: count() }).from(flows).where(from(origin));
  return row?.n ?? 0;
}

export type Ticket = typeof flowTickets.$inferSelect;

export async function saveTicket(db: D1Database, ticket: Ticket): Promise<void> {
  await drizzle(db)
    .insert(flowTickets)
    .values(ticket)
    .onConflictDoUpdate({ target: flowTickets.id, set: ticket });
}

export async function readTicket(
  db: D1Database,
  userId: number,
  id: string,
): Promise<Ticket | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(flowTickets)
    .where(and(eq(flowTickets.id, id), eq(flowTickets.userId, userId)));
  return row;
}

export async function purgeTickets(db: D1Database, before: number): Promise<void> {
  await drizzle(db).delete(flowTickets).where(lt(flowTickets.createdAt, before));
}
