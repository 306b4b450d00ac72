import { and, eq, exists, gt, inArray, isNotNull, ne, notExists } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberSessions, memberships } from "../../db/accounts";
import { isOpenOrganization } from "../open.store";
import type { Link } from "./invitations.store";

const noReset = { resetHash: null, resetExpiresAt: null };

/**
 * Sets another password and ends all the member's sessions; a pending reset link stops working.
 * @returns false when the password was changed since the member's was checked.
 */
export async function changePassword(
  db: D1Database,
  member: { id: number; passwordHash: string },
  passwordHash: string,
): Promise<boolean> {
  const orm = drizzle(db);
  const [changed] = await orm.batch([
    orm
      .update(members)
      .set({ passwordHash, ...noReset })
      .where(and(eq(members.id, member.id), eq(members.passwordHash, member.passwordHash)))
      .returning({ id: members.id }),
    orm.delete(memberSessions).where(eq(memberSessions.memberId, member.id)),
  ]);
  return changed.length > 0;
}

/**
 * Makes a link good to set a member's password, and the one before it worthless. Only for members of no other
 * organization: whoever sets the password gets in wherever the member does.
 * @returns false for an unknown member, and for one who has joined another organization.
 */
export async function storeResetLink(
  db: D1Database,
  organizationId: number,
  id: number,
  { hash, expiresAt }: Link,
): Promise<boolean> {
  const orm = drizzle(db);
  const joined = and(eq(memberships.memberId, id), isNotNull(memberships.joinedAt));
  const where = (condition: ReturnType<typeof and>) =>
    orm.select({ id: memberships.memberId }).from(memberships).where(and(joined, condition));
  const stored = await orm
    .update(members)
    .set({ resetHash: hash, resetExpiresAt: expiresAt })
    .where(
      and(
        eq(members.id, id),
        exists(where(eq(memberships.organizationId, organizationId))),
        notExists(where(ne(memberships.organizationId, organizationId))),
      ),
    )
    .returning({ id: members.id });
  return stored.length > 0;
}

/** Whether a member has joined another organization, too: then no single one decides how they sign in. */
export async function hasJoinedElsewhere(
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<boolean> {
  const elsewhere = and(
    eq(memberships.memberId, id),
    isNotNull(memberships.joinedAt),
    ne(memberships.organizationId, organizationId),
  );
  return (await drizzle(db).$count(memberships, elsewhere)) > 0;
}

/** Whose password a link sets, while it is good. */
export type Resetting = { memberId: number; email: string; organizationId: number };

const isReset = (hash: string, now: number) =>
  and(eq(members.resetHash, hash), gt(members.resetExpiresAt, now));

export async function findResetting(
  db: D1Database,
  hash: string,
  now: number,
): Promise<Resetting | undefined> {
  const [row] = await drizzle(db)
    .select({
      memberId: members.id,
      email: members.email,
      organizationId: memberships.organizationId,
    })
    .from(members)
    .innerJoin(
      memberships,
      and(eq(memberships.memberId, members.id), isNotNull(memberships.joinedAt)),
    )
    .where(and(isReset(hash, now), isOpenOrganization(memberships.organizationId)));
  return row;
}

/** Sets the password of the member a link was made for, once, and ends their sessions. @returns false when the link is no longer good. */
export async function resetPassword(
  db: D1Database,
  hash: string,
  passwordHash: string,
  now: number,
): Promise<boolean> {
  const orm = drizzle(db);
  const whose = orm.select({ id: members.id }).from(members).where(isReset(hash, now));
  const [, reset] = await orm.batch([
    orm.delete(memberSessions).where(inArray(memberSessions.memberId, whose)),
    orm
      .update(members)
      .set({ passwordHash, ...noReset })
      .where(isReset(hash, now))
      .returning({ id: members.id }),
  ]);
  return reset.length > 0;
}
