import { type Context, Hono } from "hono";
import * as z from "zod";
import { hasOrganization } from "../../accounts/bootstrap.store";
import { findMember } from "../../accounts/members/store";
import { verifyPassword } from "../../accounts/secret";
import { siteOf } from "../../accounts/passkeys/options";
import { askToSignIn } from "../../accounts/passkeys/verify.io";
import { countTry } from "../../accounts/sign-in.store";
import { readConfig } from "../../config";
import { readBytes } from "../../http/body";
import { conflict } from "../../http/refusal";
import type { Notice } from "../page";
import { SignInForm } from "./form";
import { dropCookie, keepCookie, readCookie } from "./cookie.io";
import { nextPage } from "./next-page";
import { PASSKEY_SCRIPT } from "./passkey-script";
import { passOn, tryOf } from "./second-step.io";
import { type ConsoleEnv, sessionOf, signOut } from "./session.io";

const NOTICE = "tributary_notice";
const FORM_BYTES = 10_000;
/** UTF-16 units that an e-mail address or a password has at most. */
const MOST_CREDENTIAL = 1_024;

/** Signing in and out. */
export const sessionRoutes = new Hono<ConsoleEnv>()
  .get("/sign-in", async (c) => {
    const next = nextPage(c.req.query("next"));
    if ((await sessionOf(c)) !== undefined) return c.redirect(next, 303);
    const isNew = readConfig(c.env).bootstrapKey !== undefined;
    if (isNew && !(await hasOrganization(c.env.DB))) return c.redirect("/console/setup", 303);
    return showSignIn(c, { next });
  })
  .post("/sign-in", async (c) => {
    const form = await readForm(c);
    const email = (form.get("email") ?? "").trim();
    const password = form.get("password") ?? "";
    const next = nextPage(form.get("next") ?? undefined);
    // What nobody signs in with is told so without asking the database.
    if (![email, password].every(isCredential)) return refuse(c, { next, email });
    const now = Date.now();
    const until = await countTry(c.env.DB, tryOf(c, email), now);
    if (until !== undefined) {
      const seconds = Math.ceil((until - now) / 1000);
      c.status(429);
      c.header("Retry-After", String(seconds));
      const fault = `Too many failed tries. Wait ${seconds} s and try again.`;
      return showSignIn(c, { next, email, fault });
    }
    const member = await findMember(c.env.DB, { email });
    const fits = verifyPassword(password, member?.passwordHash);
    if (member === undefined || !fits) return refuse(c, { next, email });
    return c.redirect(await passOn(c, member, next, now), 303);
  })
  .post("/sign-out", async (c) => {
    await signOut(c);
    return c.redirect("/console/sign-in", 303);
  });

const isCredential = (text: string): boolean => text !== "" && text.length <= MOST_CREDENTIAL;

function refuse(
  c: Context<ConsoleEnv>,
  about: { next: string; email: string },
): Response | Promise<Response> {
  c.status(401);
  return showSignIn(c, { ...about, fault: "This e-mail and password don't belong together." });
}

/** The form, with what else the deployment offers to sign in with. */
export function showSignIn<E extends ConsoleEnv>(
  c: Context<E>,
  about: { next: string; email?: string; fault?: string },
): Response | Promise<Response> {
  const { egress, memberSignIn, publicUrl } = readConfig(c.env);
  const hasAccess =
    memberSignIn?.access !== undefined && c.req.header("cf-access-jwt-assertion") !== undefined;
  const oidc = memberSignIn?.oidc;
  return c.render(
    <SignInForm
      {...about}
      local={egress.allowHttp}
      offered={{
        passkey: askToSignIn(c.env, siteOf(publicUrl, c.req.url), Date.now()),
        access: hasAccess,
        ...(oidc === undefined ? {} : { provider: oidc.name }),
      }}
    />,
    { title: "Sign in", script: PASSKEY_SCRIPT },
  );
}

/** The fields of a posted form. @throws Refusal `too-large`. */
export async function readForm(c: Context, limit = FORM_BYTES): Promise<URLSearchParams> {
  return new URLSearchParams(new TextDecoder().decode(await readBytes(c.req.raw, limit)));
}

/** The form, if it is about the organization that this browser looks at. @throws Refusal `conflict`. */
export async function formOf<E extends ConsoleEnv>(
  c: Context<E>,
  limit = FORM_BYTES,
): Promise<URLSearchParams> {
  const form = await readForm(c, limit);
  if (form.get("organization") !== String(c.var.asker.organizationId))
    throw conflict("You have switched to another organization since this page was shown");
  return form;
}

/** Goes on to another page, which says once what was done. */
export async function leave(c: Context, path: string, notice: Notice): Promise<Response> {
  const text = JSON.stringify({ ...notice, text: notice.text.slice(0, 500) });
  await keepCookie(c, NOTICE, text, 30);
  return c.redirect(path, 303);
}

const noticeSchema = z.object({ tone: z.enum(["good", "bad"]), text: z.string() });

/** What the page before this one left to be said. */
export async function takeNotice(c: Context<ConsoleEnv>): Promise<Notice | undefined> {
  const text = await readCookie(c, NOTICE);
  if (text === undefined) return undefined;
  dropCookie(c, NOTICE);
  return noticeSchema.parse(JSON.parse(text));
}
