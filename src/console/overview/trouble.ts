import type { Destination } from "../../delivery/destination";
import type { EndpointView } from "../../delivery/endpoint.object";
import type { Cause } from "../../delivery/exceptions.store";
import { type DestinationState, destinationState, isPaused } from "../../delivery/state";
import { type Attention, attentionOf } from "../../instances/attention";
import type { Instance } from "../../instances/instance";
import { maskedUrl } from "../../values/secret-text";

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

/** What destinations belong to is called, by the owner's id as a destination has it. */
export type Owners = { instances: ReadonlyMap<string, string>; flows: ReadonlyMap<string, string> };

/** A destination in words, and the page of what it belongs to. */
export function named(
  { id, kind, ownerId, url }: Destination,
  { instances, flows }: Owners,
): { name: string; href: string | undefined } {
  const address = url === null ? "no URL" : (maskedUrl(url) ?? "").replace(/^https?:\/\//, "");
  switch (kind) {
    case "instance":
      return {
        name: `Callback of ${instances.get(ownerId) ?? `instance ${ownerId}`}`,
        href: `/console/instances/${ownerId}`,
      };
    case "flow-step": {
      const step = id.slice(`flow-${ownerId}-`.length);
      return { name: `Step ${step} of ${flows.get(ownerId) ?? "a flow"}`, href: undefined };
    }
    case "endpoint":
      return { name: `Endpoint ${address}`, href: `/console/destinations/${id}` };
    case "webhook":
      return { name: `Webhook to ${address}`, href: undefined };
    case "subscription":
      return { name: `Subscription of ${address}`, href: undefined };
    case "operations":
      return { name: "Operational callback", href: undefined };
  }
}

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
