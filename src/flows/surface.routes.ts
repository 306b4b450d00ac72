import { Hono } from "hono";
import type { UserEnv } from "../accounts/users/routes";
import { catalogRoutes } from "./catalog/routes";
import { coordinatorRoutes } from "./coordinator.routes";
import { listRoutes } from "./list/routes";
import { logRoutes } from "./logs/routes";
import { flowRoutes as oneFlowRoutes } from "./routes";
import { templateRoutes } from "./templates/routes";
import { unprocessedRoutes } from "./unprocessed/routes";
import { webhookRoutes } from "./webhooks.routes";

/** Flows on the app surface. Static paths come before `/flows/:id`. */
export const flowRoutes = new Hono<UserEnv>()
  .route("/", webhookRoutes)
  .route("/", templateRoutes)
  .route("/", unprocessedRoutes)
  .route("/", logRoutes)
  .route("/", catalogRoutes)
  .route("/", listRoutes)
  .route("/", coordinatorRoutes)
  .route("/", oneFlowRoutes);
