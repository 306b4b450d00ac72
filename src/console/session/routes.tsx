import { type Context, Hono } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/routes";
import { hashSecret, verifyPassword } from "../../accounts/secret";
import { readConfig } from "../../config";
import { readBytes } from "../../http/body";
import type { Notice } from "../page";
import { SignInForm } from "./form";
import { type Failures, MOST_KEYS, noteFailure, secondsToWait, takeBack } from "./limit";
import { nextPage, readSession, SESSION_MS, writeSession } from "./session";
import { type Account, readAccount } from "./store";
import { Cache } from "../../values/cache";

export type ConsoleEnv = AskerEnv & { Variables: { account?: Account } };

const SESSION = "tributary_session";
const NOTICE = "tributary_notice";
const FORM_BYTES = 10_000;

const failures: Failures = new Cache(MOST_KEYS);

/** Lets nobody on who has not signed in; everybody else asks in their organization's name. */
export const withSession = createMiddleware<ConsoleEnv>(async (c, next) => {
  const account = await signedIn(c);
  if (account === undefined) {
    const back = c.req.method === "GET" ? `?next=${encodeURIComponent(c.req.path)}` : "";
    return c.redirect(`/console/sign-in${back}`, 303);
  }
  c.set("account", account);
  c.set("asker", {
    organizationId: account.organizationId,
    userId: account.userId,
    scopes: account.role === "admin" ? ["read", "write", "admin"] : ["read", "write"],
    name: `user:${account.userId}`,
  });
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
    const tried = { email, address: c.req.header("cf-connecting-ip") ?? "" };
    const wait = secondsToWait(failures, tried, now);
    if (wait > 0) {
      c.status(429);
      c.header("Retry-After", String(wait));
      const fault = `Too many failed tries. Wait ${Math.ceil(wait / 60)} min and try again.`;
      return showForm(c, { next, email, fault });
    }
    noteFailure(failures, tried, now);
    const account = await readAccount(c.env.DB, { email });
    const fits = verifyPassword(form.get("password") ?? "", account?.passwordHash);
    if (account === undefined || !fits) {
      c.status(401);
      const fault = "This e-mail and password don't belong together.";
      return showForm(c, { next, email, fault });
    }
    takeBack(failures, tried, now);
    await keep(
      c,
      SESSION,
      writeSession({ userId: account.userId, until: now + SESSION_MS, mark: markOf(account) }),
      SESSION_MS / 1000,
    );
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

async function signedIn(c: Context<ConsoleEnv>): Promise<Account | undefined> {
  const text = await getSignedCookie(c, readConfig(c.env).sessionKey, SESSION);
  if (text === undefined || text === false) return undefined;
  const session = readSession(text, Date.now());
  if (session === undefined) return undefined;
  const account = await readAccount(c.env.DB, { userId: session.userId });
  return account !== undefined && markOf(account) === session.mark ? account : undefined;
}

const markOf = ({ passwordHash }: Account): string => hashSecret(passwordHash).slice(0, 16);

function keep(c: Context<ConsoleEnv>, name: string, value: string, seconds: number): Promise<void> {
  return setSignedCookie(c, name, value, readConfig(c.env).sessionKey, {
    path: "/console",
    httpOnly: true,
    sameSite: "Strict",
    secure: new URL(c.req.url).protocol === "https:",
    maxAge: seconds,
  });
}
