import type { ReceivedPolls } from "../stream/poll-message";
import type { Behind, PollReport } from "./report";
import type { Lane } from "./unreachable";

/** A poll that met another one of its instance or account tries again after this time. */
const RETRY_MS = 2_000;

/** A poll that is put back on a queue: until when, and for which resources only. Instants in epoch ms. */
export type Return = { at: number; resources: string[] | undefined; lane: Lane; again: boolean };

/**
 * Whether a poll that a queue message asked for comes back by the queue.
 *
 * A scheduled poll that finds another one running, or the vendor asking to wait, is given up: the next one of the schedule
 * sees the same changes. One that a webhook or an unfinished poll asked for comes back, because the poll that runs
 * may have read its lists before the change was made. A poll that lacks room in a rate budget always comes back, and what
 * is cut off in the middle goes on in the slow lane, like polls of vendors that gave no answer before. While such a vendor is left alone,
 * the stream keeps what was asked for (`poll.io.ts`).
 */
export function returnOf(
  report: PollReport | Behind,
  { wake, again, resources }: Pick<ReceivedPolls, "wake" | "again" | "resources">,
  now: number,
): Return | undefined {
  const isScheduled = !wake && !again;
  const fast = { lane: "fast" as const, again: true };
  const slow = { at: now, lane: "slow" as const };
  switch (report.kind) {
    case "polled":
    case "not-polled":
      return undefined;
    case "busy":
      return isScheduled ? undefined : { ...fast, at: now + RETRY_MS, resources };
    case "postponed":
      return isScheduled ? undefined : { ...fast, at: report.until, resources };
    case "behind":
      return report.waits ? undefined : { ...fast, at: now + RETRY_MS, resources };
    case "crowded":
      return { ...fast, at: report.until, resources: report.left };
    case "cut":
      return report.isBegun
        ? { ...slow, again: true, resources: report.left }
        : { at: now, lane: "fast", again, resources };
    case "unreachable":
      return report.turn === "later" ? undefined : { ...slow, again, resources };
  }
}
