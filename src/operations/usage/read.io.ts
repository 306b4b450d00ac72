import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { tenantsOfSources } from "../../db/belongings";
import { usageByDay, usageBySource } from "../../metering/store";
import { reachAsked } from "../reach-asked.io";
import { byConnector, byTenant, type Summary, summarizeDays, summarizeSources } from "./summary";

/** What usage is told by. */
export const GROUPS = ["source", "connector", "tenant", "day"] as const;

/** Connector keys of an organization's instances, by the instance's id: a room above this one has them. */
export type ConnectorsOf = (db: D1Database, organizationId: number) => Promise<Map<number, string>>;

/** What was done between two instants and what it cost, as far as it is written down and the asker reaches it. */
export async function readUsage(
  c: Context<AskerEnv>,
  { from, to }: { from: number; to: number },
  by: (typeof GROUPS)[number],
  connectorsOf: ConnectorsOf,
): Promise<Summary> {
  const db = c.env.DB;
  const { organizationId } = c.var.asker;
  const span = { organizationId, from, to, of: await reachAsked(c) };
  if (by === "day") return summarizeDays(await usageByDay(db, span));
  const sources = await usageBySource(db, span);
  switch (by) {
    case "source":
      return summarizeSources(sources, (source) => source);
    case "tenant":
      return summarizeSources(sources, byTenant(await tenantsOfSources(db, organizationId)));
    case "connector":
      return summarizeSources(sources, byConnector(await connectorsOf(db, organizationId)));
  }
}
