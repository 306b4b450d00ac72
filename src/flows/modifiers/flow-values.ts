import { isoText } from "../../values/instant";

/** What a mapping may use beside the data of its run. Every try of a step gets the same ones, so it sends the same. */
export type FlowValues = {
  now: number;
  /** A UUID derived from the run and a counter. */
  uuid: () => string;
  userId: string;
  flowId: string;
  flowName: string;
  webhookUrl: string;
  customFields: Record<string, unknown>;
};

/** Flow values: as a `variable`, or as the first function. */
const VALUES = new Map<string, (values: FlowValues) => unknown>([
  ["g_now", ({ now }) => isoText(now)],
  ["g_timestamp", ({ now }) => now],
  ["g_uuid4", ({ uuid }) => uuid()],
  ["g_userId", ({ userId }) => userId],
  ["g_flowId", ({ flowId }) => flowId],
  ["g_flowName", ({ flowName }) => flowName],
  ["g_webhookUrl", ({ webhookUrl }) => webhookUrl],
  ["g_customFields", ({ customFields }) => customFields],
]);

export const FLOW_VALUES: readonly string[] = [...VALUES.keys()];
export const isFlowValue = (name: string): boolean => VALUES.has(name);

/** A flow value by its name; undefined when there is none of that name. */
export function flowValue(name: string, values: FlowValues): unknown {
  return VALUES.get(name)?.(values);
}
