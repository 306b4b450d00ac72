import { type Context, Hono } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import {
  checkCode,
  confirm,
  renewRecoveryCodes,
  secretOf,
  setUp,
} from "../../accounts/two-step/check.io";
import { countRecoveryCodes, readTotp, removeTotp } from "../../accounts/two-step/store";
import { enrolmentUri } from "../../accounts/two-step/totp";
import { leave, readForm } from "../session/routes";
import { type FormFault, presentPasswordFault, waitFor } from "../session/present-password.io";
import type { SignedInEnv } from "../session/session.io";
import { BeginForm, ConfirmForm, ManageForms, RecoveryCodes } from "./two-step";

const HERE = "/console/two-step";

/** Every member's own authenticator app: whoever only reads sets it up too. */
export const twoStepRoutes = new Hono<SignedInEnv>()
  .get("/two-step", (c) => show(c))
  .post("/two-step", async (c) => {
    const form = await readForm(c);
    const now = Date.now();
    const fault = await presentPasswordFault(c, form.get("present") ?? "", now);
    if (fault !== undefined) return show(c, fault);
    await setUp(c.env, c.var.member.id, now);
    return c.redirect(HERE, 303);
  })
  .post("/two-step/confirm", async (c) => {
    const code = (await readForm(c)).get("code") ?? "";
    const codes = await confirm(c.env, c.var.member.id, code, Date.now());
    if (codes === undefined)
      return show(c, { status: 400, text: "This code is not right. Type the one it shows now." });
    return draw(c, <RecoveryCodes codes={codes} />);
  })
  .post("/two-step/recovery-codes", async (c) => {
    const fault = await proofFault(c, await readForm(c));
    if (fault !== undefined) return show(c, fault);
    return draw(c, <RecoveryCodes codes={await renewRecoveryCodes(c.env, c.var.member.id)} />);
  })
  .post("/two-step/off", async (c) => {
    const fault = await proofFault(c, await readForm(c));
    if (fault !== undefined) return show(c, fault);
    await removeTotp(c.env.DB, c.var.member.id);
    const text = "You sign in without a code from now on";
    return leave(c, "/console/security", { tone: "good", text });
  });

/** What is wrong with the password and the code that somebody gave to change how they sign in. */
async function proofFault(
  c: Context<SignedInEnv>,
  form: URLSearchParams,
): Promise<FormFault | undefined> {
  const now = Date.now();
  const fault = await presentPasswordFault(c, form.get("present") ?? "", now);
  if (fault !== undefined) return fault;
  const verdict = await checkCode(c.env, c.var.member.id, form.get("code") ?? "", now);
  if (verdict.kind === "limited") return waitFor(c, verdict.until, now);
  return verdict.kind === "right"
    ? undefined
    : { status: 400, text: "This code is not right, or was used already." };
}

async function show(c: Context<SignedInEnv>, fault?: FormFault): Promise<Response> {
  if (fault !== undefined) c.status(fault.status);
  const about = fault === undefined ? {} : { fault: fault.text };
  const { id, email } = c.var.member;
  const totp = await readTotp(c.env.DB, id);
  if (totp === undefined) return draw(c, <BeginForm {...about} />);
  if (totp.confirmedAt !== null)
    return draw(
      c,
      <ManageForms recoveryCodes={await countRecoveryCodes(c.env.DB, id)} {...about} />,
    );
  const secret = secretOf(c.env, totp);
  return draw(c, <ConfirmForm secret={secret} uri={enrolmentUri(secret, email)} {...about} />);
}

const draw = (c: Context<SignedInEnv>, content: JSX.Element): Promise<Response> =>
  c.render(content, { title: "Two-step sign-in", here: "security" });
