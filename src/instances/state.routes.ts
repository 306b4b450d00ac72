import { Hono } from "hono";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { stateView } from "../delivery/state";
import { described } from "../http/route-description";
import { attentionOf, attentionView } from "./attention";
import { eventSettings } from "./configuration";
import { factsOf, inReach } from "./lookup.io";

/** How an instance stands, without its secrets and its token (reference v1-api.md). */
export const instanceStateRoutes = new Hono<AskerEnv>().get(
  "/instances/:id",
  withKey("read", { limits: "kept" }),
  described("How an instance stands, and what keeps it from getting events", {
    tag: "streams",
    answer: {
      id: 27,
      name: "My instance",
      connector: "box",
      valid: true,
      disabled: false,
      tenant: null,
      events: { enabled: true, modes: ["polling", "webhook"], intervalMinutes: 15 },
      callbackState: { name: "active", since: null, because: null },
      attention: [{ code: "no-signature-key", message: "Deliveries are refused since …" }],
    },
  }),
  async (c) => {
    const facts = await factsOf(c, await inReach(c));
    const { instance, callback } = facts;
    const { id, name, connector, configuration, valid, disabled, tenant } = instance;
    return c.json({
      id,
      name,
      connector: connector.key,
      valid,
      disabled,
      tenant: tenant?.id ?? null,
      events: eventSettings(connector, configuration),
      callbackState: callback === undefined ? null : stateView(callback),
      attention: attentionView(attentionOf(facts)),
    });
  },
);
