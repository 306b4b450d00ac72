import type { Context } from "hono";
import { type EndUser, readEndUser } from "../../accounts/users/admin.store";
import { readTokenUser, type User } from "../../accounts/users/store";
import { conflict, notFound } from "../../http/refusal";
import type { Flow } from "../../flows/flow";
import { readFlowOf } from "../../flows/store";
import { watchFlow } from "../../flows/watch.io";
import { numericId } from "../../values/whole-number";
import type { ConsoleEnv } from "../session/session.io";

/**
 * Whose flows a member sees and changes: those of the organization's own users. A member changes them in the name of
 * the user, who must be able to do so: nothing that the app surface refuses the user is granted here, credentials stay
 * masked, and the audit log names the member.
 */

/** The user that a path names. @throws Refusal `not-found`. */
export async function userOfPath(c: Context<ConsoleEnv>): Promise<EndUser> {
  const text = c.req.param("id") ?? "";
  const id = numericId(text);
  const user =
    id === undefined ? undefined : await readEndUser(c.env.DB, c.var.asker.organizationId, id);
  if (user === undefined) throw notFound(`No user '${text.slice(0, 100)}'`);
  return user;
}

/** The flow that a path names; another organization's is as unknown as none. @throws Refusal `not-found`. */
export async function flowOfPath(c: Context<ConsoleEnv>): Promise<Flow> {
  const id = c.req.param("id") ?? "";
  const flow = await readFlowOf(c.env.DB, c.var.asker.organizationId, id);
  if (flow === undefined) throw notFound(`No flow '${id.slice(0, 100)}'`);
  return watchFlow(c, flow);
}

/** In whose name something is changed. @throws Refusal `conflict` for a user who could not change it either. */
export async function actingUser(c: Context<ConsoleEnv>, id: number): Promise<User> {
  const user = await readTokenUser(c.env.DB, id, Date.now());
  if (user === undefined || user.organizationId !== c.var.asker.organizationId)
    throw conflict("The user is being deleted");
  if (!user.isActive) throw conflict(`${user.username} is switched off: switch them on first`);
  if (user.tenant?.isOff === true)
    throw conflict(`The tenant of ${user.username} is disabled: enable it first`);
  return user;
}
