import { Hono } from "hono";
import { audited } from "../../accounts/audit.io";
import { limitFailures } from "../../http/failure-limit";
import { notFound } from "../../http/refusal";
import type { RequestIdEnv } from "../../http/surface";
import { fromHere } from "../from-here.io";
import { troubleOf } from "../trouble";
import { Trouble } from "../visitors/page";
import { show, withPage } from "../visitors/show.io";
import { accountPages } from "./pages.routes";
import { type ConnectEnv, openConnecting, takeTicket, withConnecting } from "./session.io";

/**
 * The page on which people of a tenant connect an account by themselves, whom its organization lets in by a link
 * (`POST /v1/tenants/{id}/connect-sessions`). It ends with one instance of that tenant, and they reach nothing else anywhere.
 */
export const connectPageRoutes = new Hono<ConnectEnv & RequestIdEnv>()
  .use(withPage)
  .use(limitFailures)
  .get("/open/:token", async (c) => {
    // Whoever asks for the head alone, as previews of links do, must not use it up.
    if (c.req.method === "GET") await openConnecting(c, c.req.param("token"));
    return c.redirect("/connect", 303);
  })
  .get("/continue/:ticket", async (c) => {
    const { consent } = await takeTicket(c, c.req.param("ticket"));
    return c.redirect(consent?.url ?? "/connect", 303);
  })
  .use(fromHere)
  .use(audited)
  .use(withConnecting)
  .route("/", accountPages)
  .all("*", () => {
    throw notFound("There is no such page");
  })
  .onError((error, c) => {
    const { status, headers, message } = troubleOf(error, c.get("requestId"));
    c.status(status);
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    return show(c, <Trouble message={message} />, { title: message }, c.var.connecting);
  });
