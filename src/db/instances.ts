import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { organizations, users } from "./accounts";

/** SQL of an instance that is on, and that cannot get what it should: queries that say it so read an index. */
export const IS_TROUBLED =
  "disabled = 0 AND (valid = 0 OR poller_disabled IS NOT NULL OR registration_fault IS NOT NULL)";

export const instances = sqliteTable(
  "instances",
  {
    id: integer().primaryKey(),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    userId: integer("user_id")
      .notNull()
      .references(() => users.id),
    elementKey: text("element_key").notNull(),
    name: text().notNull(),
    tags: text({ mode: "json" }).$type<string[]>().notNull(),
    /** The customer of the organization that it belongs to, as a tag says: `tenant:acme`. */
    tenantId: text("tenant_id"),
    tokenHash: text("token_hash").notNull(),
    tokenSealed: text("token_sealed").notNull(),
    /** Configuration as the contract prints it: text or null. Secrets are not in here. */
    configuration: text({ mode: "json" }).$type<Record<string, string | null>>().notNull(),
    /** Configuration key → sealed value. */
    secrets: text({ mode: "json" }).$type<Record<string, string>>().notNull(),
    externalAuthentication: text("external_authentication").notNull().default("none"),
    valid: integer({ mode: "boolean" }).notNull(),
    invalidReason: text("invalid_reason"),
    disabled: integer({ mode: "boolean" }).notNull().default(false),
    /** Set while the poller is switched off after too many failures in a row. */
    pollerDisabled: text("poller_disabled", { mode: "json" }).$type<PollerDisabled>(),
    /** Set while webhooks that the instance wants could not be made at the vendor. */
    registrationFault: text("registration_fault", { mode: "json" }).$type<RegistrationFault>(),
    /** Minutes between polls; null: not polled. */
    interval: integer(),
    slot: integer(),
    /** Nothing that changed at or before this instant is emitted. */
    baseline: integer().notNull(),
    /** Set when webhooks took over from polls: what changed after this instant, no poll tells. */
    pollsUntil: integer("polls_until"),
    /** When it was last switched on: failures before this instant no longer count. */
    enabledAt: integer("enabled_at").notNull(),
    /** A token refresh in progress elsewhere holds this until then. */
    refreshLeaseUntil: integer("refresh_lease_until").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    uniqueIndex("instances_token").on(table.tokenHash),
    index("instances_organization").on(table.organizationId, table.id),
    index("instances_tenant")
      .on(table.organizationId, table.tenantId)
      .where(sql`tenant_id IS NOT NULL`),
    index("instances_schedule")
      .on(table.interval, table.slot)
      .where(sql`interval IS NOT NULL`),
    index("instances_poller_disabled")
      .on(table.organizationId)
      .where(sql`poller_disabled IS NOT NULL`),
    index("instances_troubled").on(table.organizationId, table.id).where(sql.raw(IS_TROUBLED)),
  ],
);

export type PollerDisabled = {
  resource: string;
  failureCount: number;
  disabledDate: number;
  lastError: string;
};

/** Since when items have no webhook, how many, and of the first ones the vendor's words. */
export type RegistrationFault = {
  since: number;
  count: number;
  items: { item: string; message: string }[];
};

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
