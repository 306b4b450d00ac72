import type { Destination } from "../../delivery/destination";
import type { EndpointView } from "../../delivery/endpoint.object";
import type { Cause } from "../../delivery/exceptions.store";
import { type DestinationState, destinationState, isPaused } from "../../delivery/state";
import { type Attention, attentionOf } from "../../instances/attention";
import type { Instance } from "../../instances/instance";
import { maskedUrl } from "../../values/secret-text";
import { named, type Owners } from "../destination-name";

/** Of each kind of trouble so many are shown: the page is a summary, however much there is. */
export const SHOWN = 5;

/** An instance that gets nothing, or not all: why, the weightiest first. */
export type TroubledInstance = { id: number; name: string; reasons: Attention[] };

/** A destination to which nothing arrives. */
export type TroubledCallback = {
  id: string;
  name: string;
  url: string | null;
  /** Its owner's page; undefined: it has none. */
  href: string | undefined;
  state: DestinationState;
  circuit: EndpointView | undefined;
  /** Operators' own can't be switched on here: saving it does that. */
  isOwn: boolean;
};

/** Notifications that died of one cause on their way to one destination, which may be gone since. */
export type DeadCause = Cause & {
  name: string;
  href: string | undefined;
  to: "paused" | "on" | "gone";
};

export type Troubles = {
  instances: TroubledInstance[];
  callbacks: TroubledCallback[];
  causes: DeadCause[];
  dead: number;
  pending: number;
  /** There are more dead or pending than were counted. */
  isMore: boolean;
};

/**
 * Instances with what keeps each from getting events. Their callbacks are not looked at: those have a list of their own.
 * A disabled one is as somebody wanted it.
 */
export const troubledInstances = (instances: readonly Instance[]): TroubledInstance[] =>
  instances
    .filter(({ disabled }) => !disabled)
    .map((instance) => ({
      id: instance.id,
      name: instance.name,
      reasons: attentionOf({ instance, callback: undefined, untaken: [] }),
    }))
    .filter(({ reasons }) => reasons.length > 0);

/** Destinations that are in trouble, with the circuits of those that were asked for, by their ids. */
export const troubledCallbacks = (
  destinations: readonly Destination[],
  circuits: ReadonlyMap<string, EndpointView>,
  owners: Owners,
): TroubledCallback[] =>
  destinations.filter(isTroubled).map((destination) => ({
    id: destination.id,
    ...named(destination, owners),
    url: maskedUrl(destination.url),
    state: destinationState(destination),
    circuit: circuits.get(destination.id),
    isOwn: destination.kind === "operations",
  }));

/** Nothing arrives there, and not because its owner wants that. */
export function isTroubled(destination: Destination): boolean {
  const { name } = destinationState(destination);
  return name !== "active" && name !== "paused by owner";
}

/** Causes of deaths, with what their destinations are called. */
export const deadCauses = (
  causes: readonly Cause[],
  destinations: ReadonlyMap<string, Destination>,
  owners: Owners,
): DeadCause[] =>
  causes
    .filter(({ isDead }) => isDead)
    .map((cause) => {
      const destination = destinations.get(cause.destinationId);
      if (destination === undefined)
        return { ...cause, name: "A destination that is gone", href: undefined, to: "gone" };
      const to = isPaused(destinationState(destination)) ? "paused" : "on";
      return { ...cause, ...named(destination, owners), to };
    });
