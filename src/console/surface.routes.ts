import { Hono } from "hono";
import { portalRoutes } from "./portal/routes";
import { consoleRoutes } from "./routes";

/** Pages for people: the console for members, and the portal for people of tenants. */
export const pages = new Hono<{ Bindings: Env }>()
  .route("/console", consoleRoutes)
  .route("/portal", portalRoutes);
