import { type Context, Hono } from "hono";
import { bootstrap, hasOrganization } from "../../accounts/bootstrap.store";
import { findMember } from "../../accounts/members/store";
import { passwordNeeds } from "../../accounts/passwords/needs";
import { equalSecrets } from "../../accounts/secret";
import { readConfig } from "../../config";
import type { RequestIdEnv } from "../../http/surface";
import { readForm } from "./routes";
import type { ConsoleEnv } from "./session.io";
import { welcome } from "./second-step.io";
import { type SetupForm, SetupPage, SetUpPage } from "./setup";

const MOST_CHARACTERS = 200;

/** Where whoever deployed this makes the first organization, with the bootstrap key: `POST /v1/bootstrap` as a page. */
export const setupRoutes = new Hono<ConsoleEnv & RequestIdEnv>()
  .get("/setup", async (c) => {
    if (await isSetUp(c.env)) return c.redirect("/console/sign-in", 303);
    return show(c, { organization: "", email: "" });
  })
  .post("/setup", async (c) => {
    if (await isSetUp(c.env)) return c.redirect("/console/sign-in", 303);
    const form = await readForm(c);
    const read = (name: keyof SetupForm): string => (form.get(name) ?? "").trim();
    const typed = { organization: read("organization"), email: read("email") };
    const { bootstrapKey = "" } = readConfig(c.env);
    if (!equalSecrets(read("key"), bootstrapKey)) {
      c.status(401);
      return show(c, typed, { key: "Expected the bootstrap key of this Worker" });
    }
    const password = form.get("password") ?? "";
    const faults = faultsOf(typed, password);
    if (Object.keys(faults).length > 0) {
      c.status(400);
      return show(c, typed, faults);
    }
    const credentials = newCredentials();
    const { organization: organizationName, email } = typed;
    const now = Date.now();
    const made = await bootstrap(
      c.env.DB,
      { organizationName, email, password, ...credentials },
      {
        at: now,
        address: c.req.header("cf-connecting-ip") ?? null,
        requestId: c.get("requestId"),
      },
    );
    const member = await findMember(c.env.DB, { email });
    if (made === undefined || member === undefined) return c.redirect("/console/sign-in", 303);
    await welcome(c, member, now);
    return c.render(<SetUpPage {...credentials} />, { title: "Set up" });
  });

/** Without a bootstrap key nobody can set it up here. */
const isSetUp = async (env: Env): Promise<boolean> =>
  readConfig(env).bootstrapKey === undefined || (await hasOrganization(env.DB));

function show(
  c: Context<ConsoleEnv & RequestIdEnv>,
  typed: Pick<SetupForm, "organization" | "email">,
  faults: Partial<SetupForm> = {},
): Response | Promise<Response> {
  return c.render(<SetupPage typed={typed} faults={faults} />, { title: "Set up" });
}

function faultsOf(
  { organization, email }: Pick<SetupForm, "organization" | "email">,
  password: string,
): Partial<SetupForm> {
  const needs = passwordNeeds(password);
  return {
    ...(organization === "" || organization.length > MOST_CHARACTERS
      ? { organization: `Expected a name of 1 to ${MOST_CHARACTERS} characters` }
      : {}),
    ...(/^[^\s@]+@[^\s@]+$/.test(email) && email.length <= MOST_CHARACTERS
      ? {}
      : { email: "Expected an e-mail address" }),
    ...(needs === undefined ? {} : { password: `Expected ${needs}` }),
  };
}

function newCredentials(): Record<"apiKey" | "organizationSecret" | "userSecret", string> {
  const secret = (): string =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  return { apiKey: `trk_${secret()}`, organizationSecret: secret(), userSecret: secret() };
}
