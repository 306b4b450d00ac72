import { Hono } from "hono";
import { connectPageRoutes } from "./connect-page/routes";
import { portalRoutes } from "./portal/routes";
import { consoleRoutes } from "./routes";

/** Pages for people: the console for members; the portal, and the page to connect an account, for people of tenants. */
export const pages = new Hono<{ Bindings: Env }>()
  .route("/console", consoleRoutes)
  .route("/portal", portalRoutes)
  .route("/connect", connectPageRoutes);
