import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Verifiers of authorization requests whose code has not come back yet (RFC 7636). */
export const oauthVerifiers = sqliteTable(
  "oauth_verifiers",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    /** Hash of organization, connector, client id and callback URL. */
    client: text().notNull(),
    /** Hash of the request's `state`. */
    state: text().notNull(),
    /** The verifier, sealed. */
    sealed: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    index("oauth_verifiers_client").on(table.client),
    index("oauth_verifiers_age").on(table.createdAt),
  ],
);

/**
 * Until migration 0004 a client's authorize URLs all carried the challenge of one verifier, and a row here
 * said that we built one. Only read: those requests may still be on their way.
 */
export const oauthChallenges = sqliteTable("oauth_challenges", {
  /** As `client` above. */
  name: text().primaryKey(),
  createdAt: integer("created_at").notNull(),
});

/** OAuth applications of organizations, by the key of the connector whose accounts consent to them. */
export const oauthApplications = sqliteTable(
  "oauth_applications",
  {
    organizationId: integer("organization_id").notNull(),
    connector: text().notNull(),
    clientId: text("client_id").notNull(),
    /** The client secret, sealed. */
    sealed: text().notNull(),
    callbackUrl: text("callback_url").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.connector] })],
);
