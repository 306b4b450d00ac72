import { and, eq, notExists, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberships } from "../../db/accounts";
import type { Role } from "./role";
import { isMember, isMemberOf, type MemberRow, readMember } from "./store";

export type MemberChange =
  | { kind: "done"; member: MemberRow }
  | { kind: "unknown" }
  | { kind: "last-owner" };

/** Part of the statement that removes or demotes an owner: true while another owner can sign in. */
const leavesAnOwner = sql`(${memberships.role} <> 'owner' OR EXISTS (
  SELECT 1 FROM memberships AS other WHERE other.organization_id = ${memberships.organizationId}
    AND other.member_id <> ${memberships.memberId} AND other.role = 'owner' AND other.joined_at IS NOT NULL))`;

export async function changeRole(
  db: D1Database,
  organizationId: number,
  id: number,
  role: Role,
): Promise<MemberChange> {
  const changed = await drizzle(db)
    .update(memberships)
    .set({ role })
    .where(and(isMember(organizationId, id), role === "owner" ? undefined : leavesAnOwner))
    .returning({ id: memberships.memberId });
  const member = await readMember(db, organizationId, id);
  if (member === undefined) return { kind: "unknown" };
  return changed.length > 0 ? { kind: "done", member } : { kind: "last-owner" };
}

/**
 * Ends a membership, and with it the sessions that look at this organization. Whoever belongs to no other organization
 * is forgotten; a link to set the password of somebody who does stops working.
 */
export async function removeMember(
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<MemberChange> {
  const member = await readMember(db, organizationId, id);
  if (member === undefined) return { kind: "unknown" };
  const orm = drizzle(db);
  const isStill = eq(members.id, id);
  const [removed] = await orm.batch([
    orm
      .delete(memberships)
      .where(and(isMember(organizationId, id), leavesAnOwner))
      .returning({ id: memberships.memberId }),
    orm
      .update(members)
      .set({ resetHash: null, resetExpiresAt: null })
      .where(and(isStill, notExists(membershipIn(orm, organizationId, id)))),
    orm.delete(members).where(and(isStill, belongsNowhere(orm))),
  ]);
  if (removed.length > 0) return { kind: "done", member };
  return { kind: (await isMemberOf(db, organizationId, id)) ? "last-owner" : "unknown" };
}

type Orm = ReturnType<typeof drizzle>;

const membershipIn = (orm: Orm, organizationId: number, id: number) =>
  orm.select({ id: memberships.memberId }).from(memberships).where(isMember(organizationId, id));

/** True of a row of `members` that no membership names. */
export const belongsNowhere = (orm: Orm): SQL =>
  notExists(
    orm
      .select({ id: memberships.memberId })
      .from(memberships)
      .where(eq(memberships.memberId, members.id)),
  );

export type Transfer = { kind: "done" } | { kind: "not-owner" } | { kind: "not-joined" };

/**
 * Ownership goes from one member to another, in one step: `to` becomes owner and `from` editor. Nothing changes
 * unless `from` is an owner and `to` has accepted their invitation.
 */
export async function transferOwnership(
  db: D1Database,
  organizationId: number,
  { from, to }: { from: number; to: number },
): Promise<Transfer> {
  const given = await db
    .prepare(
      `UPDATE memberships SET role = iif(member_id = ?2, 'editor', 'owner')
       WHERE organization_id = ?1 AND member_id IN (?2, ?3) AND ?2 <> ?3
         AND EXISTS (SELECT 1 FROM memberships WHERE organization_id = ?1 AND member_id = ?2 AND role = 'owner')
         AND EXISTS (SELECT 1 FROM memberships WHERE organization_id = ?1 AND member_id = ?3 AND joined_at IS NOT NULL)`,
    )
    .bind(organizationId, from, to)
    .run();
  if (given.meta.changes > 0) return { kind: "done" };
  const giver = await readMember(db, organizationId, from);
  return { kind: giver?.role === "owner" ? "not-joined" : "not-owner" };
}
