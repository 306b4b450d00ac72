import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { findTenant } from "../../accounts/tenants/known.store";
import { instanceDestinationId } from "../../delivery/destination";
import { knownDestinations } from "../../delivery/destinations.store";
import { notFound } from "../../http/refusal";
import type { EventStream } from "../../stream/stream.object";
import { reachesDestination, reachesSource, reachOf } from "../reach";
import { instanceOfSource, instanceSource, streamName } from "../../stream/stream-name";
import { numericId } from "../../values/whole-number";

/** A stream's name, and the object that keeps it. */
export type StreamHandle = { name: string; stub: DurableObjectStub<EventStream> };

const SOURCE =
  /^(instance:[1-9]\d{0,14}|user:[\w.-]{1,128}|tenant:[\w.-]{1,64}|scope:(-|([\w.-]{1,100}\/){2}[\w.-]{1,256})|operations|notifications)$/;

/** Whether a text names a source of an organization; that there is such a source isn't checked. */
export const isSource = (text: string): boolean => SOURCE.test(text);

/** The stream that the path's `:source` names. @throws Refusal as `findStream` does. */
export const streamOfPath = (c: Context<AskerEnv>): Promise<StreamHandle & { source: string }> =>
  findStream(c, c.req.param("source") ?? "");

/**
 * The stream of a source (`instance:27`) or of an instance's bare id (`27`), within the asker's organization.
 * @throws Refusal `not-found` for a text that names no source, and for an instance of another organization or a source beyond a key's limits.
 */
export async function findStream(
  c: Context<AskerEnv>,
  text: string,
): Promise<StreamHandle & { source: string }> {
  const id = numericId(text);
  const source = id === undefined ? text : instanceSource(id);
  if (!isSource(source) || !reachesSource(reachOf(c.var.asker), source))
    throw notFound(`No stream '${text}'`);
  const [, tenant] = /^tenant:(?!-$)(.+)$/.exec(source) ?? [];
  const { organizationId } = c.var.asker;
  if (tenant !== undefined && (await findTenant(c.env.DB, organizationId, tenant)) === undefined)
    throw notFound(`No stream '${text}'`);
  const instanceId = instanceOfSource(source);
  if (instanceId !== undefined) await requireDestination(c, instanceDestinationId(instanceId));
  return { ...streamOfSource(c, source), source };
}

/** The stream that a source has in the asker's organization; that the source exists isn't checked. */
export function streamOfSource(c: Context<AskerEnv>, source: string): StreamHandle {
  const name = streamName({ organizationId: c.var.asker.organizationId, source });
  return { name, stub: c.env.EVENT_STREAMS.getByName(name) };
}

/** The URL of a destination. @throws Refusal `not-found` unless the asker reaches it. */
export async function requireDestination(
  c: Context<AskerEnv>,
  id: string,
): Promise<{ url: string | null }> {
  const { organizationId } = c.var.asker;
  const isReached = reachesDestination(reachOf(c.var.asker), id);
  const known = isReached ? await knownDestinations(c.env.DB, organizationId, [id]) : new Map();
  const url: string | null | undefined = known.get(id);
  if (url === undefined) throw notFound(`No destination '${id}'`);
  return { url };
}
