import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { scopesOf } from "../../accounts/members/role";
import { LIFE_MS } from "../../accounts/members/session";
import { beginSession, endSessions, findSession } from "../../accounts/members/sessions.store";
import type { Member } from "../../accounts/members/store";
import type { AskerEnv } from "../../accounts/asker.io";
import { forbidden } from "../../http/refusal";
import { dropCookie, keepCookie, readCookie } from "./cookie.io";

export type ConsoleEnv = AskerEnv & {
  Variables: { member?: Member; sessionId?: string; isBound?: boolean };
};

/** Behind `withSession`. */
export type SignedInEnv = AskerEnv & {
  Variables: {
    member: Member;
    sessionId: string;
    /** Whether the session is for this one organization, by its single sign-on. */
    isBound: boolean;
  };
};

const SESSION = "tributary_session";

/** Lets only signed-in members pass; the handlers see them as their organization. Users of the app surface aren't members. */
export const withSession = createMiddleware<ConsoleEnv>(async (c, next) => {
  const session = await sessionOf(c);
  if (session === undefined) {
    const { search } = new URL(c.req.url);
    const next = encodeURIComponent(c.req.path + search);
    const back = c.req.method === "GET" ? `?next=${next}` : "";
    return c.redirect(`/console/sign-in${back}`, 303);
  }
  const { id, member, isBound } = session;
  c.set("isBound", isBound);
  c.set("member", member);
  c.set("sessionId", id);
  c.set("asker", {
    organizationId: member.organizationId,
    userId: member.userId,
    scopes: scopesOf(member.role),
    name: `member:${member.id}`,
  });
  return next();
});

/** Viewers see every page and can't send a form. */
export const withRole = createMiddleware<ConsoleEnv>(async (c, next) => {
  if (!["GET", "HEAD"].includes(c.req.method) && !c.var.asker.scopes.includes("write"))
    throw forbidden("A viewer may look at everything here, and change nothing");
  return next();
});

/** Who is signed in on this browser. */
export async function sessionOf(
  c: Context<ConsoleEnv>,
): Promise<{ id: string; member: Member; isBound: boolean } | undefined> {
  const token = await readCookie(c, SESSION);
  return token === undefined ? undefined : findSession(c.env.DB, token, Date.now());
}

/** Signs a member in on this browser, to one of their organizations; the row says when it ends, the cookie only when that is at the latest. */
export async function signIn<E extends { Bindings: Env }>(
  c: Context<E>,
  member: { id: number; organizationId: number; passwordHash: string; isBound?: boolean },
  now: number,
): Promise<void> {
  const address = c.req.header("cf-connecting-ip") ?? "unknown";
  const userAgent = c.req.header("user-agent") ?? "";
  const token = await beginSession(c.env.DB, member, { address, userAgent }, now);
  await keepCookie(c, SESSION, token, LIFE_MS / 1000);
}

/** Signs out on this browser: whoever has a copy of the cookie is signed out with it. */
export async function signOut(c: Context<ConsoleEnv>): Promise<void> {
  const session = await sessionOf(c);
  if (session !== undefined) await endSessions(c.env.DB, session.member.id, { only: session.id });
  dropCookie(c, SESSION);
}
