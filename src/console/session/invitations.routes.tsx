import { type Context, Hono } from "hono";
import { acceptInvitation, findInvited, type MemberRow } from "../../accounts/members/store";
import { passwordNeeds } from "../../accounts/passwords/needs";
import { hashPassword, hashSecret } from "../../accounts/secret";
import { readOrganization } from "../../accounts/organization.store";
import { notFound } from "../../http/refusal";
import { InvitationForm } from "./form";
import { readForm } from "./routes";
import { type ConsoleEnv, signIn } from "./session.io";

/** Where an invitation's one-time link leads: whoever has it chooses a password and is signed in. */
export const invitationRoutes = new Hono<ConsoleEnv>()
  .get("/invitations/:token", async (c) => showForm(c, await invited(c)))
  .post("/invitations/:token", async (c) => {
    const guest = await invited(c);
    const password = (await readForm(c)).get("password") ?? "";
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
    await signIn(c, { id, passwordHash }, now);
    return c.redirect("/console", 303);
  });

const gone = () => notFound("This invitation was used, or is over");

async function invited(c: Context<ConsoleEnv>): Promise<MemberRow> {
  const row = await findInvited(c.env.DB, hashSecret(c.req.param("token") ?? ""), Date.now());
  if (row === undefined) throw gone();
  return row;
}

async function showForm(
  c: Context<ConsoleEnv>,
  { email, organizationId }: MemberRow,
  fault?: string,
): Promise<Response> {
  const { name } = await readOrganization(c.env.DB, organizationId);
  const about = fault === undefined ? {} : { fault };
  return c.render(<InvitationForm email={email} organizationName={name} {...about} />, {
    title: `Join ${name}`,
  });
}
