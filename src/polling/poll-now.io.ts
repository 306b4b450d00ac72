import { keyring } from "../db/sealed";
import type { Instance } from "../instances/instance";
import { readInstance } from "../instances/store";
import type { PollDoors } from "./commit.io";
import { reservePolls } from "./pacing/rate-slots.io";
import type { PollReport } from "./report";
import { holder, runningPoll, runPoll } from "./running-polls.io";
import { pollSerially } from "./serial.io";

/** A person waits this long for another poll of the instance or its account to end. */
const WAIT_MS = 60_000;
const CHECK_EVERY_MS = 250;

/** A poll that somebody waits for is neither cut off nor put off because its vendor gave no answer before. */
export type PolledNow = Exclude<PollReport, { kind: "cut" | "unreachable" }>;

/** Polls an instance at once, whatever slot and pause say, but after any poll of it that is running. */
export async function pollNow(instance: Instance, doors: PollDoors): Promise<PolledNow> {
  const giveUpAt = Date.now() + WAIT_MS;
  for (;;) {
    const running = runningPoll(instance.id);
    const report: PolledNow =
      running === undefined
        ? await runPoll(instance.id, (onAlive) => pollCurrent(instance, doors, onAlive))
        : { kind: "busy", until: giveUpAt };
    if (report.kind !== "busy" || Date.now() > giveUpAt) return report;
    const wait = scheduler.wait(CHECK_EVERY_MS);
    await (running === undefined ? wait : Promise.race([running.catch(() => undefined), wait]));
  }
}

/** Reads the instance again first: it may have been changed while we waited. */
async function pollCurrent(
  instance: Instance,
  doors: PollDoors,
  onAlive: () => void,
): Promise<PolledNow> {
  const ring = keyring(doors.config.masterKeys);
  const current = (await readInstance(doors.db, ring, instance.id)) ?? instance;
  const pacer = await reservePolls([current], doors, { again: true, forced: true });
  const report = await pollSerially(current, doors, {
    holder: holder(),
    onAlive,
    trigger: "person",
    isAgain: false,
    ration: undefined,
    lane: undefined,
    only: undefined,
    slots: pacer.slotsOf(current),
  });
  switch (report.kind) {
    case "behind":
    case "cut":
    case "unreachable":
      return { kind: "busy", until: 0 };
    case "busy":
    case "postponed":
    case "crowded":
    case "not-polled":
    case "polled":
      return report;
  }
}
