import type { Context } from "hono";
import { readConfig } from "../../config";
import { keyring, seal, unseal } from "../../db/sealed";
import * as cookies from "../cookie.io";

/** Cookies of the console. */
export { dropCookie, readCookie } from "../cookie.io";

export const keepCookie = (
  c: Context,
  name: string,
  value: string,
  seconds: number,
  sameSite: "Strict" | "Lax" = "Strict",
): Promise<void> => cookies.keepCookie(c, name, value, seconds, { sameSite });

const placeOf = (name: string): string => `cookie ${name}`;

/** Keeps a value that the browser can neither read nor make: sealed for the cookie of this name. */
export function keepSealed(
  c: Context,
  name: string,
  value: unknown,
  seconds: number,
  sameSite: "Strict" | "Lax" = "Strict",
): Promise<void> {
  const ring = keyring(readConfig(c.env).masterKeys);
  return keepCookie(c, name, seal(ring, JSON.stringify(value), placeOf(name)), seconds, sameSite);
}

/** @returns undefined when there is none, or it isn't ours, or was sealed for another cookie. */
export async function readSealed(c: Context, name: string): Promise<unknown> {
  const text = await cookies.readCookie(c, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(unseal(keyring(readConfig(c.env).masterKeys), text, placeOf(name)));
  } catch {
    return undefined;
  }
}
