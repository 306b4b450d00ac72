import { and, eq, isNotNull, isNull, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { memberRecoveryCodes, memberTotp } from "../../db/accounts";
import type { Millis } from "../../values/instant";

export type TotpRow = typeof memberTotp.$inferSelect;

/** A member's authenticator app, confirmed or not. */
export async function readTotp(db: D1Database, memberId: number): Promise<TotpRow | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(memberTotp)
    .where(eq(memberTotp.memberId, memberId));
  return row;
}

/** Whether a member's sign-in asks for a code. */
export const asksForCode = async (db: D1Database, memberId: number): Promise<boolean> =>
  (await drizzle(db).$count(
    memberTotp,
    and(eq(memberTotp.memberId, memberId), isNotNull(memberTotp.confirmedAt)),
  )) > 0;

/** Begins to set up an app, in the place of one that was begun. @returns false when one is in use. */
export async function beginTotp(
  db: D1Database,
  memberId: number,
  sealedSecret: string,
  now: Millis,
): Promise<boolean> {
  const rows = await drizzle(db)
    .insert(memberTotp)
    .values({ memberId, sealedSecret, createdAt: now })
    .onConflictDoUpdate({
      target: memberTotp.memberId,
      set: { sealedSecret, createdAt: now },
      setWhere: isNull(memberTotp.confirmedAt),
    })
    .returning({ memberId: memberTotp.memberId });
  return rows.length > 0;
}

/** From now on codes are asked for. @returns false when it was confirmed, or begun again, meanwhile. */
export async function confirmTotp(
  db: D1Database,
  { memberId, sealedSecret }: TotpRow,
  lastStep: number,
  now: Millis,
): Promise<boolean> {
  const rows = await drizzle(db)
    .update(memberTotp)
    .set({ lastStep, confirmedAt: now })
    .where(
      and(
        eq(memberTotp.memberId, memberId),
        eq(memberTotp.sealedSecret, sealedSecret),
        isNull(memberTotp.confirmedAt),
      ),
    )
    .returning({ memberId: memberTotp.memberId });
  return rows.length > 0;
}

/** Uses up a time step and those before it. @returns false when a code of it, or of a later one, was used already. */
export async function useStep(db: D1Database, memberId: number, step: number): Promise<boolean> {
  const rows = await drizzle(db)
    .update(memberTotp)
    .set({ lastStep: step })
    .where(
      and(
        eq(memberTotp.memberId, memberId),
        isNotNull(memberTotp.confirmedAt),
        lt(memberTotp.lastStep, step),
      ),
    )
    .returning({ memberId: memberTotp.memberId });
  return rows.length > 0;
}

/** Puts recovery codes in the place of those that are left. */
export async function replaceRecoveryCodes(
  db: D1Database,
  memberId: number,
  codeHashes: readonly string[],
): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([
    orm.delete(memberRecoveryCodes).where(eq(memberRecoveryCodes.memberId, memberId)),
    orm.insert(memberRecoveryCodes).values(codeHashes.map((codeHash) => ({ memberId, codeHash }))),
  ]);
}

export const countRecoveryCodes = (db: D1Database, memberId: number): Promise<number> =>
  drizzle(db).$count(memberRecoveryCodes, eq(memberRecoveryCodes.memberId, memberId));

/** Uses a recovery code up. @returns false when it is none, or was used. */
export async function useRecoveryCode(
  db: D1Database,
  memberId: number,
  codeHash: string,
): Promise<boolean> {
  const rows = await drizzle(db)
    .delete(memberRecoveryCodes)
    .where(
      and(eq(memberRecoveryCodes.memberId, memberId), eq(memberRecoveryCodes.codeHash, codeHash)),
    )
    .returning({ memberId: memberRecoveryCodes.memberId });
  return rows.length > 0;
}

/** Forgets a member's app and recovery codes. */
export async function removeTotp(db: D1Database, memberId: number): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([
    orm.delete(memberTotp).where(eq(memberTotp.memberId, memberId)),
    orm.delete(memberRecoveryCodes).where(eq(memberRecoveryCodes.memberId, memberId)),
  ]);
}
