import { and, desc, eq, isNotNull, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberships, organizations, users } from "../../db/accounts";
import { foldEmail } from "../email";
import { isOpen, isOpenOrganization } from "../open.store";
import type { Role } from "./role";

/** A member who may sign in, and the organization they look at. */
export type Member = {
  id: number;
  email: string;
  role: Role;
  passwordHash: string;
  organizationId: number;
  organizationName: string;
  /** How many organizations they belong to. */
  organizations: number;
  /** In whose name things are made: the organization's first user, as for its keys. */
  userId: number;
};

/**
 * The member with an e-mail address or id, in the organization that is named, or else in the one they were in last.
 * Undefined also while the invitation is not accepted.
 */
export async function findMember(
  db: D1Database,
  by: { email: string } | { id: number; organizationId?: number },
): Promise<Member | undefined> {
  const [row] = await drizzle(db)
    .select({
      id: members.id,
      email: members.email,
      role: memberships.role,
      passwordHash: members.passwordHash,
      organizationId: organizations.id,
      organizationName: organizations.name,
      organizations: sql<number>`(SELECT count(*) FROM memberships AS other
        WHERE other.member_id = ${members.id} AND other.joined_at IS NOT NULL
          AND ${isOpenOrganization(sql.raw("other.organization_id"))})`,
      userId: users.id,
    })
    .from(members)
    .innerJoin(memberships, and(eq(memberships.memberId, members.id), hasJoined))
    .innerJoin(organizations, and(eq(organizations.id, memberships.organizationId), isOpen))
    .innerJoin(users, and(eq(users.organizationId, organizations.id), eq(users.role, "admin")))
    .where("email" in by ? hasEmail(by.email) : isThere(by))
    // Older rows may differ in case alone: then the one that is spelled exactly so is meant.
    .orderBy(
      ...("email" in by ? [desc(eq(members.email, by.email.trim()))] : []),
      members.id,
      desc(memberships.lastSeenAt),
      organizations.id,
      users.id,
    )
    .limit(1);
  if (row === undefined || row.passwordHash === null) return undefined;
  return { ...row, passwordHash: row.passwordHash };
}

const isThere = ({ id, organizationId }: { id: number; organizationId?: number }) =>
  organizationId === undefined ? eq(members.id, id) : isMember(organizationId, id);

const hasJoined = isNotNull(memberships.joinedAt);

export const hasEmail = (email: string): SQL | undefined =>
  or(eq(members.email, email.trim()), eq(sql`lower(trim(${members.email}))`, foldEmail(email)));

export const isMember = (organizationId: number, memberId: number): SQL | undefined =>
  and(eq(memberships.organizationId, organizationId), eq(memberships.memberId, memberId));

export async function noteSeen(
  db: D1Database,
  member: { id: number; organizationId: number },
  now: number,
): Promise<void> {
  await drizzle(db)
    .update(memberships)
    .set({ lastSeenAt: now })
    .where(isMember(member.organizationId, member.id));
}

/** A member as their organization sees them. `joinedAt` is null until the invitation is accepted. */
export type MemberRow = {
  id: number;
  email: string;
  role: Role;
  joinedAt: number | null;
  invitationExpiresAt: number | null;
  lastSeenAt: number | null;
};

const memberRow = {
  id: members.id,
  email: members.email,
  role: memberships.role,
  joinedAt: memberships.joinedAt,
  invitationExpiresAt: memberships.invitationExpiresAt,
  lastSeenAt: memberships.lastSeenAt,
};

export async function listMembers(db: D1Database, organizationId: number): Promise<MemberRow[]> {
  return drizzle(db)
    .select(memberRow)
    .from(memberships)
    .innerJoin(members, eq(members.id, memberships.memberId))
    .where(eq(memberships.organizationId, organizationId))
    .orderBy(members.id);
}

/** A member of an organization; the invitation need not be accepted yet. */
export async function readMember(
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<MemberRow | undefined> {
  const [row] = await drizzle(db)
    .select(memberRow)
    .from(memberships)
    .innerJoin(members, eq(members.id, memberships.memberId))
    .where(isMember(organizationId, id));
  return row;
}

/** Whether an organization has this member; the invitation need not be accepted yet. */
export async function isMemberOf(
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<boolean> {
  return (await drizzle(db).$count(memberships, isMember(organizationId, id))) > 0;
}

export type OwnOrganization = { id: number; name: string; role: Role; lastSeenAt: number | null };

/** The organizations that a member has joined, by name. */
export async function organizationsOf(
  db: D1Database,
  memberId: number,
): Promise<OwnOrganization[]> {
  return drizzle(db)
    .select({
      id: organizations.id,
      name: organizations.name,
      role: memberships.role,
      lastSeenAt: memberships.lastSeenAt,
    })
    .from(memberships)
    .innerJoin(organizations, and(eq(organizations.id, memberships.organizationId), isOpen))
    .where(and(eq(memberships.memberId, memberId), hasJoined))
    .orderBy(organizations.name, organizations.id);
}
