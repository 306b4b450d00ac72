import { Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../../http/body";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { conflict } from "../../http/refusal";
import { described, PAGE } from "../../http/route-description";
import { type AskerEnv, withKey } from "../asker.io";
import { tenantOfPath, watchTenant } from "./lookup.io";
import { createTenant, listTenants } from "./store";
import { EXAMPLE, newTenant, tenantView } from "./tenant";

const BODY_BYTES = 64 * 1024;
const idCursor = z.strictObject({ id: z.string() });
const [LIST, ONE] = ["/tenants", "/tenants/:id"] as const;

/**
 * The organization's customers (reference v1-api.md); `operations/tenants` changes and deletes them. A key that is limited to
 * tenants sees those, and changes none.
 */
export const tenantRoutes = new Hono<AskerEnv>()
  .on("GET", [LIST, ONE], withKey("write", { limits: "kept" }))
  .get(
    LIST,
    described("Tenants: customers of the organization", {
      tag: "tenants",
      query: PAGE,
      answer: { items: [EXAMPLE], next: null },
    }),
    async (c) => {
      const { organizationId, limits } = c.var.asker;
      const limit = readLimit(c.req.query("limit"));
      const after = readListCursor(c.req.query("cursor"), idCursor)?.id ?? "";
      const page = { after, limit, ids: limits?.tenants };
      const rows = await listTenants(c.env.DB, organizationId, page);
      const last = rows.at(-1);
      const next =
        last === undefined || rows.length < limit ? null : writeListCursor({ id: last.id });
      return c.json({ items: rows.map(tenantView), next });
    },
  )
  .post(
    LIST,
    withKey("write"),
    described("Make a tenant, by an id of your choice", {
      tag: "tenants",
      status: 201,
      body: newTenant,
      bodyExample: { id: EXAMPLE.id, name: EXAMPLE.name, metadata: EXAMPLE.metadata },
      answer: EXAMPLE,
    }),
    async (c) => {
      const { id, name = id, ...traits } = parse(newTenant, await readJson(c, BODY_BYTES));
      const draft = { id, name, ...traits };
      const { organizationId } = c.var.asker;
      const made = await createTenant(c.env.DB, organizationId, draft, Date.now());
      if (made === undefined)
        throw conflict(`There is a tenant '${id}', or it is still being deleted`, "id");
      watchTenant(c, made, true);
      return c.json(tenantView(made), 201);
    },
  )
  .get(ONE, described("One tenant", { tag: "tenants", answer: EXAMPLE }), async (c) =>
    c.json(tenantView(await tenantOfPath(c))),
  );
