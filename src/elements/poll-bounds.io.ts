import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import type { Instance } from "../instances/instance";
import { pollsUntil, takesOver } from "../instances/schedule";
import { instanceSource, streamName } from "../stream/stream-name";

/**
 * The instants after which and until which the polls of an edited instance tell changes, so that one that is seen by
 * webhooks too is one event: they begin now where webhooks have told until now, and end now where webhooks take over.
 */
export async function boundsOf(
  c: Context<AskerEnv>,
  before: Instance,
  after: Instance,
): Promise<Pick<Instance, "baseline" | "pollsUntil">> {
  const now = Date.now();
  const until = pollsUntil(before, after, now);
  return { baseline: await baselineOf(c, before, after, now), pollsUntil: until };
}

async function baselineOf(
  c: Context<AskerEnv>,
  before: Instance,
  after: Instance,
  now: number,
): Promise<number> {
  const { id, organizationId, baseline } = after;
  if (!takesOver(before, after)) return baseline;
  const stream = streamName({ organizationId, source: instanceSource(id) });
  const { lastEvent = 0 } = await c.env.EVENT_STREAMS.getByName(stream).inspect();
  return lastEvent > 0 ? Math.max(baseline, now) : baseline;
}
