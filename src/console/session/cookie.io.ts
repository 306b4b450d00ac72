import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import type { CookieOptions } from "hono/utils/cookie";
import { readConfig } from "../../config";
import { keyring, seal, unseal } from "../../db/sealed";

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
  sameSite: "Strict" | "Lax" = "Strict",
): Promise<void> {
  const kept: CookieOptions = { httpOnly: true, sameSite, maxAge: seconds };
  return setSignedCookie(c, name, value, readConfig(c.env).sessionKey, {
    ...optionsOf(c),
    ...kept,
  });
}

export function dropCookie(c: Context, name: string): void {
  deleteCookie(c, name, optionsOf(c));
}

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
  const text = await readCookie(c, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(unseal(keyring(readConfig(c.env).masterKeys), text, placeOf(name)));
  } catch {
    return undefined;
  }
}
