import type { Recognised } from "../delivery/destinations.store";
import { maskedUrl } from "../values/secret-text";
import { addressOf } from "./destinations/back";

/** What destinations belong to is called, by the owner's id as a destination has it. */
export type Owners = { instances: ReadonlyMap<string, string>; flows: ReadonlyMap<string, string> };

/** A destination in words, and the page of what it belongs to. */
export function named(
  destination: Recognised,
  { instances, flows }: Owners,
): { name: string; href: string | undefined } {
  const { id, kind, ownerId } = destination;
  const address = hostOf(destination) ?? "no URL";
  switch (kind) {
    case "instance":
      return {
        name: `Callback of ${instances.get(ownerId) ?? `instance ${ownerId}`}`,
        href: `/console/instances/${ownerId}`,
      };
    case "flow-step": {
      const flow = flows.get(ownerId);
      return {
        name: `Step ${stepOf(destination)} of ${flow ?? "a flow"}`,
        href: flow === undefined ? undefined : `/console/apps/flows/${ownerId}`,
      };
    }
    case "endpoint":
      return { name: `Endpoint ${address}`, href: addressOf(id) };
    case "webhook":
      return { name: `Webhook to ${address}`, href: addressOf(id) };
    case "subscription":
      return { name: `Subscription of ${address}`, href: addressOf(id) };
    case "operations":
      return { name: "Operational callback", href: undefined };
  }
}

/** A destination in few words, beside the source that calls it. */
export const shortName = (destination: Recognised, flow: string | undefined): string =>
  destination.kind === "flow-step"
    ? `step ${stepOf(destination)} of ${flow ?? "a flow that is gone"}`
    : (hostOf(destination) ?? `${destination.kind} without a URL`);

const stepOf = ({ id, ownerId }: Recognised): string => id.slice(`flow-${ownerId}-`.length);

const hostOf = ({ url }: Recognised): string | undefined =>
  maskedUrl(url)?.replace(/^https?:\/\//, "");
