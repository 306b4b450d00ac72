import { type Context, Hono } from "hono";
import * as z from "zod";
import { readConfig } from "../../config";
import { parse, readJson } from "../../http/body";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { described, PAGE } from "../../http/route-description";
import { conflict, forbidden, notFound, type Refusal } from "../../http/refusal";
import type { RequestIdEnv } from "../../http/surface";
import { isoText } from "../../values/instant";
import { type AskerEnv, operatorOrOwner } from "../asker.io";
import { invitationUntil, newLink } from "../members/link";
import { addressOf, memberEmail } from "../members/routes";
import { newPassword } from "../passwords/field";
import { hashPassword } from "../secret";
import type { ActorEnv } from "../audit.io";
import { createOrganization, hasPassword } from "./create.store";
import {
  beginDeletion,
  listOrganizations,
  type OrganizationState,
  readOrganizationState,
} from "./store";

const newOrganization = z.strictObject({
  name: z.string("Expected a name").trim().min(1, "Expected a name").max(255),
  email: memberEmail,
  password: newPassword.optional(),
});
const idCursor = z.strictObject({ id: z.number() });

const ORGANIZATION = {
  id: "2",
  name: "Acme",
  state: "active",
  createdAt: "2026-11-21T20:00:00.000Z",
  deletingSince: null,
};
const MADE = {
  id: "2",
  name: "Acme",
  owner: { id: "7", email: "ada@acme.example" },
  invitation: "https://events.acme.example/console/invitations/…",
  organizationSecret: "…",
  userSecret: "…",
  apiKey: "…",
};

type OrganizationEnv = AskerEnv & RequestIdEnv & ActorEnv;

/**
 * The organizations of a deployment (reference v1-api.md): all of them for whoever has the bootstrap key, their own
 * for owners.
 */
export const organizationsRoutes = new Hono<OrganizationEnv>()
  .use("/organizations", operatorOrOwner)
  .use("/organizations/:id", operatorOrOwner)
  .get(
    "/organizations",
    described("Organizations that the asker decides about", {
      tag: "operations",
      query: PAGE,
      answer: { items: [ORGANIZATION], next: null },
    }),
    async (c) => {
      const limit = readLimit(c.req.query("limit"));
      const after = readListCursor(c.req.query("cursor"), idCursor)?.id ?? 0;
      const own = ownId(c);
      const page = own === undefined ? { after, limit } : { after: own - 1, limit: 1 };
      const rows = await listOrganizations(c.env.DB, page);
      const last = rows.at(-1);
      const isEnd = own !== undefined || last === undefined || rows.length < limit;
      return c.json({
        items: rows.map(stateView),
        next: isEnd ? null : writeListCursor({ id: last.id }),
      });
    },
  )
  .post(
    "/organizations",
    described(
      "Make an organization; its secrets, and the owner's one-time link, are shown this once only",
      {
        tag: "operations",
        status: 201,
        body: newOrganization,
        bodyExample: { name: MADE.name, email: MADE.owner.email },
        answer: MADE,
      },
    ),
    async (c) => {
      if (ownId(c) !== undefined && readConfig(c.env).organizations !== "owners")
        throw forbidden("Only whoever deployed this makes organizations");
      const input = parse(newOrganization, await readJson(c, 64 * 1024));
      return c.json(await make(c, input), 201);
    },
  )
  .get(
    "/organizations/:id",
    described("An organization, and whether it is being deleted", {
      tag: "operations",
      answer: ORGANIZATION,
    }),
    async (c) => {
      const row = await readOrganizationState(c.env.DB, reachedId(c));
      if (row === undefined) throw unknown(c);
      return c.json(stateView(row));
    },
  )
  .delete(
    "/organizations/:id",
    described("Close an organization at once, and delete everything of it in the background", {
      tag: "operations",
      status: 202,
      answer: { ...ORGANIZATION, state: "deleting", deletingSince: ORGANIZATION.createdAt },
    }),
    async (c) => {
      const row = await beginDeletion(c.env.DB, reachedId(c), Date.now());
      if (row === undefined) throw unknown(c);
      c.set("actor", { organizationId: row.id, name: actorOf(c) });
      return c.json(stateView(row), 202);
    },
  );

/** The organization that the asker owns; undefined for whoever has the bootstrap key. */
const ownId = (c: Context<OrganizationEnv>): number | undefined => {
  const asker: OrganizationEnv["Variables"]["asker"] | undefined = c.var.asker;
  return asker?.organizationId;
};

const actorOf = (c: Context<OrganizationEnv>): string =>
  ownId(c) === undefined ? "operator" : c.var.asker.name;

async function make(
  c: Context<OrganizationEnv>,
  { name, email, password }: z.infer<typeof newOrganization>,
): Promise<Record<string, unknown>> {
  const now = Date.now();
  if (password !== undefined && (await hasPassword(c.env.DB, email)))
    throw conflict(`'${email}' has a password already and joins by invitation`, "password");
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  const secret = () => Buffer.from(random(32)).toString("base64url");
  const { token, ...link } = newLink(random(32), invitationUntil(now));
  const passwordHash = password === undefined ? null : hashPassword(password, random(16));
  const secrets = { organizationSecret: secret(), userSecret: secret(), apiKey: secret() };
  const address = c.req.header("cf-connecting-ip") ?? null;
  const asked = { at: now, actor: actorOf(c), address, requestId: c.get("requestId") };
  const draft = { name, email, passwordHash, link, secrets };
  const made = await createOrganization(c.env.DB, draft, asked);
  return {
    id: String(made.id),
    name,
    owner: { id: String(made.ownerId), email },
    ...(made.hasJoined ? {} : { invitation: addressOf(c, token) }),
    ...secrets,
  };
}

/** The organization that the path names, if the asker decides about it. @throws Refusal `not-found`. */
function reachedId(c: Context<OrganizationEnv>): number {
  const text = c.req.param("id") ?? "";
  const own = ownId(c);
  if (!/^[1-9]\d{0,14}$/.test(text) || (own !== undefined && String(own) !== text))
    throw unknown(c);
  return Number(text);
}

const unknown = (c: Context<OrganizationEnv>): Refusal =>
  notFound(`No organization '${(c.req.param("id") ?? "").slice(0, 100)}'`);

const stateView = ({ id, name, createdAt, deletingAt }: OrganizationState) => ({
  id: String(id),
  name,
  state: deletingAt === null ? "active" : "deleting",
  createdAt: isoText(createdAt),
  deletingSince: deletingAt === null ? null : isoText(deletingAt),
});
