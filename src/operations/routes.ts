import { Hono } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { deliveryRoutes } from "./deliveries/routes";
import type { OwnerUpdates } from "./destinations/owner-update";
import { destinationRoutes } from "./destinations/routes";
import { organizationRoutes } from "./organization.routes";
import { jobRoutes } from "./jobs/routes";
import { tenantChangeRoutes } from "./tenants/routes";
import { streamRoutes } from "./streams/routes";
import type { ConnectorsOf } from "./usage/read.io";
import { usageRoutes } from "./usage/routes";

/** `/v1`, except for what other rooms add: accounts its keys, polling its poll now (reference v1-api.md). */
export const operationsRoutes = (
  ownerUpdates: OwnerUpdates,
  connectorsOf: ConnectorsOf,
): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .route("/", streamRoutes)
    .route("/", jobRoutes)
    .route("/", deliveryRoutes)
    .route("/", destinationRoutes(ownerUpdates))
    .route("/", tenantChangeRoutes)
    .route("/", usageRoutes(connectorsOf))
    .route("/", organizationRoutes);
