import type { LogFeed } from "../../connectors/feed";
import type { Change } from "../../connectors/webhook";
import type { Instance } from "../../instances/instance";
import type { FeedPosition } from "../cursor";
import { MOST_EMPTY_PAGES, PAGES_PER_POLL } from "../limits";
import type { ResourceReport } from "../report";
import type { PollState } from "../commit.io";
import {
  askFeed,
  CIRCLE,
  commitFeed,
  endIdleFeed,
  failFeed,
  goOnLater,
  pauseFeed,
  UNREADABLE,
} from "./progress.io";
import { isExpired } from "./expired";
import { logEvent } from "./log-event";

/** Reads a log feed (Box) from the position in the cursor to its end. The first poll only asks where the log ends. */
export async function pollLog(
  poll: PollState,
  feed: LogFeed,
  report: ResourceReport,
): Promise<boolean> {
  const startedAt = Date.now();
  const pagesBefore = poll.cursor.feed?.pages ?? 0;
  let position = poll.cursor.feed?.position ?? null;
  let emptyPages = 0;
  const read = new Set([position]);
  for (let pages = 1; pages <= PAGES_PER_POLL; pages += 1) {
    const answer = await askFeed(poll, position === null ? feed.start : feed.page(position));
    if (answer.kind === "crowded") return pauseFeed(poll, answer, report, pagesBefore + pages - 1);
    if (answer.kind !== "json") {
      if (!isExpired(feed, position, answer)) return failFeed(poll, answer, report);
      // What happened between the forgotten position and now cannot be had from the log any more.
      console.warn(JSON.stringify({ at: "feed.reset", instanceId: poll.instance.id }));
      position = null;
      read.clear();
      continue;
    }
    const page = feed.read(answer.value);
    if (page === undefined) return failFeed(poll, UNREADABLE, report);
    const pagesSoFar = pages === PAGES_PER_POLL ? pagesBefore + PAGES_PER_POLL : 0;
    const next = positionAt(page.position, pagesSoFar);
    const isStart = position === null;
    if (!isStart && page.count === 0 && page.position === position)
      return endIdleFeed(poll, next, report);
    if (read.has(page.position)) return failFeed(poll, CIRCLE, report);
    read.add(page.position);
    report.fetched += page.count;
    // What happened before the log was asked for the first time is history.
    const changes = isStart ? [] : page.changes.filter((change) => !isTold(change, poll.instance));
    const events = changes.map((change) => logEvent(poll.source, change, startedAt));
    await commitFeed(poll, next, { events, state: [] }, report, startedAt);
    emptyPages = page.count === 0 ? emptyPages + 1 : 0;
    if (isStart || emptyPages > MOST_EMPTY_PAGES) return true;
    position = page.position;
  }
  return goOnLater(poll, pagesBefore, report);
}

/** Whether webhooks told of it before polls took over from them: then the baseline was moved to that instant. */
const isTold = ({ date }: Change, { baseline, createdAt }: Instance): boolean =>
  baseline > createdAt && date !== undefined && date <= baseline;

/** A log has no listing: it is always followed. */
const positionAt = (position: string, pages: number): FeedPosition => ({
  phase: "follow",
  position,
  generation: 1,
  quiet: false,
  pages,
});
