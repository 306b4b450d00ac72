import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { newConnectSession } from "../../accounts/tenants/connect-session";
import { tenantOfPath } from "../../accounts/tenants/lookup.io";
import { readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { isoText } from "../../values/instant";
import { beginConnecting } from "./begin.io";

const BODY_BYTES = 1024 * 1024;

/** Links by which a tenant's people connect an account (reference v1-api.md). */
export const connectSessionRoutes = new Hono<AskerEnv>().post(
  "/tenants/:id/connect-sessions",
  withKey("write"),
  described("A link by which the tenant's people connect an account, or connect one again", {
    tag: "tenants",
    status: 201,
    body: newConnectSession,
    bodyExample: {
      connectors: ["box", "hubspot"],
      returnTo: "https://app.example/connected",
      state: "6f1c",
    },
    answer: {
      url: "https://tributary.example/connect/open/4kX…",
      expiresAt: "2026-11-21T21:00:00.000Z",
    },
  }),
  async (c) => {
    const tenant = await tenantOfPath(c);
    const { url, expiresAt } = await beginConnecting(c, tenant, await readJson(c, BODY_BYTES));
    c.header("Cache-Control", "no-store");
    return c.json({ url, expiresAt: isoText(expiresAt) }, 201);
  },
);
