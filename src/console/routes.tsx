import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { audited } from "../accounts/audit.io";
import { limitFailures } from "../http/failure-limit";
import { notFound } from "../http/refusal";
import type { RequestIdEnv } from "../http/surface";
import { appPages } from "./apps/routes";
import { auditPages } from "./audit/routes";
import { backFromVendorPages, connectPages } from "./connect/routes";
import { connectorPages } from "./connectors/routes";
import { deliveryRoutes } from "./deliveries/routes";
import { destinationEditPages } from "./destinations/edit.routes";
import { signingKeyPages } from "./destinations/keys.routes";
import { destinationPages } from "./destinations/routes";
import { fromHere } from "./from-here.io";
import { eventPages } from "./events/routes";
import { eventTypePages } from "./event-types/routes";
import { instanceEditPages } from "./instances/edit.routes";
import { instancePages } from "./instances/routes";
import { memberPages } from "./members/routes";
import { baseUrlOf, overviewRoutes } from "./overview/routes";
import { type About, page } from "./page";
import { publishPages } from "./publish/routes";
import { resourcePages } from "./resources/routes";
import { passkeyPages } from "./security/passkeys.routes";
import { applicationPages } from "./settings/apps.routes";
import { jobPages } from "./settings/jobs.routes";
import { keyPages } from "./settings/keys.routes";
import { usagePages } from "./settings/usage.routes";
import { settingsPages } from "./settings/routes";
import { troubleOf } from "./trouble";
import { tenantPages } from "./tenants/routes";
import { securityRoutes } from "./security/routes";
import { twoStepRoutes } from "./security/two-step.routes";
import { codeRoutes } from "./session/code.routes";
import { invitationRoutes } from "./session/invitations.routes";
import { ownOrganizationRoutes } from "./session/organizations.routes";
import { ownSessionRoutes } from "./session/own-sessions.routes";
import { passwordRoutes } from "./session/password.routes";
import { passkeySignInRoutes } from "./session/passkey.routes";
import { setupRoutes } from "./session/setup.routes";
import { sessionRoutes, takeNotice } from "./session/routes";
import { singleSignOnRoutes } from "./session/single-sign-on.routes";
import { type ConsoleEnv, withRole, withSession } from "./session/session.io";

declare module "hono" {
  interface ContextRenderer {
    (content: Child, about: About): Promise<Response>;
  }
}

/** Gives handlers `c.render`, and the browser nothing to load, run or frame but the page itself. */
const withPage = createMiddleware<ConsoleEnv>(async (c, next) => {
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  c.setRenderer(async (content, about) => {
    const notice = await takeNotice(c);
    const frame = { ...about, nonce, who: c.var.member, baseUrl: baseUrlOf(c), notice };
    return c.html(page(frame, content));
  });
  await next();
  c.header(
    "Content-Security-Policy",
    `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  );
  c.header("Cache-Control", "no-store");
  // Not `no-referrer`: a form's Origin would be `null` then.
  c.header("Referrer-Policy", "same-origin");
  c.header("X-Content-Type-Options", "nosniff");
});

/** The web console, for people: pages rendered here, forms that post, no script needed. */
export const consoleRoutes = new Hono<ConsoleEnv & RequestIdEnv>()
  .use(withPage)
  .use(limitFailures)
  .use(fromHere)
  .route("/", sessionRoutes)
  .route("/", setupRoutes)
  .route("/", codeRoutes)
  .route("/", singleSignOnRoutes)
  .route("/", passkeySignInRoutes)
  .route("/", backFromVendorPages)
  .use("/invitations/*", audited)
  .route("/", invitationRoutes)
  .use(withSession)
  .use(audited)
  .route("/", ownSessionRoutes)
  .route("/", ownOrganizationRoutes)
  .route("/", passwordRoutes)
  .route("/", securityRoutes)
  .route("/", twoStepRoutes)
  .route("/", passkeyPages)
  .use(withRole)
  .route("/", overviewRoutes)
  .route("/", connectPages)
  .route("/", instancePages)
  .route("/", eventPages)
  .route("/", eventTypePages)
  .route("/", publishPages)
  .route("/", instanceEditPages)
  .route("/", deliveryRoutes)
  .route("/", destinationPages)
  .route("/", destinationEditPages)
  .route("/", signingKeyPages)
  .route("/", appPages)
  .route("/", tenantPages)
  .route("/", connectorPages)
  .route("/", resourcePages)
  .route("/", memberPages)
  .route("/", auditPages)
  .route("/", settingsPages)
  .route("/", keyPages)
  .route("/", jobPages)
  .route("/", applicationPages)
  .route("/", usagePages)
  .all("*", (c) => {
    if (c.req.path === "/console/") return c.redirect("/console", 301);
    throw notFound("There is no such page");
  })
  .onError((error, c) => {
    const { status, headers, message } = troubleOf(error, c.get("requestId"));
    c.status(status);
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    return c.render(<Trouble message={message} />, { title: message });
  });

const Trouble = ({ message }: { message: string }): JSX.Element => (
  <section class="empty">
    <h1>{message}</h1>
    <p>
      Go back, or begin at <a href="/console">the overview</a>.
    </p>
  </section>
);
