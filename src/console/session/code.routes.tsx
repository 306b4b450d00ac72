import { type Context, Hono } from "hono";
import { asksForCode, countRecoveryCodes } from "../../accounts/two-step/store";
import { checkCode } from "../../accounts/two-step/check.io";
import { CodeForm } from "./code-form";
import { nextPage } from "./next-page";
import { leave, readForm } from "./routes";
import { awaited, stopWaiting, welcome } from "./second-step.io";
import type { ConsoleEnv } from "./session.io";

const SIGN_IN = "/console/sign-in";

/** The second step of signing in: a code, of the authenticator app or for recovery. */
export const codeRoutes = new Hono<ConsoleEnv>()
  .get("/sign-in/code", async (c) => {
    if ((await awaited(c, Date.now())) === undefined) return c.redirect(SIGN_IN, 303);
    return showForm(c, nextPage(c.req.query("next")));
  })
  .post("/sign-in/code", async (c) => {
    const form = await readForm(c);
    const next = nextPage(form.get("next") ?? undefined);
    const now = Date.now();
    const member = await awaited(c, now);
    if (member === undefined) return c.redirect(SIGN_IN, 303);
    // Its own app may have been taken off meanwhile: the password is to be given again.
    if (!(await asksForCode(c.env.DB, member.id))) return c.redirect(SIGN_IN, 303);
    const verdict = await checkCode(c.env, member.id, form.get("code") ?? "", now);
    switch (verdict.kind) {
      case "limited": {
        const seconds = Math.ceil((verdict.until - now) / 1000);
        c.header("Retry-After", String(seconds));
        c.status(429);
        return showForm(c, next, `Too many wrong codes. Wait ${seconds} s and try again.`);
      }
      case "wrong":
        c.status(401);
        return showForm(c, next, "This code is not right, or was used already.");
      case "right":
        stopWaiting(c);
        await welcome(c, member, now);
        if (verdict.by === "app") return c.redirect(next, 303);
        return leave(c, next, {
          tone: "good",
          text: `You used up a recovery code; ${await countRecoveryCodes(c.env.DB, member.id)} are left`,
        });
    }
  });

function showForm(
  c: Context<ConsoleEnv>,
  next: string,
  fault?: string,
): Response | Promise<Response> {
  const about = fault === undefined ? {} : { fault };
  return c.render(<CodeForm next={next} {...about} />, { title: "Sign in" });
}
