import type { DeadReason } from "./attempt";
import type { Destination } from "./destination";

/** Something that an organization's operators are told of, by a notification to their own callback. */
export type Notice =
  | { type: "delivery.dead"; reason: DeadReason; notificationIds: string[] }
  | { type: "destination.disabled"; reason: "gone" | "receiver" | "exhausted" }
  | { type: "circuit.opened"; nextProbeAt: number | null };

/** Sends a notice. Wired in `index.ts`, since delivery may not import the rooms above it. */
export type Announce = (destination: Destination, notice: Notice) => Promise<void>;
