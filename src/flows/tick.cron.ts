import { purgeTries } from "../accounts/sign-in.store";
import { eventId } from "../stream/event-id";
import { ingest } from "./ingest.io";
import { purgeFlowStreams } from "./logs/store";
import { userSource } from "./ids";
import { runCommit } from "./targets";
import type { FlowDoors } from "./doors";
import { purgeTickets } from "./templates/tickets.store";
import { advanceOpen } from "./templates/update.io";
import { nextMinuteOf } from "./triggers/schedule";
import { dueSchedules, moveSchedule, scheduleMinute } from "./triggers/store";
import { purgeUnprocessed } from "./unprocessed/store";
import { isoText } from "../values/instant";

const PAGE = 100;
/** One tick starts this many flows at most; the next tick starts the others. */
const MOST = 2_000;
/** Messages are kept in their streams for as long. */
const RETENTION_MS = 7 * 86_400_000;

type Scheduled = Awaited<ReturnType<typeof dueSchedules>>[number];

/** Once a minute: starts the flows that are due, continues updates of instances, and forgets what is old. */
export async function tickFlows(scheduledAt: number, doors: FlowDoors): Promise<void> {
  const minute = await scheduleMinute(doors.db, scheduledAt);
  await startDue(doors, minute);
  await advanceOpen(doors);
  if (minute % 60 !== 0) return;
  await purgeUnprocessed(doors.db, scheduledAt - RETENTION_MS);
  await purgeTickets(doors.db, scheduledAt - RETENTION_MS);
  await purgeFlowStreams(doors.db, scheduledAt - RETENTION_MS);
  await purgeTries(doors.db, scheduledAt);
}

/**
 * Starts every flow that is due. A run's id is derived from its minute, so a tick that dies between committing
 * the run and writing down the next due minute starts no flow twice. One that fails stops no other.
 */
async function startDue(doors: FlowDoors, minute: number): Promise<void> {
  for (let started = 0; started < MOST; started += PAGE) {
    const due = await dueSchedules(doors.db, minute, PAGE);
    let failed = 0;
    for (const trigger of due)
      await start(doors, trigger, minute).catch((error: unknown) => {
        failed += 1;
        const { flowId } = trigger;
        console.error(JSON.stringify({ at: "flows.tick", flowId, error: String(error) }));
      });
    if (due.length < PAGE || failed === due.length) return;
  }
}

async function start(doors: FlowDoors, trigger: Scheduled, minute: number): Promise<void> {
  const { organizationId, userId, flowId, componentId, nextMinute } = trigger;
  const source = userSource(userId);
  const id = eventId(source, "schedule", `${flowId}/${componentId}`, String(nextMinute));
  const date = (nextMinute ?? minute) * 60_000;
  const event = { id, objectType: "schedule", eventType: "TICK", date };
  const commit = runCommit(trigger, event, { scheduledAt: isoText(date) });
  await ingest(doors, { organizationId, source, commit });
  await moveSchedule(doors.db, trigger, nextMinuteOf(trigger.properties, minute));
}
