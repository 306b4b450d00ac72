import { type Context, Hono } from "hono";
import * as z from "zod";
import { described, PAGE, SPAN } from "../http/route-description";
import { readLimit, readListCursor, writeListCursor } from "../http/cursor-page";
import { readInstant } from "../http/instant-field";
import { isoText } from "../values/instant";
import { type AuditRow, listAudit } from "./audit.store";
import { type AskerEnv, withKey } from "./asker.io";

const idCursor = z.strictObject({ id: z.number() });

const ENTRY = {
  at: "2026-11-21T20:00:00.000Z",
  actor: "key:key_1",
  address: "203.0.113.7",
  action: "key.create",
  target: "key_1",
  tenant: null,
  route: "POST /v1/keys",
  requestId: "5f1c…",
  changes: ["name", "scopes"],
  before: {},
  after: { name: "ci", scopes: ["read"] },
};

/** Who changed what (reference v1-api.md). */
export const auditRoutes = new Hono<AskerEnv>().get(
  "/audit",
  withKey("admin", { look: "secrets", limits: "tenants" }),
  described("Who changed what", {
    tag: "operations",
    query: {
      ...PAGE,
      ...SPAN,
      actor: "Who did it",
      action: "What was done",
      tenant: "To what is this tenant's",
    },
    answer: { items: [ENTRY], next: null },
  }),
  async (c) => {
    const limit = readLimit(c.req.query("limit"));
    const filter = {
      actor: c.req.query("actor"),
      action: c.req.query("action"),
      tenants: tenantsAsked(c),
      from: readInstant(c.req.query("from"), "from"),
      to: readInstant(c.req.query("to"), "to"),
    };
    const before = readListCursor(c.req.query("cursor"), idCursor)?.id ?? null;
    const page = { before, limit };
    const rows = await listAudit(c.env.DB, c.var.asker.organizationId, filter, page);
    const last = rows.at(-1);
    return c.json({
      items: rows.map(entryView),
      next: last === undefined || rows.length < limit ? null : writeListCursor({ id: last.id }),
    });
  },
);

/** The tenants of which alone entries are shown: those of the key, or the one that the query names if it is among them. */
function tenantsAsked(c: Context<AskerEnv>): readonly string[] | undefined {
  const reached = c.var.asker.limits?.tenants;
  const tenant = c.req.query("tenant");
  if (tenant === undefined) return reached;
  return reached === undefined || reached.includes(tenant) ? [tenant] : [];
}

/** An entry as it is shown. `before` and `after` have the members that differ; old entries have neither. */
function entryView(row: AuditRow): Record<string, unknown> {
  const { at, actor, address, action, target, tenantId, route, requestId, changes } = row;
  const { before, after } = row.differences ?? { before: {}, after: {} };
  return {
    at: isoText(at),
    actor,
    address,
    action,
    target,
    tenant: tenantId,
    route,
    requestId,
    changes,
    before,
    after,
  };
}
