import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { type Brand, organizations } from "./accounts";

/**
 * Customers of organizations. Instances, end users, destinations, keys and published events may belong to one: their rows
 * name it in `tenant_id`, beside their organization.
 */
export const tenants = sqliteTable(
  "tenants",
  {
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    /** As the organization calls it: `acme`. */
    id: text().notNull(),
    name: text().notNull(),
    metadata: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
    /** Nothing of it is polled, taken in or delivered. */
    disabled: integer({ mode: "boolean" }).notNull().default(false),
    /** Calls a second to each of its destinations that doesn't say itself; null: no limit. */
    rate: real(),
    /** How long events of its sources are kept; null: as long as the organization's. */
    retentionDays: integer("retention_days"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Since when it is being deleted; null: it is there. */
    deletingAt: integer("deleting_at"),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.id] }),
    index("tenants_deleting")
      .on(table.deletingAt)
      .where(sql`deleting_at IS NOT NULL`),
  ],
);

/** Who looks at the portal of a tenant: its people, whom the organization lets in by a link that opens once. */
export const portalSessions = sqliteTable(
  "portal_sessions",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    tenantId: text("tenant_id").notNull(),
    access: text({ enum: ["read", "write"] }).notNull(),
    /** Origins of the pages that may frame it. */
    frameAncestors: text("frame_ancestors", { mode: "json" }).$type<string[]>().notNull(),
    /** How its pages look where that is not as the organization says; null: as it says. */
    brand: text({ mode: "json" }).$type<Brand>(),
    /** Of the link until it is opened, then of the cookie that its browser got in exchange. */
    tokenHash: text("token_hash").notNull(),
    createdAt: integer("created_at").notNull(),
    openedAt: integer("opened_at"),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    uniqueIndex("portal_sessions_token").on(table.tokenHash),
    index("portal_sessions_tenant").on(table.organizationId, table.tenantId),
    index("portal_sessions_expires").on(table.expiresAt),
  ],
);

/** Who connects an account for a tenant: its people, whom the organization lets in by a link that opens once. */
export const connectSessions = sqliteTable(
  "connect_sessions",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    tenantId: text("tenant_id").notNull(),
    /** What its organization asked for, sealed: settings of the instance may be secrets. */
    terms: text().notNull(),
    /** The account that is connected again; else the id that the new one gets, null until somebody connects one. */
    instanceId: integer("instance_id"),
    /** The consent that somebody was sent off to give, sealed; null: none. */
    consent: text(),
    /** Of the link until it is opened, then of the cookie that its browser got in exchange. */
    tokenHash: text("token_hash").notNull(),
    createdAt: integer("created_at").notNull(),
    openedAt: integer("opened_at"),
    connectedAt: integer("connected_at"),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    uniqueIndex("connect_sessions_token").on(table.tokenHash),
    index("connect_sessions_tenant").on(table.organizationId, table.tenantId),
    index("connect_sessions_expires").on(table.expiresAt),
  ],
);
