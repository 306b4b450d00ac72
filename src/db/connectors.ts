import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Connectors that an organization described itself, in the schema of the built-in ones. */
export const userConnectors = sqliteTable(
  "user_connectors",
  {
    id: integer().primaryKey(),
    organizationId: integer("organization_id").notNull(),
    key: text().notNull(),
    /** As it was given, checked; its id is this row's. */
    definition: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [uniqueIndex("user_connectors_key").on(table.organizationId, table.key)],
);

/** Authorize URLs that we built with a challenge (RFC 7636): codes they bring are exchanged with its verifier. */
export const oauthChallenges = sqliteTable("oauth_challenges", {
  /** Hash of organization, connector, client and callback. */
  name: text().primaryKey(),
  createdAt: integer("created_at").notNull(),
});
