import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberSessions } from "../../db/accounts";
import type { MemberRow } from "./store";

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
      .set({ passwordHash, invitationHash: null, invitationExpiresAt: null })
      .where(and(eq(members.id, member.id), eq(members.passwordHash, member.passwordHash)))
      .returning({ id: members.id }),
    orm.delete(memberSessions).where(eq(memberSessions.memberId, member.id)),
  ]);
  return changed.length > 0;
}

/** Makes a one-time link good, and the one before it worthless. @returns undefined for an unknown member. */
export async function storeLink(
  db: D1Database,
  organizationId: number,
  id: number,
  link: { invitationHash: string; invitationExpiresAt: number },
): Promise<MemberRow | undefined> {
  const [row] = await drizzle(db)
    .update(members)
    .set(link)
    .where(and(eq(members.organizationId, organizationId), eq(members.id, id)))
    .returning();
  return row;
}
