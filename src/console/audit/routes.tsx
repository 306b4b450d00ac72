import { Hono } from "hono";
import { actorNames } from "../../accounts/actor-names.store";
import { DEFAULT_AUDIT_DAYS, listAudit } from "../../accounts/audit.store";
import { readSettings } from "../../accounts/organization.store";
import { forbidden } from "../../http/refusal";
import type { ConsoleEnv } from "../session/session.io";
import { AuditPage, FIELDS, type Typed } from "./page";

const MOST = 50;
const DAY_MS = 86_400_000;

/** Who changed what, for owners. */
export const auditPages = new Hono<ConsoleEnv>().get("/audit", async (c) => {
  const { organizationId, scopes } = c.var.asker;
  if (!scopes.includes("admin")) throw forbidden("The audit log is for owners");
  const typed = typedOf(c.req.query());
  const before = /^\d{1,15}$/.test(c.req.query("before") ?? "")
    ? Number(c.req.query("before"))
    : null;
  const page = { before, limit: MOST };
  const rows = await listAudit(c.env.DB, organizationId, filterOf(typed), page);
  const names = await actorNames(
    c.env.DB,
    organizationId,
    rows.map(({ actor }) => actor),
  );
  const { auditDays = DEFAULT_AUDIT_DAYS } = await readSettings(c.env.DB, organizationId);
  const last = rows.length < MOST ? undefined : rows.at(-1);
  const query = new URLSearchParams({ ...typed, before: String(last?.id) });
  const older = last === undefined ? null : `/console/audit?${query.toString()}`;
  return c.render(
    <AuditPage
      entries={rows}
      names={names}
      older={older}
      days={auditDays}
      typed={typed}
      now={Date.now()}
    />,
    { title: "Audit", here: "audit" },
  );
});

/** What is looked for, as it was typed. */
const typedOf = (query: Record<string, string>): Typed =>
  Object.fromEntries(
    FIELDS.map((field) => [field, (query[field] ?? "").trim()]).filter(([, text]) => text !== ""),
  );

/** Days begin and end in UTC. */
function filterOf({ actor, action, from, to }: Typed): Parameters<typeof listAudit>[2] {
  const last = dayOf(to);
  return {
    actor,
    action,
    from: dayOf(from),
    to: last === undefined ? undefined : last + DAY_MS - 1,
  };
}

/** When a day begins, as date fields say it; what is none looks for nothing. */
function dayOf(text: string | undefined): number | undefined {
  const at = /^\d{4}-\d\d-\d\d$/.test(text ?? "") ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
