import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Which instances a vendor's tenant is: an app-wide webhook finds them by what its body names. */
export const inboundRoutes = sqliteTable(
  "inbound_routes",
  {
    /** The connector's key, or the family that shares its URLs. */
    family: text().notNull(),
    /** `portalId`, realm id, `dbid:…`, organization id, company id, webhook id. */
    tenant: text().notNull(),
    instanceId: integer("instance_id").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.family, table.tenant, table.instanceId] }),
    index("inbound_routes_instance").on(table.instanceId),
  ],
);
