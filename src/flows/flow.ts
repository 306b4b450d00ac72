import type { flows, Share } from "../db/flows";
import type { Descriptor } from "./descriptor";
import { masked } from "./sealed-flow";
import { isoText } from "../values/instant";

/** A flow as it is stored. */
export type Flow = typeof flows.$inferSelect;

/** A flow that is running, with its descriptor read. */
export type RunningFlow = { flow: Flow; descriptor: Descriptor };

/** What decides whether a flow is shared with somebody. */
export type Viewer = {
  id: number;
  organizationId: number;
  email: string;
  isEmailVerified: boolean;
};

export type Permission = Share["permissions"][number];

/** A flow as clients see it (reference app-events-api.md §6), its credentials masked. */
export function flowView(flow: Flow): Record<string, unknown> {
  return {
    userId: String(flow.userId),
    flowId: flow.id,
    stage: flow.stage,
    name: flow.name,
    description: flow.description,
    btime: instant(flow.btime),
    mtime: instant(flow.mtime),
    flow: masked(flow.flow),
    mode: "module",
    thumbnail: flow.thumbnail,
    started: instant(flow.started),
    sharedWith: flow.sharedWith,
    customFields: flow.customFields,
    type: flow.type,
    originFlowId: flow.originFlowId,
    componentIdMap: flow.componentIdMap,
    revision: flow.revision,
    wizard: masked(flow.wizard),
  };
}

/** `type,stage`: only these; `-flow,-thumbnail`: all but these. Unknown fields are ignored. */
export function projected(
  view: Record<string, unknown>,
  projection: string | undefined,
): Record<string, unknown> {
  const fields = (projection ?? "").split(/[,\s]+/).filter((field) => field !== "");
  const without = new Set(fields.filter((field) => field.startsWith("-")).map((f) => f.slice(1)));
  const only = new Set(fields.filter((field) => !field.startsWith("-")));
  return Object.fromEntries(
    Object.entries(view).filter(
      ([name]) => !without.has(name) && (only.size === 0 || only.has(name) || name === "flowId"),
    ),
  );
}

function instant(at: number | null): string | null {
  return at === null ? null : isoText(at);
}
