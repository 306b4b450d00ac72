import { and, desc, eq, exists, gt, isNotNull, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { memberSessions, memberships } from "../../db/accounts";
import type { Millis } from "../../values/instant";
import { hashSecret } from "../secret";
import { IDLE_MS, isToBeNoted, LIFE_MS } from "./session";
import { findMember, isMember, type Member } from "./store";

export type SessionRow = typeof memberSessions.$inferSelect;

/** The browser's `User-Agent` is cut to this many characters. */
const MOST_CHARACTERS = 256;

const isAlive = (now: Millis) =>
  and(gt(memberSessions.createdAt, now - LIFE_MS), gt(memberSessions.seenAt, now - IDLE_MS));

/**
 * Signs in a member whose password was checked, unless the password was changed or the membership ended since then.
 * @returns the token that the browser keeps; only its digest is stored.
 */
export async function beginSession(
  db: D1Database,
  member: { id: number; organizationId: number; passwordHash: string; isBound?: boolean },
  browser: { address: string; userAgent: string },
  now: Millis,
): Promise<string> {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  await db
    .prepare(
      `INSERT INTO member_sessions (id, member_id, organization_id, token_hash, address, user_agent, created_at, seen_at, is_bound)
       SELECT ?1, m.id, s.organization_id, ?2, ?3, ?4, ?5, ?5, ?9 FROM members AS m
       JOIN memberships AS s ON s.member_id = m.id AND s.organization_id = ?8 AND s.joined_at IS NOT NULL
       WHERE m.id = ?6 AND m.password_hash = ?7`,
    )
    .bind(
      crypto.randomUUID(),
      hashSecret(token),
      browser.address,
      browser.userAgent.slice(0, MOST_CHARACTERS),
      now,
      member.id,
      member.passwordHash,
      member.organizationId,
      member.isBound === true ? 1 : 0,
    )
    .run();
  return token;
}

/** Whose token it is, read anew each time: a session that was ended, or a role that was taken, counts at once. */
export async function findSession(
  db: D1Database,
  token: string,
  now: Millis,
): Promise<{ id: string; member: Member; isBound: boolean } | undefined> {
  const orm = drizzle(db);
  const [session] = await orm
    .select()
    .from(memberSessions)
    .where(and(eq(memberSessions.tokenHash, hashSecret(token)), isAlive(now)));
  if (session === undefined) return undefined;
  const { id, memberId, organizationId, isBound } = session;
  const member = await findMember(db, { id: memberId, organizationId });
  if (member === undefined) return undefined;
  if (isToBeNoted(session, now))
    await orm.batch([
      orm.update(memberSessions).set({ seenAt: now }).where(eq(memberSessions.id, id)),
      orm.update(memberships).set({ lastSeenAt: now }).where(isMember(organizationId, memberId)),
    ]);
  return { id, member, isBound };
}

/** A session looks at another organization of its member. @returns false when they don't belong to it, or the session is bound to its own. */
export async function switchOrganization(
  db: D1Database,
  session: { id: string; memberId: number },
  organizationId: number,
  now: Millis,
): Promise<boolean> {
  const orm = drizzle(db);
  const joined = orm
    .select({ id: memberships.organizationId })
    .from(memberships)
    .where(and(isMember(organizationId, session.memberId), isNotNull(memberships.joinedAt)));
  const [switched] = await orm.batch([
    orm
      .update(memberSessions)
      .set({ organizationId })
      .where(
        and(
          eq(memberSessions.id, session.id),
          eq(memberSessions.memberId, session.memberId),
          eq(memberSessions.isBound, false),
          exists(joined),
        ),
      )
      .returning({ id: memberSessions.id }),
    orm
      .update(memberships)
      .set({ lastSeenAt: now })
      .where(and(isMember(organizationId, session.memberId), isNotNull(memberships.joinedAt))),
  ]);
  return switched.length > 0;
}

/** A member's sessions that have not ended, newest first. */
export async function listSessions(
  db: D1Database,
  memberId: number,
  now: Millis,
): Promise<SessionRow[]> {
  return drizzle(db)
    .select()
    .from(memberSessions)
    .where(and(eq(memberSessions.memberId, memberId), isAlive(now)))
    .orderBy(desc(memberSessions.createdAt), memberSessions.id);
}

/** Ends a member's sessions: all, one, or all but one. @returns those that were there. */
export async function endSessions(
  db: D1Database,
  memberId: number,
  which: { only?: string; except?: string } = {},
): Promise<SessionRow[]> {
  const { only, except } = which;
  return drizzle(db)
    .delete(memberSessions)
    .where(
      and(
        eq(memberSessions.memberId, memberId),
        only === undefined ? undefined : eq(memberSessions.id, only),
        except === undefined ? undefined : ne(memberSessions.id, except),
      ),
    )
    .returning();
}

/** Deletes up to `limit` sessions that have ended. */
export const prepareSessionExpiry = (
  db: D1Database,
  now: Millis,
  limit: number,
): D1PreparedStatement =>
  db
    .prepare(
      `DELETE FROM member_sessions WHERE rowid IN
         (SELECT rowid FROM member_sessions WHERE created_at <= ? OR seen_at <= ? LIMIT ?)`,
    )
    .bind(now - LIFE_MS, now - IDLE_MS, limit);
