import { and, count, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { flows } from "../../db/flows";
import type { Flow } from "../flow";

type Origin = { organizationId: number; originFlowId: string; type: string };

/** What users made of a template. */
export const instancesOf = ({
  organizationId,
  id,
}: Pick<Flow, "organizationId" | "id">): Origin => ({
  organizationId,
  originFlowId: id,
  type: "integration-instance",
});

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
