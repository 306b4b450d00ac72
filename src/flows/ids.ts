import { sha256 } from "../values/bytes";

/** The stream that holds a user's app events, and what their own flows run on. */
export const userSource = (userId: number): string => `user:${userId}`;

export const stepDestinationId = (flowId: string, componentId: string): string =>
  `flow-${flowId}-${componentId}`;

/**
 * The id of the run that an event starts in a flow (`correlationId` to clients): each trigger of a flow starts a
 * run of its own, and the same event starts the same run however often it is sent.
 */
export const runId = (eventId: string, trigger: { flowId: string; componentId: string }): string =>
  derivedUuid(eventId, trigger.flowId, trigger.componentId);

/** A UUID (version 8) that is the same whenever it is derived from the same parts. */
export function derivedUuid(...parts: string[]): string {
  const hex = sha256(JSON.stringify(parts), "hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
