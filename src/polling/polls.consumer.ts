import { keyring } from "../db/sealed";
import type { Instance } from "../instances/instance";
import { readInstances } from "../instances/store";
import { IDLE_POLLS } from "../metering/rollup";
import { count, flushCounts } from "../metering/store";
import { pollMessage, type ReceivedPolls } from "../stream/poll-message";
import { sendPolls } from "../stream/polls-queue.io";
import type { PollDoors } from "./commit.io";
import { type Pacer, reservePolls } from "./pacing/rate-slots.io";
import { delayUntil } from "./pacing/spread";
import type { Behind, PollReport } from "./report";
import { returnOf } from "./return";
import { holder, runningPoll, runPoll } from "./running-polls.io";
import { pollSerially } from "./serial.io";

/** Polls of one message that run at the same time. */
const CONCURRENCY = 6;
/** A poll that begins this long after it was due is counted as late. */
const LATE_MS = 60_000;
/** Counts of idle polls stay in memory this long: writing them down costs more than the polls. */
const FLUSH_EVERY_MS = 300_000;

/** A message is tried again after this time, when one of its polls failed that must not be lost. */
const RETRY_SECONDS = 5;

/**
 * Polls the instances that messages name. One bad instance never fails the others, nor the batch. A poll that the schedule
 * asked for and that failed here is made again at its next slot; one that a webhook or an unfinished poll asked for may
 * have no next slot, so its message is tried again.
 */
export async function consumePolls(batch: MessageBatch, doors: PollDoors): Promise<void> {
  for (const message of batch.messages) {
    const parsed = pollMessage.safeParse(message.body);
    if (!parsed.success) {
      console.error(JSON.stringify({ at: "polls", error: "unreadable message", id: message.id }));
      message.retry();
      continue;
    }
    const { wake, again } = parsed.data;
    const failures = await pollAllDue(parsed.data, doors);
    if (failures > 0 && (wake || again)) message.retry({ delaySeconds: RETRY_SECONDS });
    else message.ack();
  }
  await flushCounts(doors.db, Date.now(), FLUSH_EVERY_MS);
}

/**
 * Polls the instances whose rate budgets have room; the others come back when they do. @returns how many polls failed for a
 * reason of our own.
 */
async function pollAllDue(message: ReceivedPolls, doors: PollDoors): Promise<number> {
  const { ids, wake, again, resources } = message;
  const due = await readInstances(doors.db, keyring(doors.config.masterKeys), ids);
  const precedence = { again: again || wake, forced: false };
  const pacer = await reservePolls(due, doors, { ...precedence, only: resources });
  const withoutRoom: Instance[] = [];
  let failures = 0;
  const next = due.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const instance of next)
        if (pacer.admits(instance)) {
          if (!(await pollDue(instance, doors, pacer, message))) failures += 1;
        } else {
          countDue(instance, message, true, Date.now());
          withoutRoom.push(instance);
        }
    }),
  );
  await pacer.putBack(withoutRoom, message);
  return failures;
}

/** @returns false when the poll failed for a reason of our own; refusals of the vendor are results of a poll. */
async function pollDue(
  instance: Instance,
  doors: PollDoors,
  pacer: Pacer,
  message: ReceivedPolls,
): Promise<boolean> {
  const { id } = instance;
  const beganAt = Date.now();
  try {
    const report =
      runningPoll(id) === undefined
        ? await runPoll(id, (onAlive) => pollOne(instance, doors, pacer, message, onAlive))
        : ({ kind: "busy", until: 0 } as const);
    if (report.kind !== "not-polled")
      countDue(instance, message, report.kind !== "polled", beganAt);
    const now = Date.now();
    const back = returnOf(report, message, now);
    if (back === undefined) return true;
    const again = { ids: [id], wake: message.wake, again: true, resources: back.resources };
    await sendPolls(doors.polls, [again], delayUntil(back.at, now));
    return true;
  } catch (error) {
    console.error(JSON.stringify({ at: "poll", instanceId: id, error: String(error) }));
    return false;
  }
}

function pollOne(
  instance: Instance,
  doors: PollDoors,
  pacer: Pacer,
  { wake, again, resources }: ReceivedPolls,
  onAlive: () => void,
): Promise<PollReport | Behind> {
  const request = {
    holder: holder(),
    onAlive,
    trigger: wake ? ("wake" as const) : ("schedule" as const),
    only: resources,
    slots: pacer.slotsOf(instance),
  };
  const name = JSON.stringify([instance.id, wake, resources]);
  return pollSerially(instance, doors, request, { name, again });
}

/** Counts a poll that the schedule called for. It is late if it began long after, or could not begin or end yet. */
function countDue(
  { organizationId }: Instance,
  { dueAt }: ReceivedPolls,
  isPutOff: boolean,
  beganAt: number,
): void {
  if (dueAt === undefined) return;
  const pollsLate = isPutOff || beganAt >= dueAt + LATE_MS ? 1 : 0;
  const key = { organizationId, source: IDLE_POLLS, destinationId: "" };
  count(key, { pollsDue: 1, pollsLate }, beganAt);
}
