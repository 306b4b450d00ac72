import { sql } from "drizzle-orm";
import { foreignKey, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Who, what, how. Events and deliveries live in the streams' own storage, not here. */

export type OrganizationSettings = {
  "notification.webhook.failure.policy"?: "retry" | "queue";
  "notification.webhook.retry.profile"?: "default" | "long";
  retentionDays?: number;
  /** How many days entries of the audit log are kept. */
  auditDays?: number;
  operationsCallback?: { url: string };
  portal?: Brand;
};

/** How pages for people of tenants look; what is null or absent, as it is said elsewhere. */
export type Brand = {
  name?: string | null | undefined;
  /** An https URL, or a `data:` URL of an image. */
  logo?: string | null | undefined;
  /** `#rrggbb`; in each scheme it is made as dark or light as is needed to be read. */
  accent?: string | null | undefined;
  /** Absent: as the visitor's system has it. */
  scheme?: "light" | "dark" | null | undefined;
};

export const organizations = sqliteTable("organizations", {
  id: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull(),
  secretHash: text("secret_hash").notNull().unique(),
  settings: text({ mode: "json" }).$type<OrganizationSettings>().notNull().default({}),
  createdAt: integer("created_at").notNull(),
  /** Since when it is closed and being deleted; null: it is there. */
  deletingAt: integer("deleting_at"),
});

export const users = sqliteTable(
  "users",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    email: text().notNull().unique(),
    /** When the address was known to be the user's: made by their organization's key, or vouched for. Null: never. */
    emailVerifiedAt: integer("email_verified_at"),
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
    /** The customer of the organization that the user is of. */
    tenantId: text("tenant_id"),
    createdAt: integer("created_at").notNull(),
    /** Since when the user is being deleted; null: they are there. */
    deletingAt: integer("deleting_at"),
  },
  (table) => [
    index("users_tenant")
      .on(table.organizationId, table.tenantId)
      .where(sql`tenant_id IS NOT NULL`),
    index("users_deleting")
      .on(table.deletingAt)
      .where(sql`deleting_at IS NOT NULL`),
    index("users_folded_email").on(sql`lower(trim(${table.email}))`),
    index("users_folded_username").on(sql`lower(trim(${table.username}))`),
  ],
);

/**
 * Who operates organizations: members sign in to the console, and are nobody's end user. A member signs in once,
 * whatever number of organizations they belong to (`memberships`).
 */
export const members = sqliteTable(
  "members",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    email: text().notNull().unique(),
    /** Null until they joined their first organization. */
    passwordHash: text("password_hash"),
    /** Digest of the token of the one-time link to set another password; null once it was used. */
    resetHash: text("reset_hash").unique(),
    resetExpiresAt: integer("reset_expires_at"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("members_folded_email").on(sql`lower(trim(${table.email}))`)],
);

/** Which organizations a member belongs to, and as what. */
export const memberships = sqliteTable(
  "memberships",
  {
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    memberId: integer("member_id")
      .notNull()
      .references(() => members.id, { onDelete: "cascade" }),
    role: text({ enum: ["owner", "editor", "viewer"] }).notNull(),
    /** Null while the invitation is not accepted. */
    joinedAt: integer("joined_at"),
    /** Digest of the invitation's token; null once it was used. */
    invitationHash: text("invitation_hash").unique(),
    invitationExpiresAt: integer("invitation_expires_at"),
    /** When they were last seen in this organization. */
    lastSeenAt: integer("last_seen_at"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.memberId] }),
    index("memberships_member").on(table.memberId),
  ],
);

/** Browsers in which members are signed in, each for as long as its row is there. */
export const memberSessions = sqliteTable(
  "member_sessions",
  {
    id: text().primaryKey(),
    memberId: integer("member_id").notNull(),
    /** The organization that the browser looks at. A session ends with the membership it is for. */
    organizationId: integer("organization_id").notNull(),
    /** Begun by that organization's single sign-on, which says nothing to others: it looks at no other one. */
    isBound: integer("is_bound", { mode: "boolean" }).notNull().default(false),
    /** Digest of the cookie's token. */
    tokenHash: text("token_hash").notNull().unique(),
    /** Where it began; with the browser's own name it tells a member which one this is. */
    address: text().notNull(),
    userAgent: text("user_agent").notNull(),
    createdAt: integer("created_at").notNull(),
    seenAt: integer("seen_at").notNull(),
  },
  (table) => [
    index("member_sessions_member").on(table.memberId),
    index("member_sessions_age").on(table.createdAt),
    index("member_sessions_idle").on(table.seenAt),
    index("member_sessions_organization").on(table.organizationId, table.memberId),
    foreignKey({
      columns: [table.organizationId, table.memberId],
      foreignColumns: [memberships.organizationId, memberships.memberId],
    }).onDelete("cascade"),
  ],
);

/** The authenticator app of a member, whose codes are asked after the password once it is confirmed. */
export const memberTotp = sqliteTable("member_totp", {
  memberId: integer("member_id")
    .primaryKey()
    .references(() => members.id, { onDelete: "cascade" }),
  sealedSecret: text("sealed_secret").notNull(),
  /** The time step of the last code that was accepted: no code of it or of an earlier one is accepted again. */
  lastStep: integer("last_step").notNull().default(0),
  /** Null until a code showed that the app has the secret. */
  confirmedAt: integer("confirmed_at"),
  createdAt: integer("created_at").notNull(),
});

/** Digests of codes for whoever lost the app; each is deleted with its use. */
export const memberRecoveryCodes = sqliteTable(
  "member_recovery_codes",
  {
    memberId: integer("member_id")
      .notNull()
      .references(() => members.id, { onDelete: "cascade" }),
    codeHash: text("code_hash").notNull(),
  },
  (table) => [primaryKey({ columns: [table.memberId, table.codeHash] })],
);

/** Keys with which members sign in instead of with a password (WebAuthn). */
export const memberPasskeys = sqliteTable(
  "member_passkeys",
  {
    id: text().primaryKey(),
    memberId: integer("member_id")
      .notNull()
      .references(() => members.id, { onDelete: "cascade" }),
    /** As the authenticator names it, in base64url. */
    credentialId: text("credential_id").notNull().unique(),
    /** COSE, in base64url. */
    publicKey: text("public_key").notNull(),
    /** How often the authenticator says that it signed; 0: it doesn't count. */
    counter: integer().notNull(),
    /** As its member calls it. */
    name: text().notNull(),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at"),
  },
  (table) => [index("member_passkeys_member").on(table.memberId)],
);

/** Digests of WebAuthn challenges that were answered, until they are over: each is answered once. */
export const usedChallenges = sqliteTable(
  "used_challenges",
  {
    hash: text().primaryKey(),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("used_challenges_age").on(table.expiresAt)],
);

export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text().primaryKey(),
    organizationId: integer("organization_id")
      .notNull()
      .references(() => organizations.id),
    name: text().notNull(),
    keyHash: text("key_hash").notNull().unique(),
    /** Digest of the secret before the last rotation, which is good until then. */
    previousHash: text("previous_hash").unique(),
    previousExpiresAt: integer("previous_expires_at"),
    scopes: text({ mode: "json" }).$type<string[]>().notNull(),
    /** Null: none. */
    limits: text({ mode: "json" }).$type<{
      sources: string[];
      destinations: string[];
      /** Absent in keys of before there were tenants. */
      tenants?: string[];
    }>(),
    expiresAt: integer("expires_at"),
    lastUsedAt: integer("last_used_at"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("api_keys_organization").on(table.organizationId)],
);

/** Failed sign-ins, counted by user name and by address until `until`. */
export const signInFailures = sqliteTable(
  "sign_in_failures",
  {
    key: text().primaryKey(),
    count: integer().notNull(),
    until: integer().notNull(),
  },
  (table) => [index("sign_in_failures_age").on(table.until)],
);

export const audit = sqliteTable(
  "audit",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    organizationId: integer("organization_id").notNull(),
    at: integer().notNull(),
    actor: text().notNull(),
    /** The IP address it was done from; null: unknown. */
    address: text(),
    action: text().notNull(),
    target: text().notNull(),
    /** Whose it is: a tenant of the organization's. */
    tenantId: text("tenant_id"),
    /** `METHOD route`; null in entries from before there was `action` apart from it. */
    route: text(),
    requestId: text("request_id").notNull(),
    changes: text({ mode: "json" }).$type<string[]>().notNull(),
    /** What differs, as it was and as it is, secrets masked; null in entries from before these were kept. */
    differences: text({ mode: "json" }).$type<{
      before: Record<string, unknown>;
      after: Record<string, unknown>;
    }>(),
  },
  (table) => [
    index("audit_organization").on(table.organizationId, table.at),
    index("audit_actor").on(table.organizationId, table.actor, table.at),
    index("audit_action").on(table.organizationId, table.action, table.at),
    index("audit_tenant")
      .on(table.organizationId, table.tenantId, table.at)
      .where(sql`tenant_id IS NOT NULL`),
  ],
);
