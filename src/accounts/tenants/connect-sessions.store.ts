import { and, asc, eq, getTableColumns, gt, inArray, isNotNull, isNull, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { users } from "../../db/accounts";
import { type Keyring, seal, unseal } from "../../db/sealed";
import { connectSessions } from "../../db/tenants";
import type { Millis } from "../../values/instant";
import { isOpenOrganization } from "../open.store";
import { hashSecret } from "../secret";
import {
  type BegunConsent,
  begunConsent,
  type ConnectSession,
  type ConnectTerms,
  connectTerms,
} from "./connect-session";
import { newVisitorToken } from "./portal-session";

/** Makes a session that nobody has opened yet. @returns what opens it. */
export async function createConnectSession(
  db: D1Database,
  ring: Keyring,
  draft: {
    organizationId: number;
    tenantId: string;
    terms: ConnectTerms;
    instanceId: number | null;
  },
  now: Millis,
): Promise<{ token: string; expiresAt: Millis }> {
  const { token, hash, expiresAt } = newVisitorToken(randomBytes(), now);
  const id = crypto.randomUUID();
  const terms = seal(ring, JSON.stringify(draft.terms), placeOf(id, "terms"));
  await drizzle(db)
    .insert(connectSessions)
    .values({ ...draft, id, terms, tokenHash: hash, createdAt: now, expiresAt });
  return { token, expiresAt };
}

/**
 * Opens a session by the token of its link, which then opens nothing any more.
 * @returns the token that the browser keeps; undefined when the link was opened before, is over, or never was one.
 */
export async function openConnectSession(
  db: D1Database,
  token: string,
  now: Millis,
): Promise<{ token: string; expiresAt: Millis } | undefined> {
  const { token: kept, hash, expiresAt } = newVisitorToken(randomBytes(), now);
  const { meta } = await drizzle(db)
    .update(connectSessions)
    .set({ tokenHash: hash, openedAt: now, expiresAt })
    .where(
      and(
        eq(connectSessions.tokenHash, hashSecret(token)),
        isNull(connectSessions.openedAt),
        gt(connectSessions.expiresAt, now),
      ),
    );
  return meta.changes === 0 ? undefined : { token: kept, expiresAt };
}

/** The session of a browser's token, over or not; undefined: there is none any more. */
export async function findConnectSession(
  db: D1Database,
  ring: Keyring,
  token: string,
): Promise<ConnectSession | undefined> {
  const [row] = await drizzle(db)
    .select({ ...getTableColumns(connectSessions), userId: users.id })
    .from(connectSessions)
    .innerJoin(
      users,
      and(eq(users.organizationId, connectSessions.organizationId), eq(users.role, "admin")),
    )
    .where(
      and(
        eq(connectSessions.tokenHash, hashSecret(token)),
        isNotNull(connectSessions.openedAt),
        isOpenOrganization(connectSessions.organizationId),
      ),
    )
    .orderBy(asc(users.id))
    .limit(1);
  if (row === undefined) return undefined;
  const { id, organizationId, tenantId, userId, instanceId, connectedAt, expiresAt } = row;
  const open = (field: "terms" | "consent", text: string): unknown =>
    JSON.parse(unseal(ring, text, placeOf(id, field)));
  return {
    id,
    organizationId,
    tenantId,
    userId,
    terms: connectTerms.parse(open("terms", row.terms)),
    instanceId,
    consent: row.consent === null ? null : begunConsent.parse(open("consent", row.consent)),
    connectedAt,
    expiresAt,
  };
}

/** Takes an id for the instance that a session makes. @returns the one that it has, if it took one before. */
export async function takeInstanceId(
  db: D1Database,
  id: string,
  instanceId: number,
): Promise<number> {
  const isIt = eq(connectSessions.id, id);
  const [, [row]] = await drizzle(db).batch([
    drizzle(db)
      .update(connectSessions)
      .set({ instanceId })
      .where(and(isIt, isNull(connectSessions.instanceId))),
    drizzle(db).select({ taken: connectSessions.instanceId }).from(connectSessions).where(isIt),
  ]);
  return row?.taken ?? instanceId;
}

/** Keeps what a session sent somebody off with, in the place of what it did before. */
export async function keepConsent(
  db: D1Database,
  ring: Keyring,
  id: string,
  consent: BegunConsent,
): Promise<void> {
  const sealed = seal(ring, JSON.stringify(consent), placeOf(id, "consent"));
  await drizzle(db)
    .update(connectSessions)
    .set({ consent: sealed })
    .where(eq(connectSessions.id, id));
}

/** The account is connected: the session shows that, and does nothing more. */
export async function endConnectSession(db: D1Database, id: string, now: Millis): Promise<void> {
  await drizzle(db)
    .update(connectSessions)
    .set({ connectedAt: now, consent: null })
    .where(eq(connectSessions.id, id));
}

/** Deletes up to `limit` sessions that have ended. */
export function prepareConnectExpiry(
  db: D1Database,
  now: Millis,
  limit: number,
): D1PreparedStatement {
  const orm = drizzle(db);
  const { id, expiresAt } = connectSessions;
  const due = orm.select({ id }).from(connectSessions).where(lte(expiresAt, now)).limit(limit);
  const { sql, params } = orm.delete(connectSessions).where(inArray(id, due)).toSQL();
  return db.prepare(sql).bind(...params);
}

const placeOf = (id: string, field: "terms" | "consent"): string =>
  `connect_sessions/${id}/${field}`;
const randomBytes = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32));
