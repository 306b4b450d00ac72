import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import type { Instance } from "../instances/instance";
import { takesOver } from "../instances/schedule";
import { instanceSource, streamName } from "../stream/stream-name";

/**
 * The instant after which changes are told by the polls of an edited instance: now, where webhooks have told until now,
 * so that a change seen by both is one event; else as before.
 */
export async function baselineOf(
  c: Context<AskerEnv>,
  before: Instance,
  after: Instance,
): Promise<number> {
  const { id, organizationId, baseline } = after;
  if (!takesOver(before, after)) return baseline;
  const stream = streamName({ organizationId, source: instanceSource(id) });
  const { lastEvent = 0 } = await c.env.EVENT_STREAMS.getByName(stream).inspect();
  return lastEvent > 0 ? Math.max(baseline, Date.now()) : baseline;
}
