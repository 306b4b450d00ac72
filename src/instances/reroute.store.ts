import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Connector } from "../connectors/definition";
import { tellDirectory } from "../db/directory/tell";
import { inboundRoutes, instances } from "../db/instances";
import type { Keyring } from "../db/sealed";
import { readInstances } from "./store";
import { routeStatements } from "./tenants.store";
import { chunks } from "../values/lists";

/** Instances rerouted in one batch. */
const AT_ONCE = 50;

/**
 * After a change of a connector's definition: its webhooks may name tenants by other keys now, so all routes are
 * rewritten.
 */
export async function rerouteInstances(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  connector: Connector,
): Promise<void> {
  const rows = await drizzle(db)
    .select({ id: instances.id })
    .from(instances)
    .where(
      and(eq(instances.organizationId, organizationId), eq(instances.elementKey, connector.key)),
    );
  for (const part of chunks(rows, AT_ONCE)) {
    const ids = part.map(({ id }) => id);
    const found = await readInstances(db, ring, ids);
    const [first, ...others] = found.flatMap(({ id, configuration }) => [
      drizzle(db).delete(inboundRoutes).where(eq(inboundRoutes.instanceId, id)),
      ...routeStatements(db, { id, connector, configuration }),
    ]);
    if (first !== undefined) await drizzle(db).batch([first, ...others]);
    await tellDirectory(db, ...ids.map((id) => `instance:${id}` as const));
  }
}
