import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Child } from "hono/jsx";
import * as z from "zod";
import type { Notice } from "../page";
import { logoSource } from "./brand";
import { dropCookie, keepCookie, mountOf, readCookie } from "./cookie.io";
import { type About, page, type Visitor } from "./page";

export type PageEnv = {
  Bindings: Env;
  Variables: {
    /** Origins that may frame the page. */
    frameAncestors?: string[];
    nonce?: string;
    /** The one image that the page shows. */
    logo?: string;
  };
};

/** Lets the browser load, run and frame nothing but the page itself, and the session's own ancestors frame that. */
export const withPage = createMiddleware<PageEnv>(async (c, next) => {
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  c.set("nonce", nonce);
  await next();
  const ancestors = (c.var.frameAncestors ?? []).join(" ") || "'none'";
  const { logo } = c.var;
  const image = logo === undefined ? "" : `img-src ${logoSource(logo)}; `;
  c.header(
    "Content-Security-Policy",
    `default-src 'none'; ${image}style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors ${ancestors}`,
  );
  c.header("Cache-Control", "no-store");
  c.header("Referrer-Policy", "same-origin");
  c.header("X-Content-Type-Options", "nosniff");
});

/** A page, with what the one before left to be said. @param visitor undefined: nobody is let in. */
export async function show<E extends PageEnv>(
  c: Context<E>,
  content: Child,
  about: About,
  visitor: Visitor | undefined,
): Promise<Response> {
  const { nonce = "" } = c.var;
  if (visitor?.brand.logo) c.set("logo", visitor.brand.logo);
  const notice = about.notice ?? (await takeNotice(c));
  return c.html(page({ ...about, nonce, visitor, notice, home: mountOf(c) }, content));
}

/** Goes on to another page, which says once what was done. */
export async function leave(c: Context, path: string, notice: Notice): Promise<Response> {
  const text = JSON.stringify({ ...notice, text: notice.text.slice(0, 500) });
  await keepCookie(c, noticeName(c), text, 30);
  return c.redirect(path, 303);
}

const noticeName = (c: Context): string => `tributary_${mountOf(c).slice(1)}_notice`;
const noticeSchema = z.object({ tone: z.enum(["good", "bad"]), text: z.string() });

async function takeNotice(c: Context): Promise<Notice | undefined> {
  const text = await readCookie(c, noticeName(c));
  if (text === undefined) return undefined;
  dropCookie(c, noticeName(c));
  return noticeSchema.parse(JSON.parse(text));
}
