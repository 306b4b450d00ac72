import { and, eq, lt, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { memberPasskeys, usedChallenges } from "../../db/accounts";
import type { Millis } from "../../values/instant";

export type PasskeyRow = typeof memberPasskeys.$inferSelect;

/** A member has at most so many. */
const MOST_PASSKEYS = 20;

/** A member's passkeys, oldest first. */
export async function listPasskeys(db: D1Database, memberId: number): Promise<PasskeyRow[]> {
  return drizzle(db)
    .select()
    .from(memberPasskeys)
    .where(eq(memberPasskeys.memberId, memberId))
    .orderBy(memberPasskeys.createdAt, memberPasskeys.id);
}

export async function findPasskey(
  db: D1Database,
  credentialId: string,
): Promise<PasskeyRow | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(memberPasskeys)
    .where(eq(memberPasskeys.credentialId, credentialId));
  return row;
}

/** @returns false when somebody has this key already, or the member has as many as one may have. */
export async function insertPasskey(
  db: D1Database,
  row: Omit<PasskeyRow, "lastUsedAt">,
): Promise<boolean> {
  const orm = drizzle(db);
  if (
    (await orm.$count(memberPasskeys, eq(memberPasskeys.memberId, row.memberId))) >= MOST_PASSKEYS
  )
    return false;
  const made = await orm
    .insert(memberPasskeys)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: memberPasskeys.id });
  return made.length > 0;
}

/**
 * Notes that a key was used, and its new count. @returns false when the count doesn't go on from the last one: two
 * have the key (WebAuthn, section 6.1.1), or the key is gone.
 */
export async function noteUse(
  db: D1Database,
  id: string,
  counter: number,
  now: Millis,
): Promise<boolean> {
  const goesOn = or(
    lt(memberPasskeys.counter, counter),
    and(eq(memberPasskeys.counter, 0), sql`${counter} = 0`),
  );
  const used = await drizzle(db)
    .update(memberPasskeys)
    .set({ counter, lastUsedAt: now })
    .where(and(eq(memberPasskeys.id, id), goesOn))
    .returning({ id: memberPasskeys.id });
  return used.length > 0;
}

/** Removes a member's passkeys: all, or one. @returns those that were there. */
export async function removePasskeys(
  db: D1Database,
  memberId: number,
  only?: string,
): Promise<PasskeyRow[]> {
  return drizzle(db)
    .delete(memberPasskeys)
    .where(
      and(
        eq(memberPasskeys.memberId, memberId),
        only === undefined ? undefined : eq(memberPasskeys.id, only),
      ),
    )
    .returning();
}

/** Uses a challenge up. @returns false when it was used. */
export async function useChallenge(
  db: D1Database,
  hash: string,
  expiresAt: Millis,
): Promise<boolean> {
  const used = await drizzle(db)
    .insert(usedChallenges)
    .values({ hash, expiresAt })
    .onConflictDoNothing()
    .returning({ hash: usedChallenges.hash });
  return used.length > 0;
}

/** Forgets up to `limit` challenges that are over anyway. */
export const prepareChallengeExpiry = (
  db: D1Database,
  now: Millis,
  limit: number,
): D1PreparedStatement =>
  db
    .prepare(
      `DELETE FROM used_challenges WHERE rowid IN
         (SELECT rowid FROM used_challenges WHERE expires_at <= ? LIMIT ?)`,
    )
    .bind(now, limit);
