import { hashSecret } from "../secret";
import type { Millis } from "../../values/instant";

/** An invitation is good for 7 days, a link to set another password for one. */
export const INVITATION_DAYS = 7;
export const RESET_DAYS = 1;
const DAY_MS = 86_400_000;

export const invitationUntil = (now: Millis): Millis => now + INVITATION_DAYS * DAY_MS;
export const resetUntil = (now: Millis): Millis => now + RESET_DAYS * DAY_MS;

/** The token of a one-time link, made of 32 random bytes, and what is stored of it. */
export function newLink(
  random: Uint8Array,
  expiresAt: Millis,
): { token: string; hash: string; expiresAt: Millis } {
  const token = Buffer.from(random).toString("base64url");
  return { token, hash: hashSecret(token), expiresAt };
}
