import { and, eq, gt, inArray, isNotNull, isNull, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { portalSessions } from "../../db/tenants";
import type { Millis } from "../../values/instant";
import { hashSecret } from "../secret";
import { newVisitorToken, type PortalSession } from "./portal-session";

/** Makes a session that nobody has opened yet. @returns what opens it. */
export async function createPortalSession(
  db: D1Database,
  draft: Omit<PortalSession, "id" | "expiresAt">,
  now: Millis,
): Promise<{ token: string; expiresAt: Millis }> {
  const { token, hash, expiresAt } = newVisitorToken(randomBytes(), now);
  await drizzle(db)
    .insert(portalSessions)
    .values({ ...draft, id: crypto.randomUUID(), tokenHash: hash, createdAt: now, expiresAt });
  return { token, expiresAt };
}

/**
 * Opens a session by the token of its link, which then opens nothing any more.
 * @returns the token that the browser keeps; undefined when the link was opened before, is over, or never was one.
 */
export async function openPortalSession(
  db: D1Database,
  token: string,
  now: Millis,
): Promise<{ token: string; expiresAt: Millis } | undefined> {
  const { token: kept, hash, expiresAt } = newVisitorToken(randomBytes(), now);
  const { meta } = await drizzle(db)
    .update(portalSessions)
    .set({ tokenHash: hash, openedAt: now, expiresAt })
    .where(
      and(
        eq(portalSessions.tokenHash, hashSecret(token)),
        isNull(portalSessions.openedAt),
        gt(portalSessions.expiresAt, now),
      ),
    );
  return meta.changes === 0 ? undefined : { token: kept, expiresAt };
}

/** The session of a browser's token, over or not; undefined: there is none any more. */
export async function findPortalSession(
  db: D1Database,
  token: string,
): Promise<PortalSession | undefined> {
  const { id, organizationId, tenantId, access, frameAncestors, brand, expiresAt } = portalSessions;
  const [session] = await drizzle(db)
    .select({ id, organizationId, tenantId, access, frameAncestors, brand, expiresAt })
    .from(portalSessions)
    .where(
      and(eq(portalSessions.tokenHash, hashSecret(token)), isNotNull(portalSessions.openedAt)),
    );
  return session;
}

/** Deletes up to `limit` sessions that have ended. */
export function preparePortalExpiry(
  db: D1Database,
  now: Millis,
  limit: number,
): D1PreparedStatement {
  const orm = drizzle(db);
  const { id, expiresAt } = portalSessions;
  const due = orm.select({ id }).from(portalSessions).where(lte(expiresAt, now)).limit(limit);
  const { sql, params } = orm.delete(portalSessions).where(inArray(id, due)).toSQL();
  return db.prepare(sql).bind(...params);
}

const randomBytes = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32));
