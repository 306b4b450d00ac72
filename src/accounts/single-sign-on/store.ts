import { and, eq, gt, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { members, memberships } from "../../db/accounts";
import type { Millis } from "../../values/instant";
import type { Role } from "../members/role";
import { findMember, hasEmail, isMember, type Member } from "../members/store";

/** In the place of a password's digest, for members who have none: no password has it. */
const noPassword = (): string => `none$${crypto.randomUUID()}`;

/** `isNew`: they have just become a member, with this. */
export type Admitted = { member: Member; isNew: boolean };

/**
 * The member of an organization whom somebody vouched for. Who is none becomes one: by an invitation that is open, in
 * its role; else in `role`. @returns undefined for whoever is no member, wasn't invited and has no role.
 */
export async function admit(
  db: D1Database,
  organizationId: number,
  { email, role }: { email: string; role: Role | undefined },
  now: Millis,
): Promise<Admitted | undefined> {
  const orm = drizzle(db);
  const known = orm.select({ id: members.id }).from(members).where(hasEmail(email)).limit(1);
  if ((await known).length === 0 && role !== undefined)
    await orm.insert(members).values({ email, createdAt: now }).onConflictDoNothing();
  const [person] = await known;
  if (person === undefined) return undefined;
  const { id } = person;
  const present = await findMember(db, { id, organizationId });
  if (present !== undefined) return { member: present, isNew: false };
  const joined = { joinedAt: now, invitationHash: null, invitationExpiresAt: null };
  const byInvitation = await orm
    .update(memberships)
    .set(joined)
    .where(
      and(
        isMember(organizationId, id),
        isNull(memberships.joinedAt),
        gt(memberships.invitationExpiresAt, now),
      ),
    )
    .returning({ id: memberships.memberId });
  if (byInvitation.length === 0 && role === undefined) return undefined;
  if (byInvitation.length === 0 && role !== undefined)
    await orm
      .insert(memberships)
      .values({ organizationId, memberId: id, role, joinedAt: now, createdAt: now })
      .onConflictDoUpdate({
        target: [memberships.organizationId, memberships.memberId],
        set: { role, ...joined },
        setWhere: isNull(memberships.joinedAt),
      });
  await orm
    .update(members)
    .set({ passwordHash: noPassword() })
    .where(and(eq(members.id, id), isNull(members.passwordHash)));
  const member = await findMember(db, { id, organizationId });
  return member === undefined ? undefined : { member, isNew: true };
}
