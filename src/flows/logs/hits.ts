import type { Notification } from "../../stream/event";
import { STEP_IN, STEP_OUT } from "../components";
import { isoText } from "../../values/instant";

export const INDEX = "runs";

/** One line of the log (reference app-events-api.md §10). */
export type Hit = {
  _id: string;
  _index: string;
  severity: "info" | "error";
  componentType: string;
  componentId: string;
  portType: "in" | "out";
  senderId: string;
  senderType: string;
  port: string;
  correlationId: string;
  gridTimestamp: string;
  "@timestamp": string;
  flowId: string;
  entity: "input-queue";
  msg?: string;
};

/** The lines of a step: what came in, and, once it was tried, what came out or went wrong. */
export function hitsOf(
  notification: Notification,
  id: string,
  typeOf: (flowId: string, componentId: string) => string,
): Hit[] {
  const { envelope, state, attempts, createdAt } = notification;
  if (envelope.format !== "flow-step") return [];
  const { flowId, componentId, sender, correlationId } = envelope;
  const line = (
    portType: "in" | "out",
    at: number,
    change: Pick<Hit, "port"> & Partial<Hit>,
  ): Hit => ({
    _id: `${id}.${portType}`,
    _index: INDEX,
    severity: "info",
    componentType: typeOf(flowId, componentId),
    componentId,
    portType,
    senderId: sender.componentId,
    senderType: typeOf(flowId, sender.componentId),
    correlationId,
    gridTimestamp: isoText(at),
    "@timestamp": isoText(at),
    flowId,
    entity: "input-queue",
    ...change,
  });
  const last = attempts.at(-1);
  const hits = [line("in", createdAt, { port: STEP_IN })];
  if (last === undefined) return hits;
  const end = last.at + last.durationMs;
  if (state.kind === "delivered")
    hits.push(line("out", end, { port: STEP_OUT, msg: `Answered ${last.status}` }));
  else
    hits.push(
      line("out", end, {
        port: STEP_OUT,
        severity: "error",
        msg:
          last.error ?? `Answered ${last.status ?? "nothing"}: ${last.responseBody.slice(0, 500)}`,
      }),
    );
  return hits;
}
