import type { TreeEntry, TreeFeed } from "../../connectors/feed";
import type { FeedPosition } from "../cursor";
import { MOST_EMPTY_PAGES, PAGES_PER_POLL } from "../limits";
import type { ResourceReport } from "../report";
import type { PollState, Stream } from "../commit.io";
import { statePages } from "../state-pages.io";
import { isExpired } from "./expired";
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
import { applyTree, sweep, type TreeReading } from "./tree-changes";
import {
  forgottenNodes,
  type Index,
  keysOf,
  NODES,
  nodeKeysIn,
  prefixesOf,
  prune,
  TOMBSTONES,
} from "./tree-index";
import { afterPage, isAtEnd, reset, TREE_START } from "./tree-position";

/** As many tombstones are removed by one poll. */
const MOST_PRUNED = 500;
const DAY_MS = 86_400_000;
/** A vendor that forgets a position it has just given out has another trouble. */
const MOST_RESETS = 2;

/** Reads a tree feed from the position in the cursor to its end, comparing each page with the index. */
export async function pollTree(
  poll: PollState,
  feed: TreeFeed,
  report: ResourceReport,
): Promise<boolean> {
  const startedAt = Date.now();
  let at: FeedPosition = poll.cursor.feed ?? TREE_START;
  const pagesBefore = at.pages;
  let emptyPages = 0;
  let resets = 0;
  const read = new Set([at.position]);
  for (let pages = 1; pages <= PAGES_PER_POLL; pages += 1) {
    if (at.phase === "sweep") at = await sweepIndex(poll, at, report, startedAt);
    const answer = await askFeed(poll, at.position === null ? feed.list : feed.page(at.position));
    if (answer.kind === "crowded") return pauseFeed(poll, answer, report, pagesBefore + pages - 1);
    if (answer.kind !== "json") {
      resets += 1;
      if (!isExpired(feed, at.position, answer) || resets > MOST_RESETS)
        return failFeed(poll, answer, report);
      read.clear();
      at = reset(at);
      continue;
    }
    const page = feed.read(answer.value);
    if (page === undefined) return failFeed(poll, UNREADABLE, report);
    report.fetched += page.entries.length;
    if (page.more && read.has(page.position)) return failFeed(poll, CIRCLE, report);
    read.add(page.position);
    const isEmpty = page.entries.length === 0;
    if (isEmpty && isAtEnd(at, page.more)) return endIdleFeed(poll, at, report);
    const next = afterPage(at, page, pages === PAGES_PER_POLL ? pagesBefore + PAGES_PER_POLL : 0);
    const index = await indexFor(poll.stream, page.entries);
    const work = applyTree(page.entries, index, readingOf(poll, at, startedAt));
    await commitFeed(poll, next, work, report, startedAt);
    emptyPages = isEmpty ? emptyPages + 1 : 0;
    if (isAtEnd(next, page.more) || emptyPages > MOST_EMPTY_PAGES) {
      await pruneIndex(poll, next, report, startedAt);
      return true;
    }
    at = next;
  }
  return goOnLater(poll, pagesBefore, report);
}

function readingOf(
  { source, instance: { baseline } }: PollState,
  { generation, phase, position, quiet }: FeedPosition,
  startedAt: number,
): TreeReading {
  return {
    source,
    position: `${generation}|${phase}|${position}`,
    generation,
    quiet: phase === "listing" && quiet,
    baseline,
    startedAt,
  };
}

/** The part of the index that a page needs: its paths, its ids, and all that lies below deleted folders. */
export async function indexFor(stream: Stream, entries: readonly TreeEntry[]): Promise<Index> {
  const index: Record<string, string> = await stream.readState([...new Set(keysOf(entries))]);
  for (const prefix of prefixesOf(entries))
    for await (const page of statePages(stream, prefix))
      for (const { key, value } of page) index[key] = value;
  const unread = nodeKeysIn(index).filter((key) => !(key in index));
  return unread.length === 0 ? index : { ...index, ...(await stream.readState(unread)) };
}

/** Deletes what the listing that has just ended did not show, then goes on to follow the changes. */
async function sweepIndex(
  poll: PollState,
  at: FeedPosition,
  report: ResourceReport,
  startedAt: number,
): Promise<FeedPosition> {
  const reading = readingOf(poll, at, startedAt);
  for await (const page of statePages(poll.stream, NODES)) {
    const work = sweep(page, reading);
    if (work.state.length > 0) await commitFeed(poll, at, work, report, startedAt);
  }
  const follow: FeedPosition = { ...at, phase: "follow" };
  await commitFeed(poll, follow, { events: [], state: [] }, report, startedAt);
  return follow;
}

/** Forgets what was deleted long ago: once a day, and only after a poll that has written something anyway. */
async function pruneIndex(
  poll: PollState,
  at: FeedPosition,
  report: ResourceReport,
  now: number,
): Promise<void> {
  if (at.prunedAt !== undefined && at.prunedAt > now - DAY_MS) return;
  const tombstones = await poll.stream.readStatePage(TOMBSTONES, "", MOST_PRUNED);
  const forgotten = forgottenNodes(tombstones, now);
  if (forgotten.length === 0 && at.prunedAt !== undefined) return;
  const nodes = forgotten.length === 0 ? {} : await poll.stream.readState(forgotten);
  const isAll = forgotten.length < MOST_PRUNED;
  const next = isAll ? { ...at, prunedAt: now } : at;
  await commitFeed(poll, next, { events: [], state: prune(tombstones, nodes, now) }, report, now);
}
