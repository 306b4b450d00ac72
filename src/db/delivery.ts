import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { organizations } from "./accounts";

/**
 * SQL of a destination to which nothing arrives, though its owner did not switch it off: queries that say it so read an
 * index, in which those that are switched off come first.
 */
export const IS_TROUBLED =
  "failing IS NOT NULL OR ((enabled = 0 OR active = 0) AND coalesce(paused ->> '$.by', '') <> 'owner')";

export const destinations = sqliteTable(
  "destinations",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    kind: text({
      enum: ["instance", "subscription", "webhook", "flow-step", "operations", "endpoint"],
    }).notNull(),
    ownerId: text("owner_id").notNull(),
    url: text(),
    /** Switched off by its owner, or because the receiver asked (410, `disable`). */
    enabled: integer({ mode: "boolean" }).notNull().default(true),
    /** False after deliveries were exhausted: what comes is held until it is released. */
    active: integer({ mode: "boolean" }).notNull().default(true),
    /** Who or what switched it off; null when it is on, or was switched off by a version that did not note it. */
    paused: text({ mode: "json" }).$type<{
      by: "owner" | "receiver" | "exhaustion";
      since: number;
      because: string;
    }>(),
    /** Since when nothing has been delivered though something was tried, and the first failure. */
    failing: text({ mode: "json" }).$type<{ since: number; because: string }>(),
    /** Sealed JSON of extra headers, basic credentials included. */
    headersSealed: text("headers_sealed"),
    /** Sealed HMAC key of the connector surface's own signature. */
    legacyKeySealed: text("legacy_key_sealed"),
    signingKeys: text("signing_keys", { mode: "json" }).$type<SigningKey[]>().notNull(),
    policy: text({ mode: "json" }).$type<DestinationPolicy>().notNull(),
    /**
     * The customer of the organization that it belongs to: an endpoint's own, else that of its instance or of its flow's
     * user, which triggers of the database write here (migration 0027).
     */
    tenantId: text("tenant_id"),
    /** Of endpoints, as the following three. Chosen by its owner; no two of an organization have the same. */
    name: text(),
    description: text(),
    metadata: text({ mode: "json" }).$type<Record<string, unknown>>(),
    selectors: text({ mode: "json" }).$type<Selectors>(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("destinations_organization").on(table.organizationId, table.kind, table.id),
    index("destinations_list").on(table.organizationId, table.id),
    index("destinations_owner").on(table.ownerId, table.kind),
    index("destinations_troubled")
      .on(table.organizationId, table.enabled, table.active)
      .where(sql.raw(IS_TROUBLED)),
    index("destinations_tenant")
      .on(table.organizationId, table.tenantId)
      .where(sql`kind = 'endpoint'`),
    index("destinations_of_tenant")
      .on(table.organizationId, table.tenantId, table.id)
      .where(sql`tenant_id IS NOT NULL`),
    // A name is that of one destination of a tenant, and of one of no tenant.
    uniqueIndex("destinations_name")
      .on(table.organizationId, table.tenantId, table.name)
      .where(sql`name IS NOT NULL AND tenant_id IS NOT NULL`),
    uniqueIndex("destinations_name_of_none")
      .on(table.organizationId, table.name)
      .where(sql`name IS NOT NULL AND tenant_id IS NULL`),
  ],
);

/** How a destination wants to be served; absent members take the kind's default. */
export type DestinationPolicy = {
  ordering?: "none" | "object" | "source";
  /** What a dead notification does to those behind it in its order. */
  deadHead?: "skip" | "block";
  ratePerSecond?: number;
  /** Seconds before each try. */
  retrySchedule?: number[];
  /** When exhausted tries switch it off: at once, never, or after failures that span so many days. */
  deactivate?: "exhausted" | "never" | number;
  filter?: string;
  transform?: string;
  /** Of an endpoint: as what, in which version and how many at a time its events are told. */
  format?: "tributary" | "cloudevents-structured" | "cloudevents-binary" | "raw";
  schemaVersion?: number;
  batch?: { size: number; waitMs: number };
  debounceMs?: number;
  /** Of an endpoint: how long a call may take. */
  timeoutMs?: number;
  /** Of an endpoint: so many calls at a time. */
  concurrency?: number;
  /** Of an endpoint; `sealed`: the profile's own secret. */
  signature?: SignatureProfile & { sealed?: string };
  /** Of an endpoint: how its calls prove who makes them, sealed as a whole. */
  auth?: string;
  /** What a subscription is for. */
  topics?: string[];
};

/** How an endpoint's calls are signed beside the Standard Webhooks headers: as its receiver knows it of another sender. */
export type SignatureProfile = {
  header: string;
  /** What stands before each signature; `${timestamp}` and `${id}` are filled in. */
  prefix: string;
  /** Each of the live keys signs, with this between the signatures; absent: the newest alone. */
  separator?: " " | ",";
  encoding: "hex" | "base64";
  algorithm: "sha256" | "sha1" | "sha512";
  /** What is signed; `${body}`, `${timestamp}` and `${id}` are filled in. */
  content: string;
  /** How the bytes of the key are written in it. */
  keyFormat: "text" | "base64" | "hex" | "whsec";
  /** Carries the try's time, in seconds. */
  timestampHeader?: string;
  idHeader?: string;
};

/** Which events an endpoint hears of: those of one of the sources, of one of the types, on one of the channels. */
export type Selectors = {
  /** `instance:27`, `connector:box`, `tenant:acme`, `user:*`, `scope:<group>/<Kind>/<name>`, `publish` … */
  sources: string[];
  /** Names, in which `*` stands for any run of characters. */
  eventTypes: string[];
  /** Empty: events of all channels, and of none. */
  channels: string[];
};

export type SigningKey = {
  id: string;
  algorithm: "v1" | "v1a";
  /** Sealed `whsec_…` or `whsk_…`. */
  sealed: string;
  createdAt: number;
  expiresAt: number | null;
};

/**
 * What operators look at over all streams. Fed by exceptions and by counts that are written once a while:
 * a successful delivery writes no row here.
 */

/** Notifications that failed at least once and are not delivered since. */
export const exceptions = sqliteTable(
  "exceptions",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id").notNull(),
    stream: text().notNull(),
    destinationId: text("destination_id").notNull(),
    status: text({ enum: ["retrying", "held", "dead"] }).notNull(),
    reason: text(),
    attempts: integer().notNull(),
    nextAttemptAt: integer("next_attempt_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("exceptions_organization").on(table.organizationId, table.updatedAt),
    index("exceptions_destination").on(table.organizationId, table.destinationId, table.updatedAt),
  ],
);
