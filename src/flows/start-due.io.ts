import { type FlowsPart, sendParts, type TicksQueue } from "../db/tick-parts";
import { commitCounted, type CommitDoors } from "../stream/counted-commit.io";
import type { NewEvent, Target } from "../stream/event";
import { eventId } from "../stream/event-id";
import { settledAtOnce } from "../values/at-once";
import { isoText } from "../values/instant";
import { userSource } from "./ids";
import { runCommit } from "./targets";
import { nextMinuteOf } from "./triggers/schedule";
import { dueSchedules, moveSchedules, pagesOfDue, type Scheduled } from "./triggers/due.store";

/**
 * How the flows that are due at a minute are started, however many: a tick reads only where each page of them ends, and
 * sends the pages to the queue, where many isolates start one each. It takes the first page itself, so that a deployment
 * with few flows sends nothing.
 *
 * A run's id is derived from its minute, and a flow's next minute is written only after its run is committed. So a tick, or
 * a part, that dies, that comes twice or is lost starts no flow twice and forgets none: whatever is still due is found by
 * the next tick.
 */

/** Flows of one page: two queries of D1, and a commit for each of their users. */
const PAGE = 100;
/** Commits of one page that are made at the same time. */
const AT_ONCE = 25;

export async function startDue(
  doors: CommitDoors & { ticks: TicksQueue },
  minute: number,
): Promise<void> {
  const ends = await pagesOfDue(doors.db, minute, PAGE);
  const pages = [...ends, null].map((upTo, index): FlowsPart => {
    return { kind: "flows", minute, after: ends[index - 1] ?? null, upTo };
  });
  const [first, ...others] = pages;
  await sendParts(doors.ticks, others);
  if (first !== undefined) await startPart(doors, first);
}

/** Starts the flows of a part that are still due. What fails for one user stops no other, and is due at the next tick. */
export async function startPart(doors: CommitDoors, part: FlowsPart): Promise<void> {
  for (let { after } = part; ;) {
    const due = await dueSchedules(doors.db, { ...part, after }, PAGE);
    const ofUsers = [...Map.groupBy(due, ({ userId }) => userId).values()];
    const settled = await settledAtOnce(ofUsers, AT_ONCE, (own) => start(doors, own, part.minute));
    const moved = settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    await moveSchedules(doors.db, moved);
    const last = due.at(-1);
    if (last === undefined || due.length < PAGE) return;
    after = last.place;
  }
}

type Moved = { trigger: Scheduled; next: number | null };

/** Commits the runs of one user's flows. @returns when they are due next; nothing when it failed. */
async function start(
  doors: CommitDoors,
  triggers: readonly Scheduled[],
  minute: number,
): Promise<Moved[]> {
  const [{ organizationId, userId } = NOBODY] = triggers;
  const source = userSource(userId);
  try {
    await commitCounted(doors, { organizationId, source, commit: runsOf(source, triggers) });
  } catch (error) {
    console.error(JSON.stringify({ at: "flows.tick", userId, error: String(error) }));
    return [];
  }
  return triggers.flatMap((trigger) => nextOf(trigger, minute));
}

const NOBODY = { organizationId: 0, userId: 0 };

/** The runs of several flows in one commit. */
function runsOf(
  source: string,
  triggers: readonly Scheduled[],
): { events: NewEvent[]; targets: Target[] } {
  const events: NewEvent[] = [];
  const targets: Target[] = [];
  for (const trigger of triggers) {
    const { flowId, componentId, place } = trigger;
    const id = eventId(source, "schedule", `${flowId}/${componentId}`, String(place.minute));
    const date = place.minute * 60_000;
    const event = { id, objectType: "schedule", eventType: "TICK", date };
    const run = runCommit(trigger, event, { scheduledAt: isoText(date) });
    const before = targets.length;
    events.push(...run.events.map((one) => ({ ...one, to: one.to.map((to) => before + to) })));
    targets.push(...run.targets);
  }
  return { events, targets };
}

/** A schedule that can't be read stays due, and stops no other. */
function nextOf(trigger: Scheduled, minute: number): Moved[] {
  try {
    return [{ trigger, next: nextMinuteOf(trigger.properties, minute) }];
  } catch (error) {
    const { flowId } = trigger;
    console.error(JSON.stringify({ at: "flows.tick", flowId, error: String(error) }));
    return [];
  }
}
