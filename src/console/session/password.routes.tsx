import { type Context, Hono } from "hono";
import { changePassword } from "../../accounts/members/password.store";
import { passwordNeeds } from "../../accounts/passwords/needs";
import { hashPassword } from "../../accounts/secret";
import { PasswordForm } from "./form";
import { presentPasswordFault } from "./present-password.io";
import { leave, readForm } from "./routes";
import { type SignedInEnv, signIn } from "./session.io";

/** Every member's own password: whoever only reads changes it too. */
export const passwordRoutes = new Hono<SignedInEnv>()
  .get("/password", (c) => showForm(c))
  .post("/password", async (c) => {
    const form = await readForm(c);
    const { member } = c.var;
    const password = form.get("password") ?? "";
    const needs = passwordNeeds(password);
    if (needs !== undefined) return showForm(c, 400, `Choose another password: expected ${needs}.`);
    const now = Date.now();
    const fault = await presentPasswordFault(c, form.get("present") ?? "", now);
    if (fault !== undefined) return showForm(c, fault.status, fault.text);
    const passwordHash = hashPassword(password, crypto.getRandomValues(new Uint8Array(16)));
    if (await changePassword(c.env.DB, member, passwordHash))
      await signIn(c, { ...member, passwordHash }, now);
    const text = "Your password is changed, and you are signed out everywhere else";
    return leave(c, "/console/security", { tone: "good", text });
  });

function showForm(
  c: Context<SignedInEnv>,
  status: 200 | 400 | 429 = 200,
  fault?: string,
): Response | Promise<Response> {
  c.status(status);
  const about = fault === undefined ? {} : { fault };
  return c.render(<PasswordForm email={c.var.member.email} {...about} />, {
    title: "Change your password",
    here: "security",
  });
}
