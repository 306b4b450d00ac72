import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import type { ConnectSession } from "../../accounts/tenants/connect-session";
import {
  findConnectSession,
  openConnectSession,
} from "../../accounts/tenants/connect-sessions.store";
import { readConfig } from "../../config";
import { type Keyring, keyring, seal, unseal } from "../../db/sealed";
import { conflict } from "../../http/refusal";
import { keepCookie, readCookie } from "../visitors/cookie.io";
import type { Visitor } from "../visitors/page";
import { closed, usedUp, visitorOf } from "../visitors/session.io";
import type { PageEnv } from "../visitors/show.io";

/** A session that is open, and what pages say of it. */
export type Connecting = ConnectSession & Visitor & { token: string };

export type ConnectEnv = AskerEnv & PageEnv & { Variables: { connecting?: Connecting } };

const SESSION = "tributary_connect";

export const ringOf = ({ env }: { env: Env }): Keyring => keyring(readConfig(env).masterKeys);

/** The session that a request belongs to, behind `withConnecting`. */
export function connectingOf({ var: { connecting } }: Context<ConnectEnv>): Connecting {
  if (connecting === undefined) throw closed();
  return connecting;
}

/** Lets only people of a tenant pass whom its organization asked to connect an account: it is made in its name. */
export const withConnecting = createMiddleware<ConnectEnv>(async (c, next) => {
  const connecting = await findConnecting(c);
  if (connecting === undefined) throw closed();
  const { organizationId, tenantId, userId, tenant, organizationName } = connecting;
  c.set("connecting", connecting);
  c.set("asker", {
    organizationId,
    userId,
    name: `connect:${tenantId}`,
    scopes: ["read", "write"],
    limits: { sources: [], destinations: [], tenants: [tenantId] },
  });
  if (tenant.disabled) throw conflict(`${organizationName} has switched this account off`);
  return next();
});

/** The open session of this browser; undefined: it has none, its hour is over, or its tenant is gone. */
async function findConnecting(c: Context<ConnectEnv>): Promise<Connecting | undefined> {
  const token = await readCookie(c, SESSION);
  if (token === undefined) return undefined;
  const session = await findConnectSession(c.env.DB, ringOf(c), token);
  if (session === undefined) return undefined;
  const { terms, expiresAt } = session;
  // That it is over is said where it was shown before.
  c.set("frameAncestors", terms.origin === null ? [] : [terms.origin]);
  if (expiresAt <= Date.now()) return undefined;
  const visitor = await visitorOf(c.env.DB, { ...session, access: "write" }, token);
  return visitor && { ...session, ...visitor, token };
}

/** Opens the session of a link on this browser. @throws Refusal `unauthenticated` when the link opens nothing. */
export async function openConnecting<E extends ConnectEnv>(
  c: Context<E>,
  token: string,
): Promise<void> {
  const now = Date.now();
  const opened = await openConnectSession(c.env.DB, token, now);
  if (opened === undefined) throw usedUp();
  await keepCookie(c, SESSION, opened.token, Math.floor((opened.expiresAt - now) / 1000));
}

/** A ticket is used at once, by a click. */
const TICKET_MS = 60_000;
const TICKET = "connect-ticket";
const ticketSchema = z.object({ token: z.string(), until: z.number() });

/**
 * What opens a session that is shown in a frame in a window of its own, where its cookie is another: vendors' pages can't be
 * framed. It is good for a minute.
 */
export function ticketOf(c: { env: Env }, { token }: Connecting): string {
  const ticket = { token, until: Date.now() + TICKET_MS };
  return encodeURIComponent(seal(ringOf(c), JSON.stringify(ticket), TICKET));
}

/** The session of a ticket, from now on on this browser. @throws Refusal `unauthenticated` for what is no ticket, or is over. */
export async function takeTicket<E extends ConnectEnv>(
  c: Context<E>,
  text: string,
): Promise<ConnectSession> {
  const ticket = readTicket(c, text);
  const now = Date.now();
  const session =
    ticket !== undefined && ticket.until > now
      ? await findConnectSession(c.env.DB, ringOf(c), ticket.token)
      : undefined;
  if (ticket === undefined || session === undefined || session.expiresAt <= now) throw usedUp();
  await keepCookie(c, SESSION, ticket.token, Math.floor((session.expiresAt - now) / 1000));
  return session;
}

function readTicket(c: { env: Env }, text: string): z.infer<typeof ticketSchema> | undefined {
  try {
    return ticketSchema.parse(JSON.parse(unseal(ringOf(c), text, TICKET)));
  } catch {
    return undefined;
  }
}
