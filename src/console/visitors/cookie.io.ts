import type { Context } from "hono";
import * as cookies from "../cookie.io";

/**
 * Cookies of pages for a tenant's people. They are shown within pages of other sites, so over https they are sent from
 * there too (`SameSite=None`), but `Partitioned`: each such site has its own. Browsers take neither without `Secure`, so on
 * one's own machine, where there is plain http, they go to pages of the same site alone.
 */
const sentFrom = (c: Context) =>
  cookies.isSecure(c)
    ? ({ sameSite: "None", partitioned: true } as const)
    : ({ sameSite: "Lax" } as const);

export { mountOf, readCookie } from "../cookie.io";

export const keepCookie = (
  c: Context,
  name: string,
  value: string,
  seconds: number,
): Promise<void> => cookies.keepCookie(c, name, value, seconds, sentFrom(c));

export const dropCookie = (c: Context, name: string): void =>
  cookies.dropCookie(c, name, sentFrom(c));
