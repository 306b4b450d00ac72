import { and, eq, gt, inArray, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberSessions, memberships } from "../../db/accounts";
import { foldEmail } from "../email";
import { isOpenOrganization } from "../open.store";
import type { Role } from "./role";
import { hasEmail, isMember, type MemberRow, readMember } from "./store";

/** A one-time link as it is stored: the digest of its token, and until when it is good. */
export type Link = { hash: string; expiresAt: number };

/**
 * Invites somebody, who may be a member of other organizations already.
 * @returns undefined when this organization has invited this e-mail address before.
 */
export async function inviteMember(
  db: D1Database,
  draft: { organizationId: number; email: string; role: Role; link: Link },
  now: number,
): Promise<MemberRow | undefined> {
  const orm = drizzle(db);
  const { organizationId, role, link } = draft;
  // Only older rows have capital letters; new ones are stored in lower case, so that two who invite at once meet.
  const known = orm.select({ id: members.id }).from(members).where(hasEmail(draft.email)).limit(1);
  if ((await known).length === 0)
    await orm
      .insert(members)
      .values({ email: foldEmail(draft.email), createdAt: now })
      .onConflictDoNothing();
  const [member] = await known;
  if (member === undefined) throw new Error("An invited member is gone");
  const [made] = await orm
    .insert(memberships)
    .values({
      organizationId,
      memberId: member.id,
      role,
      invitationHash: link.hash,
      invitationExpiresAt: link.expiresAt,
      createdAt: now,
    })
    .onConflictDoNothing()
    .returning({ id: memberships.memberId });
  return made === undefined ? undefined : readMember(db, organizationId, made.id);
}

/** Makes a new invitation good, and the one before it worthless. @returns undefined unless one is open. */
export async function renewInvitation(
  db: D1Database,
  organizationId: number,
  id: number,
  { hash, expiresAt }: Link,
): Promise<MemberRow | undefined> {
  const [renewed] = await drizzle(db)
    .update(memberships)
    .set({ invitationHash: hash, invitationExpiresAt: expiresAt })
    .where(and(isMember(organizationId, id), isNull(memberships.joinedAt)))
    .returning({ id: memberships.memberId });
  return renewed === undefined ? undefined : readMember(db, organizationId, id);
}

/** Whom an invitation was made for. `isKnown`: they have a password already, so they join by signing in. */
export type Invited = { memberId: number; email: string; organizationId: number; isKnown: boolean };

const isInvited = (hash: string, now: number) =>
  and(
    eq(memberships.invitationHash, hash),
    gt(memberships.invitationExpiresAt, now),
    isOpenOrganization(memberships.organizationId),
  );

/** Whom an invitation was made for, while it is good. */
export async function findInvited(
  db: D1Database,
  hash: string,
  now: number,
): Promise<Invited | undefined> {
  const [row] = await drizzle(db)
    .select({
      memberId: members.id,
      email: members.email,
      organizationId: memberships.organizationId,
      passwordHash: members.passwordHash,
    })
    .from(memberships)
    .innerJoin(members, eq(members.id, memberships.memberId))
    .where(isInvited(hash, now));
  if (row === undefined) return undefined;
  const { passwordHash, ...invited } = row;
  return { ...invited, isKnown: passwordHash !== null };
}

const accepted = (now: number) => ({
  joinedAt: now,
  lastSeenAt: now,
  invitationHash: null,
  invitationExpiresAt: null,
});

/**
 * A member who had no password sets one and joins, once.
 * @returns false when the invitation is no longer good, or they have a password meanwhile.
 */
export async function joinWithPassword(
  db: D1Database,
  hash: string,
  passwordHash: string,
  now: number,
): Promise<boolean> {
  const orm = drizzle(db);
  const invited = orm
    .select({ id: memberships.memberId })
    .from(memberships)
    .where(isInvited(hash, now));
  const known = orm
    .select({ id: members.id })
    .from(members)
    .where(eq(members.passwordHash, passwordHash));
  const [, joined] = await orm.batch([
    orm
      .update(members)
      .set({ passwordHash })
      .where(and(isNull(members.passwordHash), inArray(members.id, invited))),
    orm
      .update(memberships)
      .set(accepted(now))
      .where(and(isInvited(hash, now), inArray(memberships.memberId, known)))
      .returning({ id: memberships.memberId }),
  ]);
  return joined.length > 0;
}

/**
 * A member who is signed in joins another organization, and `sessionId` looks at it from now on. A link to set their
 * password that one organization alone could make stops working.
 * @returns false when the invitation is no longer good, or another's.
 */
export async function joinAs(
  db: D1Database,
  { memberId, organizationId }: Pick<Invited, "memberId" | "organizationId">,
  { hash, sessionId }: { hash: string; sessionId: string },
  now: number,
): Promise<boolean> {
  const orm = drizzle(db);
  const [joined] = await orm.batch([
    orm
      .update(memberships)
      .set(accepted(now))
      .where(and(isInvited(hash, now), eq(memberships.memberId, memberId)))
      .returning({ id: memberships.memberId }),
    orm
      .update(members)
      .set({ resetHash: null, resetExpiresAt: null })
      .where(eq(members.id, memberId)),
  ]);
  if (joined.length === 0) return false;
  await orm
    .update(memberSessions)
    .set({ organizationId })
    .where(and(eq(memberSessions.id, sessionId), eq(memberSessions.memberId, memberId)));
  return true;
}
