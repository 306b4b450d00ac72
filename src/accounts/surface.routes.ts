import { Hono } from "hono";
import { bootstrapRoutes } from "./bootstrap.routes";
import { auditRoutes } from "./audit.routes";
import { beginLocally } from "./local.io";
import { authenticationRoutes } from "./authentication.routes";
import { keyRoutes } from "./keys.routes";
import { memberRoutes } from "./members/routes";
import { transferRoutes } from "./members/transfer.routes";
import type { AskerEnv } from "./asker.io";
import { memberSessionRoutes } from "./members/sessions.routes";
import { passkeyRoutes } from "./passkeys/routes";
import { portalSessionRoutes } from "./tenants/portal-sessions.routes";
import { tenantRoutes } from "./tenants/routes";
import { twoStepRoutes } from "./two-step/routes";
import { accountSettingsRoutes } from "./settings.routes";
import { verifiedEmailRoutes } from "./users/verified-email.routes";
import { organizationsRoutes } from "./organizations/routes";
import { endUserRoutes } from "./users/admin.routes";
import { userRoutes } from "./users/routes";

/** What accounts have on each surface. */
export const accountRoutes = {
  elements: new Hono<AskerEnv>().route("/", authenticationRoutes).route("/", accountSettingsRoutes),
  v1: new Hono<AskerEnv>()
    .route("/", bootstrapRoutes)
    .route("/", keyRoutes)
    .route("/", auditRoutes)
    .route("/", memberRoutes)
    .route("/", transferRoutes)
    .route("/", organizationsRoutes)
    .route("/", endUserRoutes)
    .route("/", tenantRoutes)
    .route("/", portalSessionRoutes)
    .route("/", memberSessionRoutes)
    .route("/", twoStepRoutes)
    .route("/", passkeyRoutes)
    .route("/", verifiedEmailRoutes),
  app: userRoutes,
  beginLocally,
};
