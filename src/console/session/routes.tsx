import { type Context, Hono } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { scopesOf } from "../../accounts/members/role";
import { findMember, type Member, noteSeen } from "../../accounts/members/store";
import type { AskerEnv } from "../../accounts/asker.io";
import { hashSecret, verifyPassword } from "../../accounts/secret";
import { countTry, forgiveTry, type Try } from "../../accounts/sign-in.store";
import { readConfig } from "../../config";
import { readBytes } from "../../http/body";
import { forbidden } from "../../http/refusal";
import type { Notice } from "../page";
import { SignInForm } from "./form";
import { nextPage, readSession, SESSION_MS, writeSession } from "./session";

export type ConsoleEnv = AskerEnv & { Variables: { member?: Member } };

const SESSION = "tributary_session";
const NOTICE = "tributary_notice";
const FORM_BYTES = 10_000;

/** Lets only members on, who ask in their organization's name; users of the app surface are none. */
export const withSession = createMiddleware<ConsoleEnv>(async (c, next) => {
  const member = await signedIn(c);
  if (member === undefined) {
    const back = c.req.method === "GET" ? `?next=${encodeURIComponent(c.req.path)}` : "";
    return c.redirect(`/console/sign-in${back}`, 303);
  }
  const scopes = scopesOf(member.role);
  c.set("member", member);
  c.set("asker", {
    organizationId: member.organizationId,
    userId: member.userId,
    scopes,
    name: `member:${member.id}`,
  });
  if (!["GET", "HEAD"].includes(c.req.method) && !scopes.includes("write"))
    throw forbidden("A viewer may look at everything here, and change nothing");
  return next();
});

/** Signing in and out. */
export const sessionRoutes = new Hono<ConsoleEnv>()
  .get("/sign-in", async (c) => {
    const next = nextPage(c.req.query("next"));
    if ((await signedIn(c)) !== undefined) return c.redirect(next, 303);
    return showForm(c, { next });
  })
  .post("/sign-in", async (c) => {
    const form = await readForm(c);
    const email = (form.get("email") ?? "").trim();
    const next = nextPage(form.get("next") ?? undefined);
    const now = Date.now();
    const address = c.req.header("cf-connecting-ip") ?? "unknown";
    const tried: Try = { door: "member", name: email, address };
    const until = await countTry(c.env.DB, tried, now);
    if (until !== undefined) {
      const seconds = Math.ceil((until - now) / 1000);
      c.status(429);
      c.header("Retry-After", String(seconds));
      const fault = `Too many failed tries. Wait ${seconds} s and try again.`;
      return showForm(c, { next, email, fault });
    }
    const member = await findMember(c.env.DB, { email });
    const fits = verifyPassword(form.get("password") ?? "", member?.passwordHash);
    if (member === undefined || !fits) {
      c.status(401);
      const fault = "This e-mail and password don't belong together.";
      return showForm(c, { next, email, fault });
    }
    await forgiveTry(c.env.DB, tried, now);
    await noteSeen(c.env.DB, member.id, now);
    await beginSession(c, member, now);
    return c.redirect(next, 303);
  })
  .post("/sign-out", (c) => {
    deleteCookie(c, SESSION, { path: "/console" });
    return c.redirect("/console/sign-in", 303);
  });

function showForm(
  c: Context<ConsoleEnv>,
  about: { next: string; email?: string; fault?: string },
): Response | Promise<Response> {
  const { allowHttp } = readConfig(c.env).egress;
  return c.render(<SignInForm {...about} local={allowHttp} />, { title: "Sign in" });
}

/** The fields of a posted form. @throws Refusal `too-large`. */
export async function readForm(c: Context): Promise<URLSearchParams> {
  return new URLSearchParams(new TextDecoder().decode(await readBytes(c.req.raw, FORM_BYTES)));
}

/** Goes on to another page, which says once what was done. */
export async function leave(
  c: Context<ConsoleEnv>,
  path: string,
  notice: Notice,
): Promise<Response> {
  await keep(c, NOTICE, JSON.stringify({ ...notice, text: notice.text.slice(0, 500) }), 30);
  return c.redirect(path, 303);
}

const noticeSchema = z.object({ tone: z.enum(["good", "bad"]), text: z.string() });

/** What the page before this one left to be said. */
export async function takeNotice(c: Context<ConsoleEnv>): Promise<Notice | undefined> {
  const text = await getSignedCookie(c, readConfig(c.env).sessionKey, NOTICE);
  if (text === undefined || text === false) return undefined;
  deleteCookie(c, NOTICE, { path: "/console" });
  return noticeSchema.parse(JSON.parse(text));
}

async function signedIn(c: Context<ConsoleEnv>): Promise<Member | undefined> {
  const text = await getSignedCookie(c, readConfig(c.env).sessionKey, SESSION);
  if (text === undefined || text === false) return undefined;
  const session = readSession(text, Date.now());
  if (session === undefined) return undefined;
  const member = await findMember(c.env.DB, { id: session.memberId });
  return member !== undefined && markOf(member) === session.mark ? member : undefined;
}

/** Signs a member in on this browser. */
export function beginSession(c: Context<ConsoleEnv>, member: Member, now: number): Promise<void> {
  const session = { memberId: member.id, until: now + SESSION_MS, mark: markOf(member) };
  return keep(c, SESSION, writeSession(session), SESSION_MS / 1000);
}

const markOf = ({ passwordHash }: Member): string => hashSecret(passwordHash).slice(0, 16);

function keep(c: Context<ConsoleEnv>, name: string, value: string, seconds: number): Promise<void> {
  return setSignedCookie(c, name, value, readConfig(c.env).sessionKey, {
    path: "/console",
    httpOnly: true,
    sameSite: "Strict",
    secure: new URL(c.req.url).protocol === "https:",
    maxAge: seconds,
  });
}
