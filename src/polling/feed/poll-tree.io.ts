import type { TreeFeed } from "../../connectors/feed";
import type { FeedPosition } from "../cursor";
import { MOST_EMPTY, MOST_PAGES, PAGES_A_RUN, type ResourceReport } from "../report";
import type { PollState, Stream } from "../commit.io";
import { ask, endless, failed, goOn, move, rest, roundInACircle, unreadable } from "./progress.io";
import {
  applyTree,
  type Index,
  keysOf,
  longGone,
  nodeKeysIn,
  prefixesOf,
  pruned,
  sweep,
  TOMBSTONE,
} from "./tree-changes";

const STATE_PAGE = 500;
/** A vendor that no longer knows what it has just named has another trouble. */
const MOST_RESETS = 2;

/** Reads a tree, then its changes; a tree that is read anew is compared with what is known of it. */
export async function pollTree(
  poll: PollState,
  feed: TreeFeed,
  report: ResourceReport,
): Promise<boolean> {
  const startedAt = Date.now();
  let at: FeedPosition = poll.cursor.feed ?? {
    phase: "listing",
    position: null,
    generation: 1,
    quiet: true,
    pages: 0,
  };
  const carried = at.pages;
  let empty = 0;
  let resets = 0;
  const seen = new Set([at.position]);
  for (let pages = 0; pages < PAGES_A_RUN; pages += 1) {
    if (at.phase === "sweep") at = await sweepAll(poll, at, report, startedAt);
    const answer = await ask(poll, at.position === null ? feed.list : feed.page(at.position));
    if (answer.kind !== "json") {
      const isDead =
        at.position !== null &&
        answer.kind === "vendor-error" &&
        feed.isDead(answer.status, answer.providerMessage);
      resets += 1;
      if (!isDead || resets > MOST_RESETS) return failed(poll, answer, report);
      seen.clear();
      const { generation, quiet, phase } = at;
      const again = phase === "listing" ? generation : generation + 1;
      at = { phase: "listing", position: null, generation: again, quiet, pages: 0 };
      continue;
    }
    const page = feed.read(answer.value);
    if (page === undefined) return failed(poll, unreadable, report);
    report.fetched += page.entries.length;
    if (page.more && seen.has(page.position)) return failed(poll, roundInACircle, report);
    seen.add(page.position);
    const isLast = pages === PAGES_A_RUN - 1;
    const next = {
      ...after(at, page.position, page.more),
      pages: isLast ? carried + PAGES_A_RUN : 0,
    };
    if (at.phase === "follow" && page.entries.length === 0 && !page.more)
      return rest(poll, at, report);
    const index = await indexFor(poll.stream, page.entries);
    const reading = readingOf(poll, at, startedAt);
    await move(poll, next, applyTree(page.entries, index, reading), report, startedAt);
    empty = page.entries.length === 0 ? empty + 1 : 0;
    const isDone = (next.phase === "follow" && !page.more) || empty > MOST_EMPTY;
    at = next;
    if (isDone) {
      await prune(poll, at, report, startedAt);
      return true;
    }
  }
  return carried + PAGES_A_RUN >= MOST_PAGES ? endless(poll, report) : goOn(poll);
}

const DAY_MS = 86_400_000;

/** Forgets, once a day at most and only when something is written anyway, what was deleted long ago. */
async function prune(
  poll: PollState,
  at: FeedPosition,
  report: ResourceReport,
  now: number,
): Promise<void> {
  if (at.prunedAt !== undefined && at.prunedAt > now - DAY_MS) return;
  const page = await poll.stream.readStatePage(TOMBSTONE, "", STATE_PAGE);
  const gone = longGone(page, now);
  if (gone.length === 0 && at.prunedAt !== undefined) return;
  const nodes = gone.length === 0 ? {} : await poll.stream.readState(gone);
  const isAll = gone.length < STATE_PAGE;
  const next = isAll ? { ...at, prunedAt: now } : at;
  await move(poll, next, { events: [], state: pruned(page, nodes, now) }, report, now);
}

/** Where a page leads: a listing that ends is followed by a sweep, the first one by nothing to sweep. */
function after(at: FeedPosition, position: string, more: boolean): FeedPosition {
  if (at.phase !== "listing" || more) return { ...at, position };
  return { ...at, position, phase: at.quiet ? "follow" : "sweep", quiet: false };
}

function readingOf(poll: PollState, at: FeedPosition, startedAt: number) {
  return {
    source: poll.source,
    position: `${at.generation}|${at.phase}|${at.position}`,
    generation: at.generation,
    quiet: at.phase === "listing" && at.quiet,
    baseline: poll.instance.baseline,
    startedAt,
  };
}

async function sweepAll(
  poll: PollState,
  at: FeedPosition,
  report: ResourceReport,
  startedAt: number,
): Promise<FeedPosition> {
  const reading = readingOf(poll, at, startedAt);
  for (let last = ""; ;) {
    const page = await poll.stream.readStatePage("i|", last, STATE_PAGE);
    const work = sweep(page, reading);
    if (work.state.length > 0) await move(poll, at, work, report, startedAt);
    if (page.length < STATE_PAGE) break;
    last = page.at(-1)?.key ?? "";
  }
  const follow: FeedPosition = { ...at, phase: "follow" };
  await move(poll, follow, { events: [], state: [] }, report, startedAt);
  return follow;
}

/** The part of the index that a page needs: its paths, its ids, and what lies below what is gone. */
export async function indexFor(
  stream: Stream,
  entries: Parameters<typeof keysOf>[0],
): Promise<Index> {
  const index: Record<string, string> = await stream.readState([...new Set(keysOf(entries))]);
  for (const prefix of prefixesOf(entries))
    for (let last = ""; ;) {
      const page = await stream.readStatePage(prefix, last, STATE_PAGE);
      for (const { key, value } of page) index[key] = value;
      if (page.length < STATE_PAGE) break;
      last = page.at(-1)?.key ?? "";
    }
  const absent = nodeKeysIn(index).filter((key) => !(key in index));
  return absent.length === 0 ? index : { ...index, ...(await stream.readState(absent)) };
}
