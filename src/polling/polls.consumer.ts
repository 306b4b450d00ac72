import { keyring } from "../db/sealed";
import { pollMessage, type ReceivedPolls } from "../stream/poll-message";
import { IDLE_POLLS } from "../metering/rollup";
import { count, flushCounts } from "../metering/store";
import type { Instance } from "../instances/instance";
import { readInstance, readInstances } from "../instances/store";
import { type Behind, pollSerially } from "./serial.io";
import { holder, runningPoll, runPoll } from "./running-polls.io";
import type { PollReport } from "./report";
import type { PollDoors } from "./commit.io";
import { comeBack, takeTurns, type Turns } from "./pacing/rate-slots.io";

/** Vendors are called this many at a time for one invocation. */
const CONCURRENCY = 6;
/** A poll asked for by somebody waits this long for one that runs elsewhere, or another of its account. */
const WAIT_MS = 60_000;
const WAKE_AGAIN_MS = 2_000;
const LOOK_MS = 250;
/** What begins later than this after it was due is late. */
const LATE_MS = 60_000;
/** Idle polls alone write down what was counted this seldom. */
const FLUSH_EVERY_MS = 300_000;

/** Polls what a tick found due. One bad instance never fails the others, nor the batch. */
export async function consumePolls(batch: MessageBatch, doors: PollDoors): Promise<void> {
  for (const message of batch.messages) {
    const parsed = pollMessage.safeParse(message.body);
    if (!parsed.success) {
      console.error(JSON.stringify({ at: "polls", error: "unreadable message", id: message.id }));
      message.retry();
      continue;
    }
    await pollAllDue(parsed.data, doors);
    message.ack();
  }
  await flushCounts(doors.db, Date.now(), FLUSH_EVERY_MS);
}

/** Polls those whose vendors have room for it; the others come back when they do. */
async function pollAllDue(message: ReceivedPolls, doors: PollDoors): Promise<void> {
  const { ids, wake, again, resources } = message;
  const due = await readInstances(doors.db, keyring(doors.config.masterKeys), ids);
  const asked = { again: again || wake, forced: false, only: resources };
  const turns = await takeTurns(due, doors, asked);
  const away: Instance[] = [];
  const next = due.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const instance of next)
        if (turns.admits(instance)) await pollDue(instance, doors, turns, message);
        else {
          countDue(instance, message, true, Date.now());
          away.push(instance);
        }
    }),
  );
  await turns.sendAway(away, message);
}

async function pollDue(
  instance: Instance,
  doors: PollDoors,
  turns: Turns,
  message: ReceivedPolls,
): Promise<void> {
  const { wake, again, resources } = message;
  const beganAt = Date.now();
  // What came while another poll ran may have been too late for it.
  const mayNotBeLost = wake || again;
  const isRunning = runningPoll(instance.id) !== undefined;
  try {
    const line = { name: JSON.stringify([instance.id, wake, resources]), again };
    const report: PollReport | Behind = isRunning
      ? { kind: "busy", until: 0 }
      : await runPoll(instance.id, (onAlive) =>
          pollSerially(
            instance,
            doors,
            {
              holder: holder(),
              onAlive,
              trigger: wake ? "wake" : "schedule",
              only: resources,
              slots: turns.of(instance),
            },
            line,
          ),
        );
    if (report.kind !== "not-polled")
      countDue(instance, message, report.kind !== "polled", beganAt);
    switch (report.kind) {
      case "polled":
      case "not-polled":
        return;
      case "busy":
        if (mayNotBeLost)
          await comeBack(instance, doors, Date.now() + WAKE_AGAIN_MS, { wake, resources });
        return;
      case "behind":
        if (!report.waits)
          await comeBack(instance, doors, Date.now() + WAKE_AGAIN_MS, { wake, resources });
        return;
      case "postponed":
        if (mayNotBeLost) await comeBack(instance, doors, report.until, { wake, resources });
        return;
      case "crowded":
        await comeBack(instance, doors, report.until, { wake, resources: report.left });
    }
  } catch (error) {
    console.error(JSON.stringify({ at: "poll", instanceId: instance.id, error: String(error) }));
  }
}

/** A poll that the schedule called for; late: it began long after, or could not begin or end yet. */
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

/** A real poll, now: after any that runs already, whatever slot and backoff say. */
export async function pollNow(instance: Instance, doors: PollDoors): Promise<PollReport> {
  const giveUpAt = Date.now() + WAIT_MS;
  for (;;) {
    const before = runningPoll(instance.id);
    const report: PollReport =
      before === undefined
        ? await runPoll(instance.id, (onAlive) => pollAsItIs(instance, doors, onAlive))
        : { kind: "busy", until: giveUpAt };
    if (report.kind !== "busy" || Date.now() > giveUpAt) return report;
    const wait = scheduler.wait(LOOK_MS);
    await (before === undefined ? wait : Promise.race([before.catch(() => undefined), wait]));
  }
}

/** Polls an instance as it is when its turn has come. */
async function pollAsItIs(
  instance: Instance,
  doors: PollDoors,
  onAlive: () => void,
): Promise<PollReport> {
  const ring = keyring(doors.config.masterKeys);
  const current = (await readInstance(doors.db, ring, instance.id)) ?? instance;
  const turns = await takeTurns([current], doors, { again: true, forced: true, only: undefined });
  const report = await pollSerially(current, doors, {
    holder: holder(),
    onAlive,
    trigger: "person",
    only: undefined,
    slots: turns.of(current),
  });
  return report.kind === "behind" ? { kind: "busy", until: 0 } : report;
}
