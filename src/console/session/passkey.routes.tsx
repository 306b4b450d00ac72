import { type Context, Hono } from "hono";
import { type Site, siteOf } from "../../accounts/passkeys/options";
import { memberByKey } from "../../accounts/passkeys/verify.io";
import { findMember } from "../../accounts/members/store";
import { readConfig } from "../../config";
import { nextPage } from "./next-page";
import { readForm, showSignIn } from "./routes";
import { welcome } from "./second-step.io";
import type { ConsoleEnv } from "./session.io";

/** Signing in with a passkey: it proves both that its owner has it and that it is them, so no code is asked for. */
export const passkeySignInRoutes = new Hono<ConsoleEnv>().post("/sign-in/passkey", async (c) => {
  const form = await readForm(c);
  const next = nextPage(form.get("next") ?? undefined);
  const now = Date.now();
  const answer = { state: form.get("state") ?? "", credential: form.get("credential") ?? "" };
  const found = await memberByKey(c.env, siteFor(c), answer, now);
  const member =
    found.kind === "member" ? await findMember(c.env.DB, { id: found.memberId }) : undefined;
  if (member === undefined) {
    c.status(401);
    const fault =
      found.kind === "refused" ? found.because : "You belong to no organization any more.";
    return showSignIn(c, { next, fault });
  }
  await welcome(c, member, now);
  return c.redirect(next, 303);
});

/** Where this deployment's passkeys are good. */
export const siteFor = (c: Context): Site => siteOf(readConfig(c.env).publicUrl, c.req.url);
