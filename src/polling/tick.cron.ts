import type { Config } from "../config";
import { lastMinute, saveLastMinute } from "../db/schedule";
import { dueInstances } from "../instances/due.store";
import type { PollMessage, ScheduledMinutes } from "../stream/poll-message";
import { type PollsQueue, sendPolls } from "../stream/polls-queue.io";
import { chunks } from "../values/lists";

/** Instances that one queue message names. So an idle poll costs a hundredth of a message. */
const IDS_A_MESSAGE = 100;

/**
 * One tick of the schedule: puts every instance that is due on the polls queue.
 *
 * An instance has an interval in minutes and a slot, and is due in each minute with `minute % interval == slot`. Both
 * lie in an index, so finding those that are due takes one lookup an interval, and nothing is written for any instance:
 * the only row is the last minute that was polled. It tells which minutes lost ticks have left out; their instances are
 * polled now, each once. The row is written last, so that a tick that is cut off is done again.
 *
 * Example: with an interval of 15 and slot 7, an instance is due at 12:07, 12:22 … If the ticks from 12:05 to 12:09 are
 * lost, that of 12:10 polls it.
 */
export async function tick(
  scheduledAt: number,
  doors: { db: D1Database; polls: PollsQueue; config: Config },
): Promise<{ dispatched: number }> {
  const last = await lastMinute(doors.db);
  const clock = Math.floor(scheduledAt / 60_000);
  const now = doors.config.schedule === "ticks" && last !== null ? last + 1 : clock;
  if (last !== null && now <= last) return { dispatched: 0 };
  const first = last === null ? now : last + 1;
  const missed = new Set(first < now ? await dueInstances(doors.db, first, now - 1) : []);
  const due = await dueInstances(doors.db, now, now);
  const dueAt = Date.now();
  const messages = [
    ...messagesOf([...missed], dueAt - (now - first) * 60_000, { from: first, to: now }),
    ...messagesOf(
      due.filter((id) => !missed.has(id)),
      dueAt,
      { from: now, to: now },
    ),
  ];
  await sendPolls(doors.polls, messages);
  await saveLastMinute(doors.db, now);
  return { dispatched: messages.reduce((sum, { ids }) => sum + ids.length, 0) };
}

/** `dueAt`: when the first of these instances was due, epoch ms. */
function messagesOf(
  ids: readonly number[],
  dueAt: number,
  minutes: ScheduledMinutes,
): PollMessage[] {
  return chunks(ids, IDS_A_MESSAGE).map((part) => ({ ids: part, dueAt, minutes }));
}
