import { Hono } from "hono";
import { listSessions } from "../../accounts/members/sessions.store";
import { listPasskeys } from "../../accounts/passkeys/store";
import { countRecoveryCodes, readTotp } from "../../accounts/two-step/store";
import type { SignedInEnv } from "../session/session.io";
import { SecurityPage } from "./page";

/** How a member signs in, and where they are signed in: everybody's own. */
export const securityRoutes = new Hono<SignedInEnv>().get("/security", async (c) => {
  const { DB } = c.env;
  const { id, email, role } = c.var.member;
  const now = Date.now();
  const [totp, recoveryCodes, passkeys, sessions] = await Promise.all([
    readTotp(DB, id),
    countRecoveryCodes(DB, id),
    listPasskeys(DB, id),
    listSessions(DB, id, now),
  ]);
  const twoStepSince = totp?.confirmedAt ?? undefined;
  return c.render(
    <SecurityPage
      who={{ email, role }}
      {...(twoStepSince === undefined ? {} : { twoStep: { since: twoStepSince, recoveryCodes } })}
      passkeys={passkeys.length}
      sessions={sessions.length}
      now={now}
    />,
    { title: "Security", here: "security" },
  );
});
