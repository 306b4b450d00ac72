import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import type { CookieOptions } from "hono/utils/cookie";
import { readConfig } from "../config";

/**
 * Signed cookies of pages. Over https they have the prefix `__Host-`, with which no other host of the domain and no plain
 * http can set them; it demands `Secure` and the path `/`, so a stack on one's own machine goes without.
 */
export const isSecure = (c: Context): boolean => new URL(c.req.url).protocol === "https:";

/** Where pages of a kind are: `/console`, `/portal` or `/connect`. */
export const mountOf = (c: Context): string => `/${c.req.path.split("/")[1] ?? ""}`;

const optionsOf = (c: Context): CookieOptions =>
  isSecure(c) ? { prefix: "host", path: "/", secure: true } : { path: mountOf(c) };

/** @returns undefined when there is none, or its signature isn't ours. */
export async function readCookie(c: Context, name: string): Promise<string | undefined> {
  const key = readConfig(c.env).sessionKey;
  const text = await getSignedCookie(c, key, name, isSecure(c) ? "host" : undefined);
  return text === false ? undefined : text;
}

/** @param sent from where it is sent. */
export function keepCookie(
  c: Context,
  name: string,
  value: string,
  seconds: number,
  sent: Pick<CookieOptions, "sameSite" | "partitioned">,
): Promise<void> {
  const options = { ...optionsOf(c), ...sent, httpOnly: true, maxAge: seconds };
  return setSignedCookie(c, name, value, readConfig(c.env).sessionKey, options);
}

export function dropCookie(
  c: Context,
  name: string,
  sent: Pick<CookieOptions, "sameSite" | "partitioned"> = {},
): void {
  deleteCookie(c, name, { ...optionsOf(c), ...sent });
}
