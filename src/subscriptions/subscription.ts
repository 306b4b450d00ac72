import type { Happened, Target } from "../stream/event";

/**
 * Somebody who hears of events. There are four kinds, and one question: an instance's callback (with the topics that
 * others subscribed to), a ResourceHook, a running flow, and an endpoint that was made by API. Every source asks it in
 * the same place (`ingest.io.ts`), and gets the notifications to commit beside its events.
 */
export type Subscription = {
  kind: "callback" | "hook" | "flow" | "endpoint";
  hears: (event: Happened) => Hearing | Promise<Hearing>;
  /**
   * What it gets of an event that it hears of. Events for which the very same target is given may come in one
   * notification.
   */
  targets: (event: Happened) => readonly Target[];
};

/** `filtered`: the event is for it, but its own filter turns it away. */
export type Hearing = "yes" | "no" | "filtered";
