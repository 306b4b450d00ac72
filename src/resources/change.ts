import { withHops } from "../delivery/own-address";
import { isWanted } from "../expressions/filter";
import type { Happened } from "../stream/event";
import { scopeKey } from "./address";
import type { HookTarget, Listeners } from "./hooks";
import { targetsOf } from "./hooks";
import type { Version } from "./kinds/registry";
import type { Changed, ChangeType } from "./match";
import { contractTime, type Resource, view } from "./resource";

/** A change that is to be written into the log. */
export type Change = {
  eventId: string;
  at: number;
  changed: Changed;
  resourceId: string;
  /** JSON text: what webhooks get (reference resource-api.md §10). */
  body: string;
  targets: HookTarget[];
  /** How many requests of this platform led to it. Not in the log: what a crash delayed begins a new chain. */
  hops?: number;
  /** The filter of a webhook turned it away. */
  filtered?: true;
};

/** What the changes of one request share. */
export type Cause = {
  organizationId: number;
  userId: string;
  correlationId: string;
  version: Version;
  product: string;
  now: number;
  newId: () => string;
  hops: number;
};

/** The record of a change. `resource`: as it is after the change; as it was before its deletion. */
export function changeOf(
  type: ChangeType,
  resource: Resource,
  cause: Cause,
  listeners: Listeners,
  subresource?: string,
): Change {
  const { kind, name, scope } = resource;
  const changed: Changed = { type, group: kind.group, kind: kind.kind, name, scope };
  const eventId = cause.newId();
  const body = JSON.stringify({
    id: eventId,
    time: contractTime(cause.now),
    version: "v1",
    product: cause.product,
    correlationId: cause.correlationId,
    organization: { id: String(cause.organizationId) },
    type,
    ...(subresource === undefined ? {} : { metadata: { subresource } }),
    payload: view(resource, cause.version),
  });
  return {
    eventId,
    at: cause.now,
    changed,
    resourceId: resource.id,
    body,
    targets: targetsOf(changed, listeners),
    ...withHops(cause.hops),
  };
}

/** The event of a change, as its stream gets it. */
export const eventOf = ({
  eventId,
  changed,
  resourceId,
  at,
  body,
  hops = 0,
}: Change): Happened => ({
  id: eventId,
  objectType: changed.kind,
  objectId: resourceId,
  eventType: changed.type,
  date: at,
  data: body,
  ...withHops(hops),
});

/** The change without the targets whose filters turn it away. */
export async function withWantedTargets(change: Change): Promise<Change> {
  const targets = await Promise.all(
    change.targets.map(async ({ filter, ...target }) =>
      (await isWanted(filter, eventOf(change))) ? [target] : [],
    ),
  );
  const isFiltered = targets.some((wanted) => wanted.length === 0);
  return { ...change, targets: targets.flat(), ...(isFiltered ? { filtered: true } : {}) };
}

/** The source whose stream a change goes to: its scope's, or that of all unscoped resources. */
export function sourceOf(scope: Changed["scope"]): string {
  return scope === null ? "scope:-" : `scope:management/${scopeKey(scope)}`;
}
