import { type Context, Hono } from "hono";
import * as z from "zod";
import { readConfig } from "../../config";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { conflict, notFound, type Refusal } from "../../http/refusal";
import { isoText } from "../../values/instant";
import { type AskerEnv, withKey } from "../asker.io";
import { hashSecret } from "../secret";
import { storeLink } from "./password.store";
import {
  changeRole,
  inviteMember,
  listMembers,
  type MemberChange,
  type MemberRow,
  removeMember,
} from "./store";

const BODY_BYTES = 64 * 1024;
/** An invitation is good for this long: 7 days. */
const INVITATION_MS = 7 * 86_400_000;

/** A link to set another password, for this long: a day. */
const RESET_MS = 86_400_000;

const role = z.enum(["owner", "editor", "viewer"], "Expected owner, editor or viewer");
const newMember = z.strictObject({
  email: z.string().trim().pipe(z.email("Expected an e-mail address").max(256)),
  role,
});
const newRole = z.strictObject({ role });

const MEMBER = { id: "2", email: "ada@acme.example", role: "editor", lastSeenAt: null };

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
      const { token, ...link } = newLink(now + INVITATION_MS);
      const row = await inviteMember(c.env.DB, {
        ...input,
        organizationId: c.var.asker.organizationId,
        ...link,
        createdAt: now,
      });
      if (row === undefined) throw conflict(`'${input.email}' is already taken`, "email");
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
      return answerFor(c, await changeRole(c.env.DB, organizationId, idOf(c), input.role));
    },
  )
  .post(
    "/members/:id/password-reset",
    described(
      "Make a link, good once and for a day, to set another password; shown this once only",
      {
        tag: "operations",
        status: 201,
        answer: { ...MEMBER, link: "https://events.acme.example/console/invitations/…" },
      },
    ),
    async (c) => {
      const { organizationId } = c.var.asker;
      const { token, ...link } = newLink(Date.now() + RESET_MS);
      const row = await storeLink(c.env.DB, organizationId, idOf(c), link);
      if (row === undefined) throw unknown(c);
      return c.json({ ...memberView(row), link: addressOf(c, token) }, 201);
    },
  )
  .delete(
    "/members/:id",
    described("Remove a member, or take an invitation back", { tag: "operations", answer: MEMBER }),
    async (c) => answerFor(c, await removeMember(c.env.DB, c.var.asker.organizationId, idOf(c))),
  );

function newLink(invitationExpiresAt: number) {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  return { token, invitationHash: hashSecret(token), invitationExpiresAt };
}

const addressOf = (c: Context<AskerEnv>, token: string): string =>
  `${readConfig(c.env).publicUrl ?? new URL(c.req.url).origin}/console/invitations/${token}`;

/** @throws Refusal `not-found` for what is no id. */
export function idOf(c: Context<AskerEnv>): number {
  const text = c.req.param("id") ?? "";
  if (!/^[1-9]\d{0,14}$/.test(text)) throw unknown(c);
  return Number(text);
}

export const unknown = (c: Context<AskerEnv>): Refusal =>
  notFound(`No member '${c.req.param("id")}'`);

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

const memberView = ({ id, email, role: has, lastSeenAt }: MemberRow) => ({
  id: String(id),
  email,
  role: has,
  lastSeenAt: lastSeenAt === null ? null : isoText(lastSeenAt),
});
