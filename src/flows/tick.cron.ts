import { purgeTries } from "../accounts/sign-in.store";
import { eventId } from "../stream/event-id";
import { ingest } from "./ingest.io";
import { purgeFlowStreams } from "./logs/store";
import { runId, triggerTargets, userSource } from "./targets";
import type { RunningDoors } from "./lifecycle.store";
import { purgeTickets } from "./templates/tickets.store";
import { advanceOpen } from "./templates/update.io";
import { nextMinuteOf } from "./triggers/match";
import { dueSchedules, moveSchedule, scheduleMinute } from "./triggers/store";
import { purgeUnprocessed } from "./unprocessed/store";
import { isoText } from "../values/instant";

const PAGE = 100;
/** One tick starts this many flows at most; the next goes on. */
const MOST = 2_000;
/** Messages lie in their streams this long. */
const RETENTION_MS = 7 * 86_400_000;

/**
 * One tick of the schedule: starts every flow that is due, and goes on with updates of instances. A run's id is
 * derived from its minute, so a tick that dies between the run and the next due minute starts none twice.
 */
export async function tickFlows(scheduledAt: number, doors: RunningDoors): Promise<void> {
  const minute = await scheduleMinute(doors.db, scheduledAt);
  for (let done = 0; done < MOST; done += PAGE) {
    const due = await dueSchedules(doors.db, minute, PAGE);
    for (const trigger of due) {
      const { organizationId, userId, flowId, componentId, nextMinute } = trigger;
      const source = userSource(userId);
      const id = eventId(source, "schedule", `${flowId}/${componentId}`, String(nextMinute));
      const targets = triggerTargets(trigger, {
        correlationId: runId(id, trigger),
        input: "content",
      });
      const at = (nextMinute ?? minute) * 60_000;
      const event = {
        id,
        objectType: "schedule",
        objectId: `${flowId}/${componentId}`,
        eventType: "TICK",
        date: at,
        data: JSON.stringify({ content: { scheduledAt: isoText(at) } }),
        to: targets.map((_, index) => index),
      };
      await ingest(doors, { organizationId, source, commit: { events: [event], targets } });
      await moveSchedule(doors.db, trigger, nextMinuteOf(trigger.properties, minute));
    }
    if (due.length < PAGE) break;
  }
  await advanceOpen(doors);
  if (minute % 60 !== 0) return;
  await purgeUnprocessed(doors.db, scheduledAt - RETENTION_MS);
  await purgeTickets(doors.db, scheduledAt - RETENTION_MS);
  await purgeFlowStreams(doors.db, scheduledAt - RETENTION_MS);
  await purgeTries(doors.db, scheduledAt);
}
