import { Hono } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { elementInstanceRoutes } from "./catalog/element-instances.routes";
import { catalogRoutes } from "./catalog/routes";
import type { Knowing } from "./catalog/knowing";
import { ownConnectorRoutes } from "./catalog/user-connectors.routes";
import { type Companion, InstanceEdits } from "./edit.io";
import { historyRoutes } from "./history/routes";
import { hubRoutes, shortHubRoutes } from "./hub.routes";
import { instanceRoutes } from "./instances.routes";
import { notificationRoutes } from "./notifications/routes";
import { subscriptionRoutes } from "./notifications/subscriptions.routes";

/**
 * The connector surface (reference connector-events-api.md). Static paths come before `/instances/:id`;
 * the short forms of hub paths come last, since they take any path.
 */
export function elementsRoutes(knowing: Knowing, companion: Companion): Hono<AskerEnv> {
  const edits = new InstanceEdits(knowing.pollingFaults, companion);
  return new Hono<AskerEnv>()
    .route("/", ownConnectorRoutes(knowing))
    .route("/", elementInstanceRoutes(edits))
    .route("/", catalogRoutes)
    .route("/", historyRoutes)
    .route("/", subscriptionRoutes)
    .route("/", notificationRoutes)
    .route("/", instanceRoutes(edits))
    .route("/", hubRoutes)
    .route("/", shortHubRoutes);
}
