import type { Context } from "hono";
import * as z from "zod";
import { findMember, type Member, noteSeen } from "../../accounts/members/store";
import { foldEmail } from "../../accounts/email";
import { equalSecrets, hashSecret } from "../../accounts/secret";
import { forgiveTry, type Try } from "../../accounts/sign-in.store";
import { asksForCode } from "../../accounts/two-step/store";
import { dropCookie, keepSealed, readSealed } from "./cookie.io";
import { type ConsoleEnv, signIn } from "./session.io";

const STEP = "tributary_step";
/** Whoever gave the password has this long to give a code: 5 minutes. */
const STEP_SECONDS = 300;

/** Whose password was given, which one, and until when that counts. */
const pending = z.object({ memberId: z.number(), passwordDigest: z.string(), until: z.number() });

/** A member, and the organization that they get to. */
type SigningIn = Pick<Member, "id" | "email" | "passwordHash" | "organizationId"> & {
  isBound?: boolean;
};

/** An attempt of this browser to sign in as a member. */
export const tryOf = (c: Context, email: string): Try => ({
  door: "member",
  name: foldEmail(email),
  address: c.req.header("cf-connecting-ip") ?? "unknown",
});

/**
 * Goes on with a member who gave their password: signs them in, or asks for a code where they set up an app.
 * @returns where the browser goes then.
 */
export async function passOn<E extends ConsoleEnv>(
  c: Context<E>,
  member: SigningIn,
  next: string,
  now: number,
): Promise<string> {
  if (!(await asksForCode(c.env.DB, member.id))) {
    await welcome(c, member, now);
    return next;
  }
  await keepSealed(
    c,
    STEP,
    {
      memberId: member.id,
      passwordDigest: hashSecret(member.passwordHash),
      until: now + STEP_SECONDS * 1000,
    },
    STEP_SECONDS,
  );
  return `/console/sign-in/code?next=${encodeURIComponent(next)}`;
}

/** Forgets that a code was asked for. */
export const stopWaiting = (c: Context): void => dropCookie(c, STEP);

/** Signs in a member who proved to be one, and forgets the failures before. */
export async function welcome<E extends ConsoleEnv>(
  c: Context<E>,
  member: SigningIn,
  now: number,
): Promise<void> {
  await forgiveTry(c.env.DB, tryOf(c, member.email), now);
  await noteSeen(c.env.DB, member, now);
  await signIn(c, member, now);
}

/** Who gave their password on this browser and has yet to give a code; not when the password was changed since. */
export async function awaited<E extends ConsoleEnv>(
  c: Context<E>,
  now: number,
): Promise<Member | undefined> {
  const { data } = pending.safeParse(await readSealed(c, STEP));
  if (data === undefined || data.until <= now) return undefined;
  const member = await findMember(c.env.DB, { id: data.memberId });
  if (member === undefined) return undefined;
  return equalSecrets(hashSecret(member.passwordHash), data.passwordDigest) ? member : undefined;
}
