import { type Context, Hono } from "hono";
import type { ActorEnv } from "../../accounts/audit.io";
import { acceptInvitation, findInvited, type MemberRow } from "../../accounts/members/store";
import { passwordNeeds } from "../../accounts/passwords/needs";
import { hashPassword, hashSecret } from "../../accounts/secret";
import { readOrganization } from "../../accounts/organization.store";
import { notFound } from "../../http/refusal";
import { InvitationForm } from "./form";
import { readForm } from "./routes";
import { passOn } from "./second-step.io";
import type { ConsoleEnv } from "./session.io";

/** Where one-time links lead, of invitations and to set another password: whoever has one chooses a password and is signed in. */
export const invitationRoutes = new Hono<ConsoleEnv & ActorEnv>()
  .get("/invitations/:token", async (c) => showForm(c, await invited(c)))
  .post("/invitations/:token", async (c) => {
    const password = (await readForm(c)).get("password") ?? "";
    const guest = await invited(c);
    const needs = passwordNeeds(password);
    if (needs !== undefined) {
      c.status(400);
      return showForm(c, guest, `Choose another password: expected ${needs}.`);
    }
    const now = Date.now();
    const passwordHash = hashPassword(password, crypto.getRandomValues(new Uint8Array(16)));
    const id = await acceptInvitation(
      c.env.DB,
      hashSecret(c.req.param("token")),
      passwordHash,
      now,
    );
    if (id === undefined) throw gone();
    c.set("actor", { organizationId: guest.organizationId, name: `member:${id}` });
    const member = { id, email: guest.email, passwordHash };
    return c.redirect(await passOn(c, member, "/console", now), 303);
  });

const gone = () => notFound("This link was used, or is over");

async function invited(c: Context<ConsoleEnv>): Promise<MemberRow> {
  const row = await findInvited(c.env.DB, hashSecret(c.req.param("token") ?? ""), Date.now());
  if (row === undefined) throw gone();
  return row;
}

async function showForm(
  c: Context<ConsoleEnv>,
  { email, organizationId, passwordHash }: MemberRow,
  fault?: string,
): Promise<Response> {
  const { name } = await readOrganization(c.env.DB, organizationId);
  const about = fault === undefined ? {} : { fault };
  const isReset = passwordHash !== null;
  return c.render(
    <InvitationForm email={email} organizationName={name} isReset={isReset} {...about} />,
    { title: isReset ? "Set another password" : `Join ${name}` },
  );
}
