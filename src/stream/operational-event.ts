import type { Commit } from "./event";
import { isoText } from "../values/instant";
import { sha256 } from "../values/bytes";

/** Operational events of an organization (reference v1-api.md). */
export type OperationalEvent = {
  type:
    | "delivery.dead"
    | "destination.disabled"
    | "circuit.opened"
    | "poller.disabled"
    | "instance.invalid"
    | "database.filling";
  /** What it is about: a destination, an instance or the database. */
  subject: string;
  data: Record<string, unknown>;
};

/** The source under which an organization's operational events are kept. */
export const OPERATIONS_SOURCE = "operations";
export const operationsDestinationId = (organizationId: number): string =>
  `operations-${organizationId}`;

/** What a callback gets of an operational event, or of a test of it. */
export const operationalBody = (
  { type, data }: { type: OperationalEvent["type"] | "test"; data: Record<string, unknown> },
  now: number,
): Record<string, unknown> => ({ type, timestamp: isoText(now), data });

/** An operational event as a commit: a Standard Webhooks payload, to the organization's callback if it has one. */
export function operationalCommit(
  { type, subject, data }: OperationalEvent,
  destinationId: string | null,
  now: number,
): Commit {
  const body = JSON.stringify(operationalBody({ type, data }, now));
  return {
    events: [
      {
        id: sha256(JSON.stringify([type, subject, data, now]), "hex").slice(0, 32),
        objectType: type,
        objectId: subject,
        eventType: type,
        date: now,
        data: body,
        to: [0],
      },
    ],
    targets: [{ destinationId, envelope: { format: "verbatim" }, most: 1, ordering: "none" }],
  };
}
