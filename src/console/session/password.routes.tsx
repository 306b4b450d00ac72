import { type Context, Hono } from "hono";
import { foldEmail } from "../../accounts/email";
import { changePassword } from "../../accounts/members/password.store";
import { passwordNeeds } from "../../accounts/passwords/needs";
import { hashPassword, verifyPassword } from "../../accounts/secret";
import { countTry, forgiveTry, type Try } from "../../accounts/sign-in.store";
import { PasswordForm } from "./form";
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
    const address = c.req.header("cf-connecting-ip") ?? "unknown";
    const tried: Try = { door: "member", name: foldEmail(member.email), address };
    const until = await countTry(c.env.DB, tried, now);
    if (until !== undefined) {
      const seconds = Math.ceil((until - now) / 1000);
      c.header("Retry-After", String(seconds));
      return showForm(c, 429, `Too many failed tries. Wait ${seconds} s and try again.`);
    }
    if (!verifyPassword(form.get("present") ?? "", member.passwordHash))
      return showForm(c, 400, "This is not your present password.");
    await forgiveTry(c.env.DB, tried, now);
    const passwordHash = hashPassword(password, crypto.getRandomValues(new Uint8Array(16)));
    if (await changePassword(c.env.DB, member, passwordHash))
      await signIn(c, { id: member.id, passwordHash }, now);
    const text = "Your password is changed, and you are signed out everywhere else";
    return leave(c, "/console/sessions", { tone: "good", text });
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
    here: "sessions",
  });
}
