import { and, desc, eq, gt, inArray, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberSessions, organizations, users } from "../../db/accounts";
import { foldEmail } from "../email";
import type { Role } from "./role";

export type MemberRow = typeof members.$inferSelect;

/** A member who may sign in, and where they belong. */
export type Member = {
  id: number;
  email: string;
  role: Role;
  passwordHash: string;
  organizationId: number;
  organizationName: string;
  /** In whose name things are made: the organization's first user, as for its keys. */
  userId: number;
};

/** The member with an e-mail address or id; undefined also while their invitation is not accepted. */
export async function findMember(
  db: D1Database,
  by: { email: string } | { id: number },
): Promise<Member | undefined> {
  const [row] = await drizzle(db)
    .select({
      id: members.id,
      email: members.email,
      role: members.role,
      passwordHash: members.passwordHash,
      organizationId: organizations.id,
      organizationName: organizations.name,
      userId: users.id,
    })
    .from(members)
    .innerJoin(organizations, eq(organizations.id, members.organizationId))
    .innerJoin(users, and(eq(users.organizationId, organizations.id), eq(users.role, "admin")))
    .where("email" in by ? hasEmail(by.email) : eq(members.id, by.id))
    // Older rows may differ in case alone: then the one that is spelled exactly so is meant.
    .orderBy(
      ...("email" in by ? [desc(eq(members.email, by.email.trim()))] : []),
      members.id,
      users.id,
    )
    .limit(1);
  if (row === undefined || row.passwordHash === null) return undefined;
  return { ...row, passwordHash: row.passwordHash };
}

const hasEmail = (email: string) =>
  or(eq(members.email, email.trim()), eq(sql`lower(trim(${members.email}))`, foldEmail(email)));

export async function noteSeen(db: D1Database, id: number, now: number): Promise<void> {
  await drizzle(db).update(members).set({ lastSeenAt: now }).where(eq(members.id, id));
}

export async function listMembers(db: D1Database, organizationId: number): Promise<MemberRow[]> {
  return drizzle(db)
    .select()
    .from(members)
    .where(eq(members.organizationId, organizationId))
    .orderBy(members.id);
}

/** @returns undefined when somebody has this e-mail address already. */
export async function inviteMember(
  db: D1Database,
  draft: Pick<MemberRow, "organizationId" | "email" | "role" | "createdAt"> & {
    invitationHash: string;
    invitationExpiresAt: number;
  },
): Promise<MemberRow | undefined> {
  const orm = drizzle(db);
  // Only older rows have capital letters; new ones are stored in lower case, so this check can't race with them.
  if ((await orm.$count(members, hasEmail(draft.email))) > 0) return undefined;
  const row = { ...draft, email: foldEmail(draft.email) };
  const [made] = await orm.insert(members).values(row).onConflictDoNothing().returning();
  return made;
}

const isInvited = (invitationHash: string, now: number) =>
  and(eq(members.invitationHash, invitationHash), gt(members.invitationExpiresAt, now));

/** Whom a one-time link was made for, while it is good. */
export async function findInvited(
  db: D1Database,
  invitationHash: string,
  now: number,
): Promise<MemberRow | undefined> {
  const [row] = await drizzle(db).select().from(members).where(isInvited(invitationHash, now));
  return row;
}

/** Sets the password of the member a link was made for, once, and ends their sessions. @returns the member's id; undefined when the link is no longer good. */
export async function acceptInvitation(
  db: D1Database,
  invitationHash: string,
  passwordHash: string,
  now: number,
): Promise<number | undefined> {
  const orm = drizzle(db);
  const invited = orm
    .select({ id: members.id })
    .from(members)
    .where(isInvited(invitationHash, now));
  const [, [row]] = await orm.batch([
    orm.delete(memberSessions).where(inArray(memberSessions.memberId, invited)),
    orm
      .update(members)
      .set({ passwordHash, invitationHash: null, invitationExpiresAt: null, lastSeenAt: now })
      .where(isInvited(invitationHash, now))
      .returning({ id: members.id }),
  ]);
  return row?.id;
}

export type MemberChange =
  | { kind: "done"; member: MemberRow }
  | { kind: "unknown" }
  | { kind: "last-owner" };

/** Part of the statement that removes or demotes an owner: true while another owner can sign in. */
const leavesAnOwner = sql`(${members.role} <> 'owner' OR EXISTS (
  SELECT 1 FROM members AS other WHERE other.organization_id = ${members.organizationId}
    AND other.id <> ${members.id} AND other.role = 'owner' AND other.password_hash IS NOT NULL))`;

export async function changeRole(
  db: D1Database,
  organizationId: number,
  id: number,
  role: Role,
): Promise<MemberChange> {
  const rows = await drizzle(db)
    .update(members)
    .set({ role })
    .where(and(isMember(organizationId, id), role === "owner" ? undefined : leavesAnOwner))
    .returning();
  return outcome(db, organizationId, id, rows[0]);
}

export async function removeMember(
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<MemberChange> {
  const rows = await drizzle(db)
    .delete(members)
    .where(and(isMember(organizationId, id), leavesAnOwner))
    .returning();
  return outcome(db, organizationId, id, rows[0]);
}

const isMember = (organizationId: number, id: number) =>
  and(eq(members.organizationId, organizationId), eq(members.id, id));

/** Whether an organization has this member; the invitation need not be accepted yet. */
export async function isMemberOf(
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<boolean> {
  return (await drizzle(db).$count(members, isMember(organizationId, id))) > 0;
}

async function outcome(
  db: D1Database,
  organizationId: number,
  id: number,
  changed: MemberRow | undefined,
): Promise<MemberChange> {
  if (changed !== undefined) return { kind: "done", member: changed };
  return { kind: (await isMemberOf(db, organizationId, id)) ? "last-owner" : "unknown" };
}
