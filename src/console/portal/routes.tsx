import { Hono } from "hono";
import { audited } from "../../accounts/audit.io";
import { limitFailures } from "../../http/failure-limit";
import { notFound } from "../../http/refusal";
import type { RequestIdEnv } from "../../http/surface";
import { fromHere } from "../from-here.io";
import { troubleOf } from "../trouble";
import { endpointPages } from "./endpoints.routes";
import { guidePages } from "./guide.routes";
import { messagePages } from "./messages.routes";
import { servingPages } from "./serving.routes";
import { openPortal, type PortalEnv, withPortal } from "./session.io";
import { Trouble } from "../visitors/page";
import { withPage } from "../visitors/show.io";
import { show } from "./show.io";

/**
 * The portal: pages for the people of a tenant, whom its organization lets in by a link
 * (`POST /v1/tenants/{id}/portal-sessions`), most often within a page of its own. They reach their endpoints and
 * messages, and nothing else anywhere.
 */
export const portalRoutes = new Hono<PortalEnv & RequestIdEnv>()
  .use(withPage)
  .use(limitFailures)
  .get("/open/:token", async (c) => {
    // Whoever asks for the head alone, as previews of links do, must not use it up.
    if (c.req.method === "GET") await openPortal(c, c.req.param("token"));
    return c.redirect("/portal", 303);
  })
  .use(fromHere)
  .use(audited)
  .use(withPortal)
  .route("/", endpointPages)
  .route("/", servingPages)
  .route("/", messagePages)
  .route("/", guidePages)
  .all("*", () => {
    throw notFound("There is no such page");
  })
  .onError((error, c) => {
    const { status, headers, message } = troubleOf(error, c.get("requestId"));
    c.status(status);
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    return show(c, <Trouble message={message} />, { title: message });
  });
