import { type Context, Hono } from "hono";
import type { ActorEnv } from "../../accounts/audit.io";
import {
  findInvited,
  type Invited,
  joinAs,
  joinWithPassword,
} from "../../accounts/members/invitations.store";
import { findResetting, resetPassword } from "../../accounts/members/password.store";
import { passwordNeeds } from "../../accounts/passwords/needs";
import { hashPassword, hashSecret } from "../../accounts/secret";
import { readOrganization } from "../../accounts/organization.store";
import { notFound } from "../../http/refusal";
import { InvitationForm, JoinForm } from "./form";
import { leave, readForm } from "./routes";
import { passOn } from "./second-step.io";
import { type ConsoleEnv, sessionOf } from "./session.io";

/** Whom a one-time link is for, and what it does. */
type Guest = { memberId: number; email: string; organizationId: number } & (
  | { kind: "invited"; isKnown: boolean }
  | { kind: "resetting" }
);

/**
 * Where one-time links lead. Whoever has one to an invitation, or to set another password, chooses a password and is
 * signed in. A member with a password joins another organization by signing in: the link alone doesn't prove that it is
 * them.
 */
export const invitationRoutes = new Hono<ConsoleEnv & ActorEnv>()
  .get("/invitations/:token", async (c) => {
    const guest = await guestOf(c);
    return guest.kind === "invited" && guest.isKnown ? showJoin(c, guest) : showForm(c, guest);
  })
  .post("/invitations/:token", async (c) => {
    const form = await readForm(c);
    const guest = await guestOf(c);
    const { memberId: id, organizationId } = guest;
    c.set("actor", { organizationId, name: `member:${id}` });
    if (guest.kind === "invited" && guest.isKnown) return join(c, guest);
    const password = form.get("password") ?? "";
    const needs = passwordNeeds(password);
    if (needs !== undefined) {
      c.status(400);
      return showForm(c, guest, `Choose another password: expected ${needs}.`);
    }
    const now = Date.now();
    const passwordHash = hashPassword(password, crypto.getRandomValues(new Uint8Array(16)));
    const use = guest.kind === "invited" ? joinWithPassword : resetPassword;
    if (!(await use(c.env.DB, hashOf(c), passwordHash, now))) throw gone();
    const member = { id, organizationId, email: guest.email, passwordHash };
    return c.redirect(await passOn(c, member, "/console", now), 303);
  });

const gone = () => notFound("This link was used, or is over");

const hashOf = (c: Context<ConsoleEnv>): string => hashSecret(c.req.param("token") ?? "");

async function guestOf(c: Context<ConsoleEnv>): Promise<Guest> {
  const now = Date.now();
  const invited = await findInvited(c.env.DB, hashOf(c), now);
  if (invited !== undefined) return { kind: "invited", ...invited };
  const resetting = await findResetting(c.env.DB, hashOf(c), now);
  if (resetting === undefined) throw gone();
  return { kind: "resetting", ...resetting };
}

/** Joins whoever is signed in, if the invitation is theirs. */
async function join(c: Context<ConsoleEnv & ActorEnv>, guest: Invited): Promise<Response> {
  const session = await sessionOf(c);
  // What another organization's single sign-on says of them doesn't do here.
  if (session?.member.id !== guest.memberId || session.isBound) return showJoin(c, guest);
  const link = { hash: hashOf(c), sessionId: session.id };
  if (!(await joinAs(c.env.DB, guest, link, Date.now()))) throw gone();
  const { name } = await readOrganization(c.env.DB, guest.organizationId);
  return leave(c, "/console", { tone: "good", text: `You have joined ${name}.` });
}

async function showJoin(c: Context<ConsoleEnv>, guest: Invited): Promise<Response> {
  const { name } = await readOrganization(c.env.DB, guest.organizationId);
  const session = await sessionOf(c);
  return c.render(
    <JoinForm
      email={guest.email}
      organizationName={name}
      path={c.req.path}
      isSignedIn={session?.member.id === guest.memberId && !session.isBound}
    />,
    { title: `Join ${name}` },
  );
}

async function showForm(
  c: Context<ConsoleEnv>,
  { kind, email, organizationId }: Guest,
  fault?: string,
): Promise<Response> {
  const { name } = await readOrganization(c.env.DB, organizationId);
  const about = fault === undefined ? {} : { fault };
  const isReset = kind === "resetting";
  return c.render(
    <InvitationForm email={email} organizationName={name} isReset={isReset} {...about} />,
    { title: isReset ? "Set another password" : `Join ${name}` },
  );
}
