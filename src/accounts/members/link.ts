import { hashSecret } from "../secret";
import type { Millis } from "../../values/instant";

/** An invitation is good for 7 days, a link to set another password for one. */
const INVITATION_MS = 7 * 86_400_000;
const RESET_MS = 86_400_000;

export const invitationUntil = (now: Millis): Millis => now + INVITATION_MS;
export const resetUntil = (now: Millis): Millis => now + RESET_MS;

/** The token of a one-time link, made of 32 random bytes, and what is stored of it. */
export function newLink(
  random: Uint8Array,
  expiresAt: Millis,
): { token: string; hash: string; expiresAt: Millis } {
  const token = Buffer.from(random).toString("base64url");
  return { token, hash: hashSecret(token), expiresAt };
}
