import { type Context, Hono } from "hono";
import * as z from "zod";
import { recordAudit } from "../../accounts/audit.store";
import type { Vouched } from "../../accounts/single-sign-on/claims";
import { roleFor } from "../../accounts/single-sign-on/role";
import { admit } from "../../accounts/single-sign-on/store";
import {
  accessVouches,
  authorizationUrl,
  type Begun,
  oidcVouches,
} from "../../accounts/single-sign-on/verify.io";
import { firstOrganizationId } from "../../accounts/users/store";
import { readConfig } from "../../config";
import { notFound } from "../../http/refusal";
import type { RequestIdEnv } from "../../http/surface";
import { equalInConstantTime } from "../../values/bytes";
import { dropCookie, keepSealed, readSealed } from "./cookie.io";
import { GoOn } from "./other-ways";
import { nextPage } from "./next-page";
import { readForm, showSignIn } from "./routes";
import { welcome } from "./second-step.io";
import type { ConsoleEnv } from "./session.io";

const BEGUN = "tributary_sign_in";
/** Whoever goes to the provider has this long to come back: 10 minutes. */
const BEGUN_SECONDS = 600;
const begun = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  next: z.string(),
  until: z.number(),
});

type SignInEnv = ConsoleEnv & RequestIdEnv;

/** Signing in with Cloudflare Access or an OpenID provider, where the deployment is set up for it (`MEMBER_SIGN_IN`). */
export const singleSignOnRoutes = new Hono<SignInEnv>()
  .post("/sign-in/access", async (c) => {
    const next = nextPage((await readForm(c)).get("next") ?? undefined);
    const now = Date.now();
    const assertion = c.req.header("cf-access-jwt-assertion") ?? "";
    const vouched = await accessVouches(c.env, assertion, now);
    if (vouched === undefined) throw notFound("Signing in with Cloudflare Access is not set up");
    const fault = await enter(c, vouched, now);
    return fault === undefined ? c.redirect(next, 303) : refuse(c, next, fault);
  })
  .get("/sign-in/oidc", async (c) => {
    const provider = providerOf(c);
    const now = Date.now();
    const next = nextPage(c.req.query("next"));
    const begin: Begun = { state: random(), nonce: random(), verifier: random() };
    try {
      const url = await authorizationUrl(c.env, provider, begin, backAddress(c), now);
      const until = now + BEGUN_SECONDS * 1000;
      // Lax: the provider sends the browser back from its own site.
      await keepSealed(c, BEGUN, { ...begin, next, until }, BEGUN_SECONDS, "Lax");
      return c.redirect(url, 303);
    } catch (error) {
      return unreachable(c, next, error);
    }
  })
  .get("/sign-in/oidc/back", async (c) => {
    const provider = providerOf(c);
    const now = Date.now();
    const { data } = begun.safeParse(await readSealed(c, BEGUN));
    dropCookie(c, BEGUN);
    const { code, state } = c.req.query();
    const next = nextPage(data?.next);
    if (data === undefined || data.until <= now || !equalInConstantTime(state ?? "", data.state))
      return refuse(c, next, "This sign-in was not begun here, or took too long");
    if (code === undefined) return refuse(c, next, "The provider signed nobody in");
    try {
      const brought = { code, redirectUri: backAddress(c) };
      const vouched = await oidcVouches(c.env, provider, data, brought, now);
      const fault = await enter(c, vouched, now);
      if (fault !== undefined) return refuse(c, next, fault);
    } catch (error) {
      return unreachable(c, next, error);
    }
    return c.render(<GoOn to={next} />, { title: "Signed in", goOn: next });
  });

const random = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");

function providerOf(c: Context<SignInEnv>) {
  const provider = readConfig(c.env).memberSignIn?.oidc;
  if (provider === undefined) throw notFound("Signing in with a provider is not set up");
  return provider;
}

const backAddress = (c: Context<SignInEnv>): string =>
  `${readConfig(c.env).publicUrl ?? new URL(c.req.url).origin}/console/sign-in/oidc/back`;

/** Signs in whom somebody vouched for. @returns why not, in words for them. */
async function enter(
  c: Context<SignInEnv>,
  vouched: Vouched,
  now: number,
): Promise<string | undefined> {
  if (vouched.kind === "refused") return `What the provider says was refused. ${vouched.because}`;
  const { email } = vouched;
  const settings = readConfig(c.env).memberSignIn;
  const organizationId = settings?.organizationId ?? (await firstOrganizationId(c.env.DB));
  if (organizationId === undefined) return "This deployment has no organization yet";
  const role = roleFor(email, settings?.roles ?? {});
  const admitted = await admit(c.env.DB, organizationId, { email, role }, now);
  if (admitted === undefined) return `${email} is no member here`;
  const { member, isNew } = admitted;
  if (isNew)
    await recordAudit(c.env.DB, {
      organizationId,
      at: now,
      actor: `member:${member.id}`,
      address: c.req.header("cf-connecting-ip") ?? null,
      action: "member.join",
      target: String(member.id),
      route: `${c.req.method} ${c.req.path}`,
      requestId: c.get("requestId"),
      changes: [],
      differences: { before: {}, after: { email, role } },
    });
  await welcome(c, { ...member, isBound: true }, now);
  return undefined;
}

function refuse(c: Context<SignInEnv>, next: string, fault: string) {
  c.status(401);
  return showSignIn(c, { next, fault: `${fault}.` });
}

function unreachable(c: Context<SignInEnv>, next: string, error: unknown) {
  console.warn(JSON.stringify({ at: "single-sign-on", error: String(error) }));
  c.status(502);
  return showSignIn(c, { next, fault: "Your identity provider gave no answer that can be used." });
}
