import { type Context, Hono } from "hono";
import * as z from "zod";
import { readConfig } from "../../config";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { conflict, notFound, type Refusal } from "../../http/refusal";
import { isoText } from "../../values/instant";
import { type AskerEnv, withKey } from "../asker.io";
import { watchChange } from "../watch.io";
import { changeRole, type MemberChange, removeMember } from "./change.store";
import { inviteMember, renewInvitation } from "./invitations.store";
import { invitationUntil, newLink, resetUntil } from "./link";
import { storeResetLink } from "./password.store";
import { stateOf } from "./state";
import { listMembers, type MemberRow, readMember } from "./store";

const BODY_BYTES = 64 * 1024;

const role = z.enum(["owner", "editor", "viewer"], "Expected owner, editor or viewer");
export const memberEmail = z.string().trim().pipe(z.email("Expected an e-mail address").max(256));
export const newMember = z.strictObject({ email: memberEmail, role });
export const newRole = z.strictObject({ role });

const MEMBER = {
  id: "2",
  email: "ada@acme.example",
  role: "editor",
  state: "invited",
  lastSeenAt: null,
};

/** Who operates the organization (reference v1-api.md). */
export const memberRoutes = new Hono<AskerEnv>()
  .use("/members", withKey("admin"))
  .use("/members/*", withKey("admin"))
  .get(
    "/members",
    described("Members of the organization", {
      tag: "operations",
      answer: { items: [MEMBER], next: null },
    }),
    async (c) => {
      const rows = await listMembers(c.env.DB, c.var.asker.organizationId);
      return c.json({ items: rows.map(memberView), next: null });
    },
  )
  .post(
    "/members",
    described("Invite a member; the link, good once and for 7 days, is shown this once only", {
      tag: "operations",
      status: 201,
      body: newMember,
      bodyExample: { email: MEMBER.email, role: MEMBER.role },
      answer: { ...MEMBER, invitation: "https://events.acme.example/console/invitations/…" },
    }),
    async (c) => {
      const input = parse(newMember, await readJson(c, BODY_BYTES));
      const now = Date.now();
      const { token, ...link } = newLink(randomBytes(), invitationUntil(now));
      const { organizationId } = c.var.asker;
      const row = await inviteMember(c.env.DB, { ...input, organizationId, link }, now);
      if (row === undefined)
        throw conflict(`'${input.email}' is a member already, or invited`, "email");
      const invitation = addressOf(c, token);
      return c.json({ ...memberView(row), invitation }, 201);
    },
  )
  .patch(
    "/members/:id",
    described("Give a member another role", {
      tag: "operations",
      body: newRole,
      bodyExample: { role: "viewer" },
      answer: MEMBER,
    }),
    async (c) => {
      const input = parse(newRole, await readJson(c, BODY_BYTES));
      const { organizationId } = c.var.asker;
      await watchMember(c, c.env.DB, c.var.asker.organizationId, idOf(c));
      return answerFor(c, await changeRole(c.env.DB, organizationId, idOf(c), input.role));
    },
  )
  .post(
    "/members/:id/password-reset",
    described(
      "Make a link, good once and for a day, to set another password, or invite anew for 7 days; shown this once only",
      {
        tag: "operations",
        status: 201,
        answer: { ...MEMBER, link: "https://events.acme.example/console/invitations/…" },
      },
    ),
    async (c) => {
      await watchMember(c, c.env.DB, c.var.asker.organizationId, idOf(c));
      const made = await linkFor(c.env.DB, c.var.asker.organizationId, idOf(c), Date.now());
      if (made === undefined) throw unknown(c);
      if (made === "elsewhere")
        throw conflict("Members of several organizations change their password themselves");
      return c.json({ ...memberView(made.member), link: addressOf(c, made.token) }, 201);
    },
  )
  .delete(
    "/members/:id",
    described("Remove a member, or take an invitation back", { tag: "operations", answer: MEMBER }),
    async (c) => {
      await watchMember(c, c.env.DB, c.var.asker.organizationId, idOf(c));
      return answerFor(c, await removeMember(c.env.DB, c.var.asker.organizationId, idOf(c)));
    },
  );

const randomBytes = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32));

/**
 * A one-time link for a member: to join while the invitation is open, to set another password after that.
 * @returns undefined for an unknown member; `elsewhere` for one who has joined other organizations, too.
 */
export async function linkFor(
  db: D1Database,
  organizationId: number,
  id: number,
  now: number,
): Promise<{ member: MemberRow; token: string } | "elsewhere" | undefined> {
  const { token, ...link } = newLink(randomBytes(), invitationUntil(now));
  const renewed = await renewInvitation(db, organizationId, id, link);
  if (renewed !== undefined) return { member: renewed, token };
  const stored = await storeResetLink(db, organizationId, id, {
    ...link,
    expiresAt: resetUntil(now),
  });
  const member = await readMember(db, organizationId, id);
  if (member === undefined) return undefined;
  return stored ? { member, token } : "elsewhere";
}

/** Where a one-time link leads. */
export const addressOf = (c: { env: Env; req: { url: string } }, token: string): string =>
  `${readConfig(c.env).publicUrl ?? new URL(c.req.url).origin}/console/invitations/${token}`;

/** @throws Refusal `not-found` for what is no id. */
export function idOf(c: Context<AskerEnv>): number {
  const text = c.req.param("id") ?? "";
  if (!/^[1-9]\d{0,14}$/.test(text)) throw unknown(c);
  return Number(text);
}

export const unknown = (c: Context<AskerEnv>): Refusal =>
  notFound(`No member '${c.req.param("id")}'`);

/** Tells the audit log that a request may change a member. */
export async function watchMember(
  request: Parameters<typeof watchChange>[0],
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<void> {
  const read = async () => {
    const row = await readMember(db, organizationId, id);
    if (row === undefined) return undefined;
    const { email, role } = row;
    return { email, role, state: stateOf(row, Date.now()) };
  };
  const before = await read();
  if (before !== undefined) watchChange(request, () => before, read);
}

function answerFor(c: Context<AskerEnv>, change: MemberChange): Response {
  switch (change.kind) {
    case "done":
      return c.json(memberView(change.member));
    case "last-owner":
      throw conflict("The organization would be left without an owner who can sign in");
    case "unknown":
      throw unknown(c);
  }
}

const memberView = (row: MemberRow) => ({
  id: String(row.id),
  email: row.email,
  role: row.role,
  state: stateOf(row, Date.now()),
  lastSeenAt: row.lastSeenAt === null ? null : isoText(row.lastSeenAt),
});
