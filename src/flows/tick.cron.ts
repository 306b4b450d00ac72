import { purgeTries } from "../accounts/sign-in.store";
import type { TicksQueue } from "../db/tick-parts";
import { purgeFlowStreams } from "./logs/store";
import type { FlowDoors } from "./doors";
import { startDue } from "./start-due.io";
import { purgeTickets } from "./templates/tickets.store";
import { advanceOpen } from "./templates/update.io";
import { scheduleMinute } from "./triggers/store";
import { purgeUnprocessed } from "./unprocessed/store";

/** Messages are kept in their streams for as long. */
const RETENTION_MS = 7 * 86_400_000;

export type TickDoors = FlowDoors & { ticks: TicksQueue };

/** Once a minute: starts the flows that are due, continues updates of instances, and forgets what is old. */
export async function tickFlows(scheduledAt: number, doors: TickDoors): Promise<void> {
  const minute = await scheduleMinute(doors.db, scheduledAt);
  await startDue(doors, minute);
  await advanceOpen(doors);
  if (minute % 60 !== 0) return;
  await purgeUnprocessed(doors.db, scheduledAt - RETENTION_MS);
  await purgeTickets(doors.db, scheduledAt - RETENTION_MS);
  await purgeFlowStreams(doors.db, scheduledAt - RETENTION_MS);
  await purgeTries(doors.db, scheduledAt);
}
