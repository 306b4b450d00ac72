import * as z from "zod";

/** A message on the polls queue: instances to poll. Defaults read messages of the version before. */
export const pollMessage = z.object({
  ids: z.array(z.number().int().positive()),
  /** When the schedule called for these polls, in epoch ms; absent: a webhook or an operator did. */
  dueAt: z.number().optional(),
  /** The minutes of the schedule that called for them; absent from an earlier version, which polls every resource. */
  minutes: z.object({ from: z.number().int(), to: z.number().int() }).optional(),
  /** A webhook, or a poll that stopped early, asked for it: unlike a scheduled poll it may not be skipped. */
  wake: z.boolean().default(false),
  /** Only these resources, for which the vendor's rate budget had no room before. */
  resources: z.array(z.string()).optional(),
  /** The message was put back on the queue once already. */
  again: z.boolean().default(false),
});

/** A message as it is sent: absent members have their defaults. */
export type PollMessage = z.input<typeof pollMessage>;
export type ScheduledMinutes = { from: number; to: number };
/** A message as it is received. */
export type ReceivedPolls = z.output<typeof pollMessage>;
