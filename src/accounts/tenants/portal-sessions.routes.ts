import { Hono } from "hono";
import { readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { isoText } from "../../values/instant";
import { type AskerEnv, withKey } from "../asker.io";
import { beginPortal } from "./begin-portal.io";
import { tenantOfPath } from "./lookup.io";
import { newPortalSession } from "./portal-session";

const BODY_BYTES = 64 * 1024;

/** Links by which a tenant's people see its portal (reference v1-api.md). */
export const portalSessionRoutes = new Hono<AskerEnv>().post(
  "/tenants/:id/portal-sessions",
  withKey("write"),
  described("A link to the tenant's portal, which opens once and is good for an hour", {
    tag: "tenants",
    status: 201,
    body: newPortalSession,
    bodyExample: {
      access: "write",
      frameAncestors: ["https://app.example"],
      brand: { name: "Acme", logo: "https://app.example/logo.svg", accent: "#5b3df5" },
    },
    answer: {
      url: "https://tributary.example/portal/open/4kX…",
      expiresAt: "2026-11-21T21:00:00.000Z",
    },
  }),
  async (c) => {
    const tenant = await tenantOfPath(c);
    const { url, expiresAt } = await beginPortal(c, tenant, await readJson(c, BODY_BYTES));
    c.header("Cache-Control", "no-store");
    return c.json({ url, expiresAt: isoText(expiresAt) }, 201);
  },
);
