import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { AskerEnv } from "../../accounts/asker.io";
import type { PortalSession } from "../../accounts/tenants/portal-session";
import { findPortalSession, openPortalSession } from "../../accounts/tenants/portal-sessions.store";
import { findEndpoints } from "../../delivery/endpoints.store";
import { forbidden } from "../../http/refusal";
import { keepCookie, readCookie } from "../visitors/cookie.io";
import type { Visitor } from "../visitors/page";
import { closed, ownForm, usedUp, visitorOf } from "../visitors/session.io";
import type { PageEnv } from "../visitors/show.io";

/** A session that is open, and what pages say of it. */
export type Portal = PortalSession & Visitor;

export type PortalEnv = AskerEnv &
  PageEnv & { Variables: { portal?: Portal; form?: URLSearchParams } };

/** The session that a request belongs to, behind `withPortal`. */
export function portalOf({ var: { portal } }: Context<PortalEnv>): Portal {
  if (portal === undefined) throw closed();
  return portal;
}

/** The form that was sent, behind `withPortal`. */
export const formOf = ({ var: { form } }: Context<PortalEnv>): URLSearchParams =>
  form ?? new URLSearchParams();

const SESSION = "tributary_portal";

/**
 * Lets only people of a tenant pass. What they ask for reaches the endpoints of that tenant and what was sent to these:
 * handlers of other rooms see them as a key that is limited to no more. Who may only look can send no form.
 */
export const withPortal = createMiddleware<PortalEnv>(async (c, next) => {
  const portal = await findPortal(c);
  if (portal === undefined) throw closed();
  const { organizationId, tenantId, access } = portal;
  const known = await findEndpoints(c.env.DB, organizationId, tenantId);
  c.set("portal", portal);
  c.set("asker", {
    organizationId,
    userId: 0,
    name: `portal:${tenantId}`,
    scopes: access === "write" ? ["read", "write"] : ["read"],
    limits: {
      sources: [],
      destinations: known.flatMap(({ id, tenant }) => (tenant === tenantId ? id : [])),
      tenants: [tenantId],
    },
  });
  if (!["GET", "HEAD"].includes(c.req.method)) {
    if (access !== "write") throw forbidden("You may look at everything here, and change nothing");
    c.set("form", await ownForm(c, portal));
  }
  return next();
});

/** The open session of this browser; undefined: it has none, its hour is over, or its tenant is gone. */
async function findPortal(c: Context<PortalEnv>): Promise<Portal | undefined> {
  const token = await readCookie(c, SESSION);
  const session = token === undefined ? undefined : await findPortalSession(c.env.DB, token);
  if (token === undefined || session === undefined) return undefined;
  const { frameAncestors, expiresAt } = session;
  // That it is over is said where it was shown before.
  c.set("frameAncestors", frameAncestors);
  if (expiresAt <= Date.now()) return undefined;
  const visitor = await visitorOf(c.env.DB, session, token);
  return visitor && { ...session, ...visitor };
}

/** Opens the session of a link on this browser. @throws Refusal `unauthenticated` when the link opens nothing. */
export async function openPortal<E extends PortalEnv>(c: Context<E>, token: string): Promise<void> {
  const now = Date.now();
  const opened = await openPortalSession(c.env.DB, token, now);
  if (opened === undefined) throw usedUp();
  await keepCookie(c, SESSION, opened.token, Math.floor((opened.expiresAt - now) / 1000));
}
