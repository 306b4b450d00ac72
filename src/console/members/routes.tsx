import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import type { ActorEnv } from "../../accounts/audit.io";
import {
  changeRole,
  type MemberChange,
  removeMember,
  transferOwnership,
} from "../../accounts/members/change.store";
import { inviteMember } from "../../accounts/members/invitations.store";
import { INVITATION_DAYS, invitationUntil, newLink, RESET_DAYS } from "../../accounts/members/link";
import { addressOf, linkFor, newMember, newRole, watchMember } from "../../accounts/members/routes";
import { endSessions } from "../../accounts/members/sessions.store";
import { stateOf } from "../../accounts/members/state";
import { listMembers, type MemberRow, readMember } from "../../accounts/members/store";
import { forbidden, notFound } from "../../http/refusal";
import type { Notice } from "../page";
import { formOf, leave } from "../session/routes";
import type { SignedInEnv } from "../session/session.io";
import { MembersPage } from "./page";

const HERE = "/console/members";

type MembersEnv = SignedInEnv & ActorEnv;

/** Only owners send these forms; everybody looks. */
const withOwner = createMiddleware<MembersEnv>(async (c, next) => {
  if (c.req.method !== "GET" && !c.var.asker.scopes.includes("admin"))
    throw forbidden("Only an owner manages members");
  return next();
});

/** Who operates the organization: to see for all of them, to manage for owners. */
export const memberPages = new Hono<MembersEnv>()
  .use("/members", withOwner)
  .use("/members/*", withOwner)
  .get("/members", (c) => show(c))
  .post("/members", async (c) => {
    const form = await formOf(c);
    const email = form.get("email") ?? "";
    const input = newMember.safeParse({ email, role: form.get("role") });
    if (!input.success) return show(c, { status: 400, fault: "Expected an e-mail address", email });
    const now = Date.now();
    const random = crypto.getRandomValues(new Uint8Array(32));
    const { token, ...link } = newLink(random, invitationUntil(now));
    const { organizationId } = c.var.asker;
    const row = await inviteMember(c.env.DB, { ...input.data, organizationId, link }, now);
    if (row === undefined)
      return show(c, { status: 409, fault: `${email} is a member already, or invited.`, email });
    c.set("subject", String(row.id));
    return show(c, { made: { row, token, days: INVITATION_DAYS } });
  })
  .post("/members/:id/role", async (c) => {
    const member = await memberOf(c);
    const input = newRole.safeParse({ role: (await formOf(c)).get("role") });
    if (!input.success) return show(c, { status: 400, fault: "Expected a role" });
    const { role } = input.data;
    const change = await changeRole(c.env.DB, c.var.asker.organizationId, member.id, role);
    return leave(c, HERE, noticeOf(change, `${member.email} is ${role} now.`));
  })
  .post("/members/:id/remove", async (c) => {
    const member = await memberOf(c);
    await formOf(c);
    const change = await removeMember(c.env.DB, c.var.asker.organizationId, member.id);
    return leave(c, HERE, noticeOf(change, `${member.email} is no member any more.`));
  })
  .post("/members/:id/link", async (c) => {
    const member = await memberOf(c);
    await formOf(c);
    const now = Date.now();
    const made = await linkFor(c.env.DB, c.var.asker.organizationId, member.id, now);
    if (made === undefined) throw unknown();
    if (made === "elsewhere") {
      const fault = `${member.email} belongs to other organizations, too, and changes the password themselves.`;
      return show(c, { status: 409, fault });
    }
    const days = made.member.joinedAt === null ? INVITATION_DAYS : RESET_DAYS;
    return show(c, { made: { row: made.member, token: made.token, days } });
  })
  .post("/members/:id/end-sessions", async (c) => {
    const member = await memberOf(c);
    await formOf(c);
    const except = member.id === c.var.member.id ? { except: c.var.sessionId } : {};
    const ended = await endSessions(c.env.DB, member.id, except);
    const text = `Sessions of ${member.email} that were ended: ${ended.length}`;
    return leave(c, HERE, { tone: "good", text });
  })
  .post("/members/:id/transfer", async (c) => {
    const heir = await memberOf(c);
    await formOf(c);
    const { member } = c.var;
    const step = { from: member.id, to: heir.id };
    const done = await transferOwnership(c.env.DB, member.organizationId, step);
    const text = `${heir.email} is owner now, and you are editor.`;
    return leave(
      c,
      HERE,
      done.kind === "done"
        ? { tone: "good", text }
        : { tone: "bad", text: `${heir.email} has not joined yet.` },
    );
  });

const unknown = () => notFound("There is no such member");

/** The member that the path names. @throws Refusal `not-found`. */
async function memberOf(c: Context<MembersEnv>): Promise<MemberRow> {
  const text = c.req.param("id") ?? "";
  const id = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
  const member = await readMember(c.env.DB, c.var.asker.organizationId, id);
  if (member === undefined) throw unknown();
  await watchMember(c, c.env.DB, c.var.asker.organizationId, id);
  return member;
}

function noticeOf(change: MemberChange, done: string): Notice {
  switch (change.kind) {
    case "done":
      return { tone: "good", text: done };
    case "last-owner":
      return {
        tone: "bad",
        text: "The organization would be left without an owner who can sign in.",
      };
    case "unknown":
      throw unknown();
  }
}

async function show(
  c: Context<MembersEnv>,
  about: {
    status?: 400 | 409;
    fault?: string;
    email?: string;
    made?: { row: MemberRow; token: string; days: number };
  } = {},
): Promise<Response> {
  const { status = 200, made, ...rest } = about;
  const { organizationId, scopes } = c.var.asker;
  const now = Date.now();
  const rows = await listMembers(c.env.DB, organizationId);
  const link = made && { email: made.row.email, link: addressOf(c, made.token), days: made.days };
  c.status(status);
  return c.render(
    <MembersPage
      members={rows.map((row) => ({ ...row, state: stateOf(row, now) }))}
      self={c.var.member.id}
      isOwner={scopes.includes("admin")}
      organizationId={organizationId}
      now={now}
      {...rest}
      {...(link === undefined ? {} : { made: link })}
    />,
    { title: "Members", here: "members" },
  );
}
