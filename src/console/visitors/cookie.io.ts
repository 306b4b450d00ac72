import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import type { CookieOptions } from "hono/utils/cookie";
import { readConfig } from "../../config";

/**
 * Cookies of pages for a tenant's people, signed. They are shown within pages of other sites, so over https they are sent
 * from there too (`SameSite=None`), but `Partitioned`: each such site has its own. Browsers take neither without `Secure`,
 * so on one's own machine, where there is plain http, they go to pages of the same site alone. The prefix `__Host-` demands
 * the path `/`, though nothing but these pages reads them.
 */
const isSecure = (c: Context): boolean => new URL(c.req.url).protocol === "https:";

/** `/portal`, or `/connect`. */
export const mountOf = (c: Context): string => `/${c.req.path.split("/")[1] ?? ""}`;

const optionsOf = (c: Context): CookieOptions =>
  isSecure(c)
    ? { prefix: "host", path: "/", secure: true, sameSite: "None", partitioned: true }
    : { path: mountOf(c), sameSite: "Lax" };

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
  const options = { ...optionsOf(c), httpOnly: true, maxAge: seconds };
  return setSignedCookie(c, name, value, readConfig(c.env).sessionKey, options);
}

export function dropCookie(c: Context, name: string): void {
  deleteCookie(c, name, optionsOf(c));
}
