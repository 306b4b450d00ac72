import { Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { tenantOfPath, unknownTenant } from "../../accounts/tenants/lookup.io";
import { beginTenantDeletion } from "../../accounts/tenants/store";
import { EXAMPLE, tenantView } from "../../accounts/tenants/tenant";
import { parse } from "../../http/body";
import { conflict } from "../../http/refusal";
import { described } from "../../http/route-description";
import { erase } from "./erase.io";

const cascadeField = z.enum(["true", "false"], "Expected true or false").default("false");
/** What is deleted before the answer; the rest follows within minutes. */
const AT_ONCE = { rows: 1_000, objects: 20 };

/**
 * A customer who leaves, with or without what is theirs. What belongs to a tenant is never deleted by accident: that takes
 * `cascade`. With the answer the tenant is gone for everybody, and its instances and users with it: they get and tell
 * nothing, while their rows and streams are being deleted.
 */
export const tenantErasureRoutes = new Hono<AskerEnv>().delete(
  "/tenants/:id",
  withKey("write"),
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
    const { organizationId } = c.var.asker;
    const how = { withAll: cascade === "true", now: Date.now() };
    const done = await beginTenantDeletion(c.env.DB, organizationId, id, how);
    if (done.kind === "unknown") throw unknownTenant(id);
    if (done.kind === "holds") {
      const held = Object.entries(done.counts).flatMap(([kind, n]) =>
        n > 0 ? `${n} ${kind}` : [],
      );
      throw conflict(
        `The tenant has ${held.join(", ")}: delete these first, or all of it with ?cascade=true`,
      );
    }
    const { DB, EVENT_STREAMS, ENDPOINTS, VENDOR_BUDGETS } = c.env;
    const doors = { db: DB, streams: EVENT_STREAMS, endpoints: ENDPOINTS, budgets: VENDOR_BUDGETS };
    // Of one that had nothing nobody can be about to write something: its id is free again.
    await erase({ kind: "tenant", id, organizationId }, doors, { ...AT_ONCE }, done.isEmpty);
    return c.json(tenantView(done.tenant), 202);
  },
);
