import { type Context, Hono } from "hono";
import * as z from "zod";
import { readConfig } from "../config";
import { parse, readJson } from "../http/body";
import { forbidden, limited, unauthenticated } from "../http/refusal";
import type { AskerEnv } from "./asker.io";
import { parseAuthorization } from "./authorization";
import { foldEmail } from "./email";
import { memberSecrets } from "./members/member-secrets";
import { scopesOf } from "./members/role";
import { beginSession, findSession } from "./members/sessions.store";
import { findMember, type Member, noteSeen } from "./members/store";
import { verifyPassword } from "./secret";
import { countTry, forgiveTry, type Try } from "./sign-in.store";
import { checkCode } from "./two-step/check.io";
import { asksForCode } from "./two-step/store";

const BODY_BYTES = 64 * 1024;
const credential = (what: string) => z.string(`Expected ${what}`).min(1).max(1_024);
const signIn = z.object({
  username: credential("an e-mail address"),
  password: credential("a password"),
  /** Of the second step, where the member set one up. */
  code: z.string().max(100).optional(),
});

/**
 * Signing in on the connector surface (reference connector-events-api.md §1): a member's e-mail address and password for
 * a token, and an owner's token for the secrets that everything else there asks for.
 */
export const authenticationRoutes = new Hono<AskerEnv>()
  .post("/authentication", async (c) => {
    const { username, password, code } = parse(signIn, await readJson(c, BODY_BYTES));
    const now = Date.now();
    const address = c.req.header("cf-connecting-ip") ?? "unknown";
    const tried: Try = { door: "member", name: foldEmail(username), address };
    refuseEarly(await countTry(c.env.DB, tried, now), now);
    const member = await findMember(c.env.DB, { email: username });
    const fits = verifyPassword(password, member?.passwordHash);
    if (member === undefined || !fits) throw unauthenticated("Invalid username or password");
    const twoFactor = await asksForCode(c.env.DB, member.id);
    if (twoFactor) await checkSecondStep(c, member, code, now);
    await forgiveTry(c.env.DB, tried, now);
    await noteSeen(c.env.DB, member, now);
    const browser = { address, userAgent: c.req.header("user-agent") ?? "" };
    const token = await beginSession(c.env.DB, member, browser, now);
    return c.json({ token, twoFactor, registeredForTwoFactor: twoFactor });
  })
  .get("/authentication/secrets", async (c) => {
    const credentials = parseAuthorization(c.req.header("authorization"));
    if (credentials.kind !== "bearer")
      throw unauthenticated("Expected 'Authorization: Bearer <token of POST /authentication>'");
    const session = await findSession(c.env.DB, credentials.token, Date.now());
    if (session === undefined) throw unauthenticated("Invalid or expired token");
    const { member } = session;
    const { organizationId, userId, role, id } = member;
    if (role !== "owner") throw forbidden("Only an owner may have the organization's secrets");
    c.set("asker", { organizationId, userId, scopes: scopesOf(role), name: `member:${id}` });
    c.header("Cache-Control", "no-store");
    return c.json(memberSecrets(member, readConfig(c.env).sessionKey));
  });

/** @throws Refusal unless the code is right. */
async function checkSecondStep(
  c: Context<AskerEnv>,
  { id }: Member,
  code: string | undefined,
  now: number,
): Promise<void> {
  if (code === undefined) throw unauthenticated("Expected 'code', of the second step");
  const verdict = await checkCode(c.env, id, code, now);
  if (verdict.kind === "limited") refuseEarly(verdict.until, now);
  if (verdict.kind !== "right") throw unauthenticated("Invalid code of the second step");
}

/** @throws Refusal `limited` while the next try isn't allowed yet. */
function refuseEarly(until: number | undefined, now: number): void {
  if (until !== undefined)
    throw limited("Too many failed tries", Math.max(1, Math.ceil((until - now) / 1000)));
}
