import { and, desc, eq, gt, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberSessions } from "../../db/accounts";
import type { Millis } from "../../values/instant";
import { hashSecret } from "../secret";
import { IDLE_MS, isToBeNoted, LIFE_MS } from "./session";
import { findMember, type Member } from "./store";

export type SessionRow = typeof memberSessions.$inferSelect;

/** The browser's `User-Agent` is cut to this many characters. */
const MOST_CHARACTERS = 256;

const isAlive = (now: Millis) =>
  and(gt(memberSessions.createdAt, now - LIFE_MS), gt(memberSessions.seenAt, now - IDLE_MS));

/**
 * Signs in a member whose password was checked, unless the password was changed since then.
 * @returns the token that the browser keeps; only its digest is stored.
 */
export async function beginSession(
  db: D1Database,
  member: { id: number; passwordHash: string },
  browser: { address: string; userAgent: string },
  now: Millis,
): Promise<string> {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  await db
    .prepare(
      `INSERT INTO member_sessions (id, member_id, token_hash, address, user_agent, created_at, seen_at)
       SELECT ?1, id, ?2, ?3, ?4, ?5, ?5 FROM members WHERE id = ?6 AND password_hash = ?7`,
    )
    .bind(
      crypto.randomUUID(),
      hashSecret(token),
      browser.address,
      browser.userAgent.slice(0, MOST_CHARACTERS),
      now,
      member.id,
      member.passwordHash,
    )
    .run();
  return token;
}

/** Whose token it is, read anew each time: a session that was ended, or a role that was taken, counts at once. */
export async function findSession(
  db: D1Database,
  token: string,
  now: Millis,
): Promise<{ id: string; member: Member } | undefined> {
  const orm = drizzle(db);
  const [session] = await orm
    .select()
    .from(memberSessions)
    .where(and(eq(memberSessions.tokenHash, hashSecret(token)), isAlive(now)));
  if (session === undefined) return undefined;
  const { id, memberId } = session;
  const member = await findMember(db, { id: memberId });
  if (member === undefined) return undefined;
  if (isToBeNoted(session, now))
    await orm.batch([
      orm.update(memberSessions).set({ seenAt: now }).where(eq(memberSessions.id, id)),
      orm.update(members).set({ lastSeenAt: now }).where(eq(members.id, memberId)),
    ]);
  return { id, member };
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
