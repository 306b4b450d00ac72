import { type Context, Hono } from "hono";
import { askForKey, takeKey } from "../../accounts/passkeys/verify.io";
import { listPasskeys, removePasskeys } from "../../accounts/passkeys/store";
import { boundFault, type FormFault, presentPasswordFault } from "../session/present-password.io";
import { PASSKEY_SCRIPT } from "../session/passkey-script";
import { siteFor } from "../session/passkey.routes";
import { leave, readForm } from "../session/routes";
import type { SignedInEnv } from "../session/session.io";
import { NewPasskey, PasskeysPage } from "./passkeys";

const HERE = "/console/passkeys";
const MOST_NAME = 60;
const frame = { title: "Passkeys", here: "security" } as const;

/** Every member's own passkeys: whoever only reads makes them too. */
export const passkeyPages = new Hono<SignedInEnv>()
  .get("/passkeys", (c) => show(c))
  .post("/passkeys/new", async (c) => {
    const form = await readForm(c);
    const now = Date.now();
    const fault = await presentPasswordFault(c, form.get("present") ?? "", now);
    if (fault !== undefined) return show(c, fault);
    const asked = await askForKey(c.env, siteFor(c), c.var.member, now);
    return c.render(<NewPasskey asked={asked} />, { ...frame, script: PASSKEY_SCRIPT });
  })
  .post("/passkeys", async (c) => {
    const form = await readForm(c);
    const now = Date.now();
    const answer = {
      memberId: c.var.member.id,
      name: (form.get("name") ?? "").trim().slice(0, MOST_NAME) || "Passkey",
      state: form.get("state") ?? "",
      credential: form.get("credential") ?? "",
    };
    const taken = await takeKey(c.env, siteFor(c), answer, now);
    if (taken.kind === "refused") return show(c, { status: 400, text: taken.because });
    c.set("subject", taken.id);
    const text = `From now on you may sign in with ${answer.name}`;
    return leave(c, HERE, { tone: "good", text });
  })
  .post("/passkeys/:id/remove", async (c) => {
    const fault = boundFault(c);
    if (fault !== undefined) return show(c, fault);
    // One that is gone, or another's, is left alone: the outcome is the same.
    await removePasskeys(c.env.DB, c.var.member.id, c.req.param("id"));
    const text = "That passkey signs nobody in any more. Delete it on your device, too";
    return leave(c, HERE, { tone: "good", text });
  });

async function show(c: Context<SignedInEnv>, fault?: FormFault): Promise<Response> {
  if (fault !== undefined) c.status(fault.status);
  const passkeys = await listPasskeys(c.env.DB, c.var.member.id);
  return c.render(
    <PasskeysPage
      passkeys={passkeys}
      now={Date.now()}
      {...(fault === undefined ? {} : { fault: fault.text })}
    />,
    frame,
  );
}
