import type { Config } from "../config";
import { lastMinute, saveLastMinute } from "../db/schedule";
import { dueInstances } from "../instances/due.store";
import type { PollMessage } from "../stream/poll-message";
import { type PollsQueue, sendPolls } from "../stream/polls-queue.io";
import { chunks } from "../values/lists";

/** Instances a message names: an idle poll costs a hundredth of a message. */
const IDS_A_MESSAGE = 100;

/**
 * One tick of the schedule: puts every instance that is due on the polls queue, also those of minutes
 * that a lost tick left out. The minute is written down last: a tick that dies is repeated.
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
    ...messagesOf([...missed], dueAt - (now - first) * 60_000),
    ...messagesOf(
      due.filter((id) => !missed.has(id)),
      dueAt,
    ),
  ];
  await sendPolls(doors.polls, messages);
  await saveLastMinute(doors.db, now);
  return { dispatched: messages.reduce((sum, { ids }) => sum + ids.length, 0) };
}

/** `dueAt`: when the first of them was due. */
function messagesOf(ids: readonly number[], dueAt: number): PollMessage[] {
  return chunks(ids, IDS_A_MESSAGE).map((part) => ({ ids: part, dueAt }));
}
