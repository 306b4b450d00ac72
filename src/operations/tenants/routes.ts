import { Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { tenantOfPath } from "../../accounts/tenants/lookup.io";
import { EXAMPLE, tenantChange, tenantView } from "../../accounts/tenants/tenant";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { saveTenant } from "./change.io";
import { removeTenant } from "./remove.io";

const BODY_BYTES = 64 * 1024;
const cascadeField = z.enum(["true", "false"], "Expected true or false").default("false");

/**
 * What else happens when a tenant is changed or leaves (reference v1-api.md). A disabled one takes nothing in, and what is to
 * be delivered to it waits until it is on again. What belongs to a tenant is never deleted by accident: that takes
 * `cascade`. With the answer the tenant is gone for everybody, and its instances and users with it: they get and tell
 * nothing, while their rows and streams are being deleted.
 */
export const tenantChangeRoutes = new Hono<AskerEnv>()
  .on(["PATCH", "DELETE"], "/tenants/:id", withKey("write"))
  .patch(
    "/tenants/:id",
    described("Change a tenant, or switch it off or on with all that is its", {
      tag: "tenants",
      body: tenantChange,
      bodyExample: { disabled: true },
      answer: { ...EXAMPLE, disabled: true },
    }),
    async (c) => {
      const { id } = await tenantOfPath(c);
      const change = parse(tenantChange, await readJson(c, BODY_BYTES));
      return c.json(tenantView(await saveTenant(c, id, change)));
    },
  )
  .delete(
    "/tenants/:id",
    described("Delete a tenant that has nothing, or with all that belongs to it", {
      tag: "tenants",
      query: {
        cascade:
          "true: with its instances, users, destinations and events; else 409 while it has any",
      },
      status: 202,
      answer: EXAMPLE,
    }),
    async (c) => {
      const { id } = await tenantOfPath(c);
      const cascade = parse(cascadeField, c.req.query("cascade"), "cascade");
      return c.json(tenantView(await removeTenant(c, id, cascade === "true")), 202);
    },
  );
