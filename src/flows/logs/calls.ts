import type { KeptTrace } from "../../stream/traces/trace";
import { traceView } from "../../stream/traces/request";
import { isoText } from "../../values/instant";
import type { Hit } from "./hits";

/** The index of calls of webhooks that started no run. */
export const CALLS = "calls";

/** A call that started no run as a line of the log; undefined when it is no call of a flow's webhook. */
export function callHit(
  trace: KeptTrace,
  typeOf: (flowId: string, componentId: string) => string,
): Hit | undefined {
  const { method, url } = traceView(trace).request;
  const [, , flowId, , component] = new URL(url).pathname.split("/");
  if (flowId === undefined || component === undefined) return undefined;
  const componentId = decodeURIComponent(component);
  const type = typeOf(flowId, componentId);
  const became = trace.outcome === "refused" ? "refused" : "not taken";
  return {
    _id: String(trace.id),
    _index: CALLS,
    severity: trace.outcome === "refused" ? "error" : "info",
    componentType: type,
    componentId,
    portType: "in",
    senderId: componentId,
    senderType: type,
    port: "",
    correlationId: "",
    gridTimestamp: isoText(trace.at),
    "@timestamp": isoText(trace.at),
    flowId,
    entity: "input-queue",
    msg: `${method} ${became}: ${trace.reason}`,
  };
}
