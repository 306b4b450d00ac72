import { Hono } from "hono";
import { readConfig } from "../../config";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { isoText } from "../../values/instant";
import { type AskerEnv, withKey } from "../asker.io";
import { tenantOfPath } from "./lookup.io";
import { newPortalSession } from "./portal-session";
import { createPortalSession } from "./portal-sessions.store";

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
    const { id: tenantId } = await tenantOfPath(c);
    const asked = parse(newPortalSession, await readJson(c, BODY_BYTES));
    const { organizationId } = c.var.asker;
    const draft = { ...asked, organizationId, tenantId };
    const { token, expiresAt } = await createPortalSession(c.env.DB, draft, Date.now());
    const base = readConfig(c.env).publicUrl ?? new URL(c.req.url).origin;
    c.header("Cache-Control", "no-store");
    return c.json({ url: `${base}/portal/open/${token}`, expiresAt: isoText(expiresAt) }, 201);
  },
);
