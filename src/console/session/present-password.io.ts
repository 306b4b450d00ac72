import type { Context } from "hono";
import { verifyPassword } from "../../accounts/secret";
import { countTry, forgiveTry } from "../../accounts/sign-in.store";
import { tryOf } from "./second-step.io";
import type { SignedInEnv } from "./session.io";

/** What is wrong with what somebody typed, in words for them. */
export type FormFault = { status: 400 | 429; text: string };

const WRONG: FormFault = { status: 400, text: "This is not your present password." };

const BOUND: FormFault = {
  status: 400,
  text: "You are here by single sign-on. Sign in by password to change this; whoever has none asks an owner for a link to set one.",
};

/** What a limit says, with its `Retry-After`. */
export function waitFor(c: Context, until: number, now: number): FormFault {
  const seconds = Math.ceil((until - now) / 1000);
  c.header("Retry-After", String(seconds));
  return { status: 429, text: `Too many failed tries. Wait ${seconds} s and try again.` };
}

/**
 * What is wrong where a member's own sign-in is changed, which counts in all their organizations: what one organization's
 * single sign-on says of them doesn't do.
 */
export const boundFault = (c: Context<SignedInEnv>): FormFault | undefined =>
  c.var.isBound ? BOUND : undefined;

/** Whether a member, who is signed in, gave their password; failures count as those of signing in do. */
export async function presentPasswordFault(
  c: Context<SignedInEnv>,
  given: string,
  now: number,
): Promise<FormFault | undefined> {
  const bound = boundFault(c);
  if (bound !== undefined) return bound;
  const { email, passwordHash } = c.var.member;
  // What nobody has for a password is told so without counting.
  if (given === "") return WRONG;
  const tried = tryOf(c, email);
  const until = await countTry(c.env.DB, tried, now);
  if (until !== undefined) return waitFor(c, until, now);
  if (!verifyPassword(given, passwordHash)) return WRONG;
  await forgiveTry(c.env.DB, tried, now);
  return undefined;
}
