import type { Happened, Target } from "../stream/event";
import { groupsByWeight } from "../stream/plan";
import type { Trigger } from "../flows/triggers/trigger";
import { matchesChange, resourceKeys } from "../flows/triggers/match";
import { prepareSourceTriggers } from "../flows/triggers/store";
import { type Change, eventOf, sourceOf } from "./change";
import type { HookTarget } from "./hooks";
import { WORD } from "./match";
import { flowSubscription } from "../subscriptions/flows";
import { ingest, type IngestDoors } from "../subscriptions/ingest.io";
import type { Subscription } from "../subscriptions/subscription";

/**
 * How a change gets from the log of API resources into the stream of its scope.
 *
 * D1 is the log of API resources: a request writes the resource and the record of its change in one batch. The change
 * is handed to its stream right after the answer; if that fails or the Worker dies before, the cron tick does it
 * (`tick.cron.ts`). The event's id is the change's, so a change that is handed over twice is one event.
 *
 * The flows that a change starts are read in the batch that makes it, so they are those of that moment: a flow that is
 * started a millisecond later hears nothing of it, and one that is stopped later has been started.
 */

/** Changes of one commit to a stream: few enough for one call. */
const EVENTS_A_COMMIT = 200;
const UNITS_A_COMMIT = 4_000_000;

/** The statement that reads the triggers of flows that changes may start, for the batch that makes the changes. */
export const prepareTriggers = (
  db: D1Database,
  organizationId: number,
  changes: readonly Change[],
): D1PreparedStatement =>
  prepareSourceTriggers(db, {
    organizationId,
    kind: "resource",
    keys: [...new Set(changes.flatMap(({ changed }) => resourceKeys(changed)))],
  });

/** Commits changes to the streams of their scopes, in order, with the runs of those flows whose `triggers` match. */
export async function handOver(
  doors: IngestDoors,
  organizationId: number,
  changes: readonly Change[],
  triggers: readonly Trigger[],
): Promise<void> {
  const bySource = Map.groupBy(changes, ({ changed }) => sourceOf(changed.scope));
  for (const [source, own] of bySource) {
    const groups = groupsByWeight(own, UNITS_A_COMMIT, EVENTS_A_COMMIT, ({ body }) => body.length);
    for (const group of groups)
      await ingest(doors, {
        organizationId,
        source,
        commit: { events: group.map(eventOf) },
        origin: { tenant: null },
        own: () => [...hooksOf(group), ...flowsOf(group, triggers)],
      });
  }
}

/** The hooks that changes fire: found when each was made, one for each distinct destination. */
function hooksOf(changes: readonly Change[]): Subscription[] {
  const hooked = new Map<string, { target: HookTarget; eventIds: Set<string> }>();
  for (const { eventId, targets } of changes)
    for (const target of targets) {
      const key = JSON.stringify(target);
      const one = hooked.get(key) ?? { target, eventIds: new Set() };
      hooked.set(key, one);
      one.eventIds.add(eventId);
    }
  const turnedAway = new Set(
    changes.filter(({ filtered }) => filtered).map(({ eventId }) => eventId),
  );
  return [
    ...[...hooked.values()].map(({ target, eventIds }): Subscription => {
      const targets = [targetOf(target)];
      return {
        kind: "hook",
        hears: ({ id }) => (eventIds.has(id) ? "yes" : "no"),
        targets: () => targets,
      };
    }),
    {
      kind: "hook",
      hears: ({ id }) => (turnedAway.has(id) ? "filtered" : "no"),
      targets: () => [],
    },
  ];
}

/** The flows that changes start. */
function flowsOf(changes: readonly Change[], triggers: readonly Trigger[]): Subscription[] {
  const byId = new Map(changes.map(({ eventId, changed }) => [eventId, changed]));
  return triggers.map((trigger) =>
    flowSubscription(trigger, "record", ({ id }: Happened) => {
      const changed = byId.get(id);
      return (
        changed !== undefined && matchesChange(trigger, { ...changed, type: WORD[changed.type] })
      );
    }),
  );
}

function targetOf({
  destinationId,
  skipped,
  warnings,
  order = { ordering: "none" },
}: HookTarget): Target {
  return {
    destinationId,
    envelope: { format: "verbatim" },
    most: 1,
    ...order,
    ...(skipped === undefined ? {} : { skipped }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}
