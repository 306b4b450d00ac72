import { and, asc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { oauthApplications } from "../../db/hub";
import { type Keyring, seal, unseal } from "../../db/sealed";
import type { OAuthApp } from "../../values/oauth-app";

/** An organization's OAuth application of a connector. */
export type OwnApp = OAuthApp & { connector: string; updatedAt: number };

/** All applications of an organization, by the key of their connector. */
export async function listApps(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
): Promise<OwnApp[]> {
  const rows = await drizzle(db)
    .select()
    .from(oauthApplications)
    .where(eq(oauthApplications.organizationId, organizationId))
    .orderBy(asc(oauthApplications.connector));
  return rows.map((row) => opened(ring, row));
}

export async function readApp(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  connector: string,
): Promise<OwnApp | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(oauthApplications)
    .where(isApp(organizationId, connector));
  return row && opened(ring, row);
}

/** Stores an application in the place of the one that there was. */
export async function saveApp(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  { connector, key, secret, callbackUrl, updatedAt }: OwnApp,
): Promise<void> {
  const sealed = seal(ring, secret, placeOf({ organizationId, connector }));
  const values = { clientId: key, sealed, callbackUrl, updatedAt };
  await drizzle(db)
    .insert(oauthApplications)
    .values({ organizationId, connector, ...values })
    .onConflictDoUpdate({
      target: [oauthApplications.organizationId, oauthApplications.connector],
      set: values,
    });
}

export async function deleteApp(
  db: D1Database,
  organizationId: number,
  connector: string,
): Promise<void> {
  await drizzle(db).delete(oauthApplications).where(isApp(organizationId, connector));
}

const isApp = (organizationId: number, connector: string) =>
  and(
    eq(oauthApplications.organizationId, organizationId),
    eq(oauthApplications.connector, connector),
  );

type Row = typeof oauthApplications.$inferSelect;

const opened = (ring: Keyring, row: Row): OwnApp => ({
  connector: row.connector,
  key: row.clientId,
  secret: unseal(ring, row.sealed, placeOf(row)),
  callbackUrl: row.callbackUrl,
  updatedAt: row.updatedAt,
});

const placeOf = ({ organizationId, connector }: Pick<Row, "organizationId" | "connector">) =>
  `oauth_applications/${organizationId}/${connector}`;
