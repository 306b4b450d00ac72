import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Child } from "hono/jsx";
import * as z from "zod";
import type { Notice } from "../page";
import { dropCookie, keepCookie, readCookie } from "./cookie.io";
import { type About, page } from "./page";
import type { PortalEnv } from "./session.io";

const NOTICE = "tributary_portal_notice";

/** Lets the browser load, run and frame nothing but the page itself, and the session's own ancestors frame that. */
export const withPage = createMiddleware<PortalEnv>(async (c, next) => {
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  c.set("nonce", nonce);
  await next();
  const ancestors = (c.var.frameAncestors ?? []).join(" ") || "'none'";
  c.header(
    "Content-Security-Policy",
    `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors ${ancestors}`,
  );
  c.header("Cache-Control", "no-store");
  c.header("Referrer-Policy", "same-origin");
  c.header("X-Content-Type-Options", "nosniff");
});

/** A page of the portal, with what the one before left to be said. */
export async function show<E extends PortalEnv>(
  c: Context<E>,
  content: Child,
  about: About,
): Promise<Response> {
  const { nonce = "", portal } = c.var;
  return c.html(page({ ...about, nonce, portal, notice: await takeNotice(c) }, content));
}

/** Goes on to another page, which says once what was done. */
export async function leave(c: Context, path: string, notice: Notice): Promise<Response> {
  const text = JSON.stringify({ ...notice, text: notice.text.slice(0, 500) });
  await keepCookie(c, NOTICE, text, 30);
  return c.redirect(path, 303);
}

const noticeSchema = z.object({ tone: z.enum(["good", "bad"]), text: z.string() });

async function takeNotice(c: Context): Promise<Notice | undefined> {
  const text = await readCookie(c, NOTICE);
  if (text === undefined) return undefined;
  dropCookie(c, NOTICE);
  return noticeSchema.parse(JSON.parse(text));
}
