import type { Context } from "hono";
import { readConfig } from "../../config";
import { parse } from "../../http/body";
import type { Millis } from "../../values/instant";
import type { AskerEnv } from "../asker.io";
import { newPortalSession } from "./portal-session";
import { createPortalSession } from "./portal-sessions.store";
import type { Tenant } from "./tenant";

/**
 * Makes a link by which people of a tenant see its portal. @returns its address, told this once.
 * @throws Refusal `invalid` that tells all faults.
 */
export async function beginPortal(
  c: Context<AskerEnv>,
  { id: tenantId }: Tenant,
  body: unknown,
): Promise<{ url: string; expiresAt: Millis }> {
  const { organizationId } = c.var.asker;
  const draft = { ...parse(newPortalSession, body), organizationId, tenantId };
  const { token, expiresAt } = await createPortalSession(c.env.DB, draft, Date.now());
  const base = readConfig(c.env).publicUrl ?? new URL(c.req.url).origin;
  return { url: `${base}/portal/open/${token}`, expiresAt };
}
