import { and, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flowTickets } from "../../db/flows";

/** Work on the instances of a template, and how far it is. */
export type Ticket = typeof flowTickets.$inferSelect;

export async function createTicket(db: D1Database, ticket: Ticket): Promise<void> {
  await drizzle(db).insert(flowTickets).values(ticket);
}

/** Moves a ticket on from where it was read, unless somebody else did. @returns whether it was moved. */
export async function moveTicket(db: D1Database, from: Ticket, to: Ticket): Promise<boolean> {
  const rows = await drizzle(db)
    .update(flowTickets)
    .set(to)
    .where(
      and(
        eq(flowTickets.id, from.id),
        eq(flowTickets.lastId, from.lastId),
        eq(flowTickets.status, "running"),
      ),
    )
    .returning({ id: flowTickets.id });
  return rows.length > 0;
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

/** Unfinished ones, oldest first. */
export function readOpenTickets(db: D1Database, limit: number): Promise<Ticket[]> {
  return drizzle(db)
    .select()
    .from(flowTickets)
    .where(eq(flowTickets.status, "running"))
    .orderBy(flowTickets.createdAt)
    .limit(limit);
}

export async function purgeTickets(db: D1Database, before: number): Promise<void> {
  await drizzle(db).delete(flowTickets).where(lt(flowTickets.createdAt, before));
}
