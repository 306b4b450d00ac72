import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export * from "./connectors";
export * from "./inbound";

/** Who, what, how. Events and deliveries live in the streams' own storage, not here. */

export type OrganizationSettings = {
  "notification.webhook.failure.policy"?: "retry" | "queue";
  "notification.webhook.retry.profile"?: "default" | "long";
  retentionDays?: number;
  operationsCallback?: { url: string };
};

export const organizations = sqliteTable("organizations", {
  id: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull(),
  secretHash: text("secret_hash").notNull().unique(),
  settings: text({ mode: "json" }).$type<OrganizationSettings>().notNull().default({}),
  createdAt: integer("created_at").notNull(),
});

export const users = sqliteTable("users", {
  id: integer().primaryKey({ autoIncrement: true }),
  organizationId: integer("organization_id")
    .notNull()
    .references(() => organizations.id),
  email: text().notNull().unique(),
  firstName: text("first_name").notNull().default(""),
  lastName: text("last_name").notNull().default(""),
  secretHash: text("secret_hash").notNull().unique(),
  passwordHash: text("password_hash").notNull(),
  /** What a user signs in with beside the email; null for those made at bootstrap. */
  username: text().unique(),
  isActive: integer("is_active", { mode: "boolean" }).notNull().default(true),
  plan: text().notNull().default("free"),
  metadata: text({ mode: "json" }).$type<Record<string, unknown>>(),
  /** Tokens of an older version are refused. */
  tokenVersion: integer("token_version").notNull().default(1),
  role: text({ enum: ["admin", "user"] })
    .notNull()
    .default("user"),
  createdAt: integer("created_at").notNull(),
});

export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    keyHash: text("key_hash").notNull().unique(),
    scopes: text({ mode: "json" }).$type<string[]>().notNull(),
    expiresAt: integer("expires_at"),
    lastUsedAt: integer("last_used_at"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("api_keys_organization").on(table.organizationId)],
);

/** Ids that must be known before a row is written (sealed values are bound to them). */
export const counters = sqliteTable("counters", {
  name: text().primaryKey(),
  value: integer().notNull(),
});

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
    /** Minutes between polls; null: not polled. */
    interval: integer(),
    slot: integer(),
    /** Nothing that changed at or before this instant is emitted. */
    baseline: integer().notNull(),
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
    index("instances_schedule")
      .on(table.interval, table.slot)
      .where(sql`interval IS NOT NULL`),
    index("instances_poller_disabled")
      .on(table.organizationId)
      .where(sql`poller_disabled IS NOT NULL`),
  ],
);

export type PollerDisabled = {
  resource: string;
  failureCount: number;
  disabledDate: number;
  lastError: string;
};

/** One row: the last schedule minute that was dispatched. */
export const schedule = sqliteTable("schedule", {
  id: integer().primaryKey(),
  lastMinute: integer("last_minute").notNull(),
});

export type SigningKey = {
  id: string;
  algorithm: "v1" | "v1a";
  /** Sealed `whsec_…` or `whsk_…`. */
  sealed: string;
  createdAt: number;
  expiresAt: number | null;
};

export const destinations = sqliteTable(
  "destinations",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    kind: text({ enum: ["instance", "webhook", "flow-step", "operations"] }).notNull(),
    ownerId: text("owner_id").notNull(),
    url: text(),
    /** Switched off by its owner, or because the receiver asked (410, `disable`). */
    enabled: integer({ mode: "boolean" }).notNull().default(true),
    /** False after deliveries were exhausted: what comes is held until it is released. */
    active: integer({ mode: "boolean" }).notNull().default(true),
    /** Sealed JSON of extra headers, basic credentials included. */
    headersSealed: text("headers_sealed"),
    /** Sealed HMAC key of the connector surface's own signature. */
    legacyKeySealed: text("legacy_key_sealed"),
    signingKeys: text("signing_keys", { mode: "json" }).$type<SigningKey[]>().notNull(),
    policy: text({ mode: "json" }).$type<DestinationPolicy>().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("destinations_organization").on(table.organizationId, table.kind)],
);

/** How a destination wants to be served; absent members take the kind's default. */
export type DestinationPolicy = {
  ordering?: "none" | "object" | "source";
  /** What a dead notification does to those behind it in its order. */
  deadHead?: "skip" | "block";
  ratePerSecond?: number;
  /** Seconds before each try. */
  retrySchedule?: number[];
  filter?: string;
  transform?: string;
};

export * from "./operations";
export * from "./resources";
export * from "./flows";
