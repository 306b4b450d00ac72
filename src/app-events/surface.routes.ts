import { Hono } from "hono";
import type { UserEnv } from "../accounts/users/routes";
import { historyRoutes } from "./history.routes";
import { appEventRoutes as publishRoutes } from "./routes";
import { variableRoutes } from "./variables.routes";

/** App events on the app surface. */
export const appEventRoutes = new Hono<UserEnv>()
  .route("/", publishRoutes)
  .route("/", historyRoutes)
  .route("/", variableRoutes);
