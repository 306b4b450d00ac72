import * as z from "zod";
import type { Millis } from "../values/instant";

/** An answer slower than this takes its destination to the slow lane. */
export const SLOW_MS = 2_000;

export const deadReasons = [
  "exhausted",
  "gone",
  "aborted",
  "refused",
  "destination-disabled",
  "destination-deleted",
  "expired",
  "too-large",
  "transform-failed",
  "unrenderable",
  "loop",
  "cancelled",
] as const;
export type DeadReason = (typeof deadReasons)[number];
/** Deaths by what switches a destination off: their notifications go again when it is enabled. */
export const RELEASED: DeadReason[] = ["exhausted", "gone", "destination-disabled"];

/**
 * One try, as recorded. `status` is null when no answer came. `error` says why, or what was wrong with the answer's body:
 * the status decides all the same.
 */
export type Attempt = {
  n: number;
  at: Millis;
  status: number | null;
  durationMs: number;
  error: string | null;
  responseHeaders: Record<string, string>;
  responseBody: string;
  truncated: boolean;
  /** Of a request that was made for this try alone, such as a flow's step: what was sent. Only the last try keeps it. */
  request?: SentRequest;
};

/** A request as it was sent, credentials masked. `truncated`: only the beginning of the body is kept. */
export type SentRequest = {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  encoding: "text" | "base64";
  truncated: boolean;
};

/** Why a notification waits to be let go: its subscription is paused, or a try failed and the policy is to queue. */
export type HeldReason = "paused" | "queued";

/**
 * What comes after a try, or after the decision not to try. `pending`: put off, no try was made;
 * `parked`: put off until the endpoint's circuit closes, `at` at the latest.
 */
export type Next =
  | { kind: "delivered"; at: Millis }
  | { kind: "retrying"; at: Millis }
  | { kind: "pending"; at: Millis }
  | { kind: "parked"; at: Millis }
  | { kind: "held"; reason?: HeldReason }
  | { kind: "dead"; at: Millis; reason: DeadReason };

/** What one try, or the decision not to try, means for a notification. */
export type Outcome = {
  seq: number;
  /** Number of the try this outcome belongs to: a repeated settle is recognised by it. */
  n: number;
  attempt?: Attempt;
  next: Next;
};

/** What became of a bundle's notifications; unless `last`, others of it are still under way. */
export type Settlement = { bundle: number; outcomes: Outcome[]; last: boolean };

/** A message that was sent longer ago than this is begun only when its stream says so: what is in it may be cancelled. */
export const ASK_AFTER_MS = 2_000;

/** A queue message: up to ten notifications of one stream, ready now. */
export const deliveryMessage = z.object({
  stream: z.string(),
  bundle: z.number().int(),
  /** After this instant the stream sends it again: a consumer that has little time left asks for more, or drops it. */
  leaseUntil: z.number(),
  /** Absent from an earlier version. */
  sentAt: z.number().optional(),
  items: z.array(
    z.object({
      seq: z.number().int(),
      n: z.number().int(),
      tries: z.number().int(),
      firstFailedAt: z.number().optional(),
      destinationId: z.string(),
      id: z.string(),
      createdAt: z.number(),
      /** How many requests of this platform led to it, one after the other. */
      hops: z.number().int().optional(),
      /** It was parked for an open circuit. If its policy has given it up meanwhile, it dies without a try. */
      parked: z.boolean().default(false),
      /** Somebody asked for this very one: it goes also to a destination that is switched off. */
      forced: z.boolean().default(false),
      /** It failed, was held or was replayed before, so it may have a row in `exceptions` to delete. */
      noted: z.boolean().default(false),
      /** Absent: too large for the queue, ask the stream. */
      body: z.string().optional(),
      /** Why its body cannot be composed: it dies without a try. */
      unrenderable: z.string().optional(),
    }),
  ),
});
export type DeliveryMessage = z.infer<typeof deliveryMessage>;
export type DeliveryItem = DeliveryMessage["items"][number];
