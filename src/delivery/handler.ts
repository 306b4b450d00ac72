import type { Answer } from "../http/client";
import type { Attempt, DeliveryItem, Next, Outcome } from "./attempt";
import type { Destination } from "./destination";

/** A notification on its way, with the name of the stream it lies in. */
export type Sending = DeliveryItem & { body: string; stream: string };

/** What is sent for a notification whose bytes are made only now. */
export type Rendered =
  | {
      kind: "request";
      method: string;
      url: string;
      headers: Record<string, string>;
      body: string | Uint8Array | undefined;
      timeoutMs: number;
      /** At most this much of the answer is read. */
      mostBytes: number;
      /**
       * What one try means; `truncated`: the answer was larger than `mostBytes`; `unreadable`: its body could not be
       * read to its end. `chance` is in [0, 1).
       */
      judge: (
        attempt: Pick<Attempt, "status" | "truncated"> & { unreadable: boolean },
        context: { now: number; chance: number; retryAfter: number | undefined },
      ) => Next;
      /**
       * Called right before the request is sent, which may be long after rendering. A reason to send nothing after all.
       */
      recheck: () => Promise<Unsent | undefined>;
    }
  | Unsent;

/** Nothing is sent; `error` says why. */
export type Unsent = { kind: "unsent"; error: string; next: Next };

/**
 * How notifications of one kind of destination are made into requests, and what an outcome means to their
 * source. Wired in `index.ts`, since delivery may not import the rooms above it.
 */
export type Handler = {
  render: (destination: Destination, item: Sending) => Promise<Rendered>;
  /**
   * Called before the stream settles the outcome. When it throws, the outcome is dropped and the notification
   * is retried, so whatever has to follow an outcome is never lost.
   */
  onOutcome: (
    destination: Destination,
    item: Sending,
    outcome: Outcome,
    answer: Answer | undefined,
  ) => Promise<void>;
};

export type Handlers = Partial<Record<Destination["kind"], Handler>>;
