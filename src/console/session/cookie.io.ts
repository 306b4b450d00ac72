import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import type { CookieOptions } from "hono/utils/cookie";
import { readConfig } from "../../config";

/**
 * Cookies of the console, signed. Over https they have the prefix `__Host-`, with which no other host of the domain
 * and no plain http can set them; it demands `Secure`, so a stack on one's own machine goes without.
 */
const isSecure = (c: Context): boolean => new URL(c.req.url).protocol === "https:";

const optionsOf = (c: Context): CookieOptions =>
  isSecure(c) ? { prefix: "host", path: "/", secure: true } : { path: "/console" };

/** @returns undefined when there is none, or its signature isn't ours. */
export async function readCookie(c: Context, name: string): Promise<string | undefined> {
  const key = readConfig(c.env).sessionKey;
  const text = await getSignedCookie(c, key, name, isSecure(c) ? "host" : undefined);
  return text === false ? undefined : text;
}

export function keepCookie(
  c: Context,
  name: string,
  value: string,
  seconds: number,
): Promise<void> {
  const kept: CookieOptions = { httpOnly: true, sameSite: "Strict", maxAge: seconds };
  return setSignedCookie(c, name, value, readConfig(c.env).sessionKey, {
    ...optionsOf(c),
    ...kept,
  });
}

export function dropCookie(c: Context, name: string): void {
  deleteCookie(c, name, optionsOf(c));
}
