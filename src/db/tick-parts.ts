import * as z from "zod";
import { chunks } from "../values/lists";

/** A place in the order of what is due: the minute, and a row of it. */
const place = z.object({ minute: z.number(), row: z.number() });
export type Place = z.infer<typeof place>;

/**
 * A part of a tick that is too much for one invocation, as a message of the queue `ticks`. It says where to look, not what
 * to do: what is done already is not there any more, so a part that comes twice, or never, does no harm: the next tick
 * finds the rest.
 */
export const tickPart = z.discriminatedUnion("kind", [
  /** Flows that are due at `minute`: from behind `after` to `upTo`; null: from the first, to the last. */
  z.object({
    kind: z.literal("flows"),
    minute: z.number(),
    after: place.nullable(),
    upTo: place.nullable(),
  }),
  /** Logs of API resources whose changes may not be in their streams yet. */
  z.object({
    kind: z.literal("logs"),
    logs: z.array(z.object({ organizationId: z.number(), handedSeq: z.number() })),
  }),
  /** Organizations whose logs of API resources have changes that are kept no longer. */
  z.object({
    kind: z.literal("aged-logs"),
    before: z.number(),
    organizationIds: z.array(z.number()),
  }),
]);
export type TickPart = z.infer<typeof tickPart>;
export type FlowsPart = Extract<TickPart, { kind: "flows" }>;
export type LogsPart = Extract<TickPart, { kind: "logs" | "aged-logs" }>;

export type TicksQueue = Queue<TickPart>;

/** The most that one `sendBatch` takes. */
const MESSAGES_A_BATCH = 100;

export async function sendParts(queue: TicksQueue, parts: readonly TickPart[]): Promise<void> {
  for (const batch of chunks(parts, MESSAGES_A_BATCH))
    await queue.sendBatch(batch.map((body) => ({ body, contentType: "json" })));
}
