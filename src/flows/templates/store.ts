import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flows, flowTickets } from "../../db/schema";
import type { Flow } from "../flow";

/** The flows of one type that were made from another: the instances of a template, whoever activated them. */
export function flowsFrom(
  db: D1Database,
  organizationId: number,
  templateId: string,
  type: string,
  limit: number,
): Promise<Flow[]> {
  return drizzle(db)
    .select()
    .from(flows)
    .where(
      and(
        eq(flows.originFlowId, templateId),
        eq(flows.organizationId, organizationId),
        sql`origin_flow_id IS NOT NULL`,
        eq(flows.type, type),
      ),
    )
    .orderBy(flows.id)
    .limit(limit);
}

type Ticket = typeof flowTickets.$inferSelect;

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
