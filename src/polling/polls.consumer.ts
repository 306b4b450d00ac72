import { keyring } from "../db/sealed";
import { isStreamFeed } from "../connectors/parsers";
import type { Instance } from "../instances/instance";
import { findInstances } from "../instances/heard.store";
import { readInstances } from "../instances/store";
import { IDLE_POLLS } from "../metering/rollup";
import { count, watchCounts } from "../metering/counter.io";
import { pollMessage, type ReceivedPolls } from "../stream/poll-message";
import { sendPolls } from "../stream/polls-queue.io";
import type { PollDoors } from "./commit.io";
import { dueResources } from "./due-resources";
import { type Pacer, reservePolls } from "./pacing/rate-slots.io";
import { delayUntil } from "./pacing/spread";
import type { Behind, PollReport } from "./report";
import { returnOf } from "./return";
import { holder, runningPoll, runPoll } from "./running-polls.io";
import { pollSerially } from "./serial.io";
import { Ration } from "./pacing/ration";
import type { Lane } from "./unreachable";
import { settledAtOnce } from "../values/at-once";
import { chunks } from "../values/lists";

/** Polls of one message that run at the same time: an invocation has as many connections. */
const CONCURRENCY = 6;
/** What a message leaves over goes back in parts of this many, so that several isolates take it. */
const IDS_PUT_BACK = 25;
/** A poll that begins this long after it was due is counted as late. */
const LATE_MS = 60_000;

/** A message is tried again after this time, when one of its polls failed that must not be lost. */
const RETRY_SECONDS = 5;

/**
 * Polls the instances that messages name. One bad instance never fails the others, nor the batch. A poll that the schedule
 * asked for and that failed here is made again at its next slot; one that a webhook or an unfinished poll asked for may
 * have no next slot, so its message is tried again. Messages of the slow lane, most of one instance, are taken together.
 */
export async function consumePolls(batch: MessageBatch, doors: PollDoors): Promise<void> {
  const lane = batch.queue.endsWith("-slow") ? "slow" : "fast";
  const inTurn = lane === "slow" ? batch.messages.length : 1;
  const settled = await settledAtOnce(batch.messages, inTurn, (message) =>
    consumeOne(message, doors, lane),
  );
  for (const one of settled) if (one.status === "rejected") throw one.reason;
  watchCounts(doors.db);
}

async function consumeOne(message: Message, doors: PollDoors, lane: Lane): Promise<void> {
  const parsed = pollMessage.safeParse(message.body);
  if (!parsed.success) {
    console.error(JSON.stringify({ at: "polls", error: "unreadable message", id: message.id }));
    message.retry();
    return;
  }
  const { wake, again } = parsed.data;
  const failures = await pollAllDue(parsed.data, doors, lane);
  if (failures > 0 && (wake || again)) message.retry({ delaySeconds: RETRY_SECONDS });
  else message.ack();
}

/**
 * Polls the instances whose rate budgets have room; the others come back when they do. What the message has no time for,
 * because some of its vendors take long, goes back on the queue as it came. @returns how many polls failed for a reason
 * of our own.
 */
async function pollAllDue(message: ReceivedPolls, doors: PollDoors, lane: Lane): Promise<number> {
  const { ids, wake, again } = message;
  const ring = keyring(doors.config.masterKeys);
  // The schedule names up to a hundred at a time, most of them idle: one query costs less than a request for each.
  const isFew = again || wake;
  const named = await (isFew ? findInstances : readInstances)(doors.db, ring, ids);
  const chosen = new Map(named.map((instance) => [instance.id, chosenOf(instance, message)]));
  const only = ({ id }: Instance): readonly string[] | undefined => chosen.get(id);
  const due = named.filter((instance) => hasWork(instance, only(instance)));
  const precedence = { again: again || wake, forced: false };
  const pacer = await reservePolls(due, doors, { ...precedence, only });
  const ration = new Ration(Date.now());
  const withoutRoom: Instance[] = [];
  const unbegun: number[] = [];
  const settled = await settledAtOnce(due, CONCURRENCY, async (instance) => {
    if (ration.isOver(Date.now())) unbegun.push(instance.id);
    else if (pacer.admits(instance))
      return pollDue(instance, doors, { pacer, message, only: only(instance), ration, lane });
    else {
      countDue(instance, message, true, Date.now());
      withoutRoom.push(instance);
    }
    return true;
  });
  const parts = chunks(unbegun, IDS_PUT_BACK).map((part) => ({ ...message, ids: part }));
  await sendPolls(lane === "slow" ? doors.slowPolls : doors.polls, parts);
  await pacer.putBack(withoutRoom, message);
  return settled.filter((one) => one.status === "rejected" || !one.value).length;
}

/** The resources of an instance that a message asks for; undefined: all. */
const chosenOf = (instance: Instance, { resources, minutes }: ReceivedPolls) =>
  resources ?? (minutes && dueResources(instance, minutes));

const hasWork = ({ connector }: Instance, only: readonly string[] | undefined): boolean =>
  only?.length !== 0 || isStreamFeed(connector);

type Round = {
  pacer: Pacer;
  message: ReceivedPolls;
  only: readonly string[] | undefined;
  ration: Ration;
  lane: Lane;
};

/** @returns false when the poll failed for a reason of our own; refusals of the vendor are results of a poll. */
async function pollDue(instance: Instance, doors: PollDoors, round: Round): Promise<boolean> {
  const { id } = instance;
  const { message } = round;
  const beganAt = Date.now();
  try {
    const report =
      runningPoll(id) === undefined
        ? await runPoll(id, (onAlive) => pollOne(instance, doors, round, onAlive))
        : ({ kind: "busy", until: 0 } as const);
    if (report.kind !== "not-polled") countDue(instance, message, isPutOff(report), beganAt);
    const now = Date.now();
    const back = returnOf(report, message, now);
    if (back === undefined) return true;
    const { lane, again, resources } = back;
    const queue = lane === "slow" ? doors.slowPolls : doors.polls;
    const { wake, minutes } = message;
    const rest = { ids: [id], wake, again, resources, minutes };
    await sendPolls(queue, [rest], delayUntil(back.at, now));
    return true;
  } catch (error) {
    console.error(JSON.stringify({ at: "poll", instanceId: id, error: String(error) }));
    return false;
  }
}

function pollOne(
  instance: Instance,
  doors: PollDoors,
  { pacer, message: { wake, again }, only, ration, lane }: Round,
  onAlive: () => void,
): Promise<PollReport | Behind> {
  const request = {
    holder: holder(),
    onAlive,
    trigger: wake ? ("wake" as const) : ("schedule" as const),
    isAgain: again,
    only,
    slots: pacer.slotsOf(instance),
    ration,
    lane,
  };
  const name = JSON.stringify([instance.id, wake, only]);
  return pollSerially(instance, doors, request, { name, again });
}

/** Whether a poll could not be made, or not to its end. A vendor that gives no answer is late itself. */
const isPutOff = ({ kind }: PollReport | Behind): boolean =>
  kind !== "polled" && kind !== "unreachable";

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
