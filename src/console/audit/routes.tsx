import { Hono } from "hono";
import { DEFAULT_AUDIT_DAYS, listAudit } from "../../accounts/audit.store";
import { readSettings } from "../../accounts/organization.store";
import { forbidden } from "../../http/refusal";
import type { ConsoleEnv } from "../session/session.io";
import { AuditPage } from "./page";

const MOST = 50;
const EVERYTHING = { actor: undefined, action: undefined, from: undefined, to: undefined };

/** Who changed what, for owners. */
export const auditPages = new Hono<ConsoleEnv>().get("/audit", async (c) => {
  const { organizationId, scopes } = c.var.asker;
  if (!scopes.includes("admin")) throw forbidden("The audit log is for owners");
  const before = /^\d{1,15}$/.test(c.req.query("before") ?? "")
    ? Number(c.req.query("before"))
    : null;
  const rows = await listAudit(c.env.DB, organizationId, EVERYTHING, { before, limit: MOST });
  const { auditDays = DEFAULT_AUDIT_DAYS } = await readSettings(c.env.DB, organizationId);
  const last = rows.length < MOST ? undefined : rows.at(-1);
  const older = last === undefined ? null : `/console/audit?before=${last.id}`;
  return c.render(<AuditPage entries={rows} older={older} days={auditDays} now={Date.now()} />, {
    title: "Audit",
    here: "audit",
  });
});
