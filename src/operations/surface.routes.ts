import { Hono } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { deliveryRoutes } from "./deliveries.routes";
import type { Owners } from "./destinations/owner";
import { destinationRoutes } from "./destinations/routes";
import { organizationRoutes } from "./organization.routes";
import { streamRoutes } from "./streams.routes";
import { type ConnectorsOf, usageRoutes } from "./usage/routes";

/** Our own surface, as far as it looks at streams and what leaves them (reference v1-api.md). */
export const operationsRoutes = (owners: Owners, connectorsOf: ConnectorsOf): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .route("/", streamRoutes)
    .route("/", deliveryRoutes)
    .route("/", destinationRoutes(owners))
    .route("/", usageRoutes(connectorsOf))
    .route("/", organizationRoutes);
