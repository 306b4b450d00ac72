import type { DeadReason } from "./attempt";
import type { Destination } from "./destination";

/** Something an organization's operators want to know of; told to their own callback. */
export type Notice =
  | { type: "delivery.dead"; reason: DeadReason; notificationIds: string[] }
  | { type: "destination.disabled"; reason: "gone" | "receiver" | "exhausted" }
  | { type: "circuit.opened"; nextProbeAt: number | null };

/** Carries a notice to the organization; wired by `index.ts`, for deliveries know nothing above them. */
export type Announce = (destination: Destination, notice: Notice) => Promise<void>;
