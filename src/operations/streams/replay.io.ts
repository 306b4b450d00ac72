import type { Context } from "hono";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import { instanceDestinationId } from "../../delivery/destination";
import { instantField } from "../../http/instant-field";
import { instanceOfSource } from "../../stream/stream-name";
import { startJob } from "../jobs/start.io";
import { requireDestination, type StreamHandle } from "./lookup.io";

/** Which events of a stream are delivered again. */
export const replayRequest = z
  .strictObject({
    from: instantField,
    to: instantField,
    destinationId: z.string().optional(),
    objectType: z.string().optional(),
    eventType: z.string().optional(),
  })
  .refine(({ from, to }) => to >= from, { path: ["to"], error: "Expected an instant after from" });

/**
 * Delivers every event of a range again, under its own ids, by a job of which it tells the id. @throws Refusal
 * `not-found` for a destination beyond the asker's reach.
 */
export async function startReplay(
  c: Context<AskerEnv>,
  stream: StreamHandle & { source: string },
  range: z.output<typeof replayRequest>,
): Promise<string> {
  if (range.destinationId !== undefined) await requireDestination(c, range.destinationId);
  const callback = await callbackOf(c, stream.source);
  const job = {
    kind: "replay",
    from: range.from,
    to: range.to,
    destinationId: range.destinationId ?? null,
    objectType: range.objectType ?? null,
    eventType: range.eventType ?? null,
    fallbackId: range.destinationId ?? callback,
  } as const;
  return startJob(c, [stream], job, null);
}

/** The destination of an instance's own callback; null without a URL, and for a source that is no instance. */
async function callbackOf(c: Context<AskerEnv>, source: string): Promise<string | null> {
  const instanceId = instanceOfSource(source);
  if (instanceId === undefined) return null;
  const id = instanceDestinationId(instanceId);
  const { url } = await requireDestination(c, id);
  return url === null ? null : id;
}
