import type { LogFeed } from "../../connectors/feed";
import type { FeedPosition } from "../cursor";
import { MOST_EMPTY, MOST_PAGES, PAGES_A_RUN, type ResourceReport } from "../report";
import type { PollState } from "../commit.io";
import { ask, endless, failed, goOn, move, rest, roundInACircle, unreadable } from "./progress.io";
import { logEvent } from "./log-event";

/** Reads a log from where it was left to its end; each page's events move with its position. */
export async function pollLog(
  poll: PollState,
  feed: LogFeed,
  report: ResourceReport,
): Promise<boolean> {
  const startedAt = Date.now();
  const carried = poll.cursor.feed?.pages ?? 0;
  let position = poll.cursor.feed?.position ?? null;
  let empty = 0;
  const seen = new Set([position]);
  for (let pages = 0; pages < PAGES_A_RUN; pages += 1) {
    const answer = await ask(poll, position === null ? feed.start : feed.page(position));
    if (answer.kind !== "json") {
      const isDead =
        position !== null &&
        answer.kind === "vendor-error" &&
        feed.isDead(answer.status, answer.providerMessage);
      if (!isDead) return failed(poll, answer, report);
      console.warn(JSON.stringify({ at: "feed.reset", instanceId: poll.instance.id }));
      position = null;
      seen.clear();
      continue;
    }
    const page = feed.read(answer.value);
    if (page === undefined) return failed(poll, unreadable, report);
    const next: FeedPosition = {
      phase: "follow",
      position: page.position,
      generation: 1,
      quiet: false,
      pages: pages === PAGES_A_RUN - 1 ? carried + PAGES_A_RUN : 0,
    };
    const isStart = position === null;
    if (!isStart && page.count === 0 && page.position === position) return rest(poll, next, report);
    if (seen.has(page.position)) return failed(poll, roundInACircle, report);
    seen.add(page.position);
    report.fetched += page.count;
    // What happened before the feed was first asked is history.
    const events = isStart
      ? []
      : page.changes.map((change) => logEvent(poll.source, change, startedAt));
    await move(poll, next, { events, state: [] }, report, startedAt);
    empty = page.count === 0 ? empty + 1 : 0;
    if (isStart || empty > MOST_EMPTY) return true;
    position = page.position;
  }
  return carried + PAGES_A_RUN >= MOST_PAGES ? endless(poll, report) : goOn(poll);
}
