import * as z from "zod";

/** A message on the polls queue: instances to poll. Those of the version before are read too. */
export const pollMessage = z.object({
  ids: z.array(z.number().int().positive()),
  /** When the schedule called for them, in epoch ms; absent: a webhook or an operator did. */
  dueAt: z.number().optional(),
  /** A webhook, or a poll that could not run to its end, asks for it: it may not be lost. */
  wake: z.boolean().default(false),
  /** Only these resources: those that the rate budget had no room for. */
  resources: z.array(z.string()).optional(),
  /** It was put back on the queue before. */
  again: z.boolean().default(false),
});

/** A message as it is sent: absent members have their defaults. */
export type PollMessage = z.input<typeof pollMessage>;
/** A message as it is received. */
export type ReceivedPolls = z.output<typeof pollMessage>;
