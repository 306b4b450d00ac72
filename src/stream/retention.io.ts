import type { Commits } from "./commit.io";
import type { EventLog } from "./log/store";
import type { Outbox } from "./outbox/outbox.io";
import type { OutboxStore } from "./outbox/store";
import { storedLast } from "./meta";
import { type Positions, PURGE_BUNDLES } from "./outbox/positions.store";
import type { SearchIndex } from "./search/search-index.io";
import type { StreamStore } from "./store";
import type { Millis } from "../values/instant";

const PURGE_PAUSE_MS = 60_000;
const PURGE_ROWS = PURGE_BUNDLES;

type Doors = {
  store: StreamStore;
  log: EventLog;
  bundles: OutboxStore;
  positions: Positions;
  search: SearchIndex;
  commits: Commits;
  outbox: Outbox;
};

/** Purges what is older than the retention: bundles of which nothing is due, segments they don't need, ids. */
export class Retention {
  private readonly doors: Doors;

  constructor(doors: Doors) {
    this.doors = doors;
  }

  /** When the next purge is due; null: there is nothing to purge. */
  dueAt(now: Millis): Millis | null {
    const oldest = this.oldestAt();
    return oldest === null
      ? null
      : Math.max(oldest + this.doors.commits.retentionMs, now + PURGE_PAUSE_MS);
  }

  /** Purges one page. @returns whether there may be more. */
  async purge(now: Millis): Promise<boolean> {
    const { store, log, bundles, positions, search, commits, outbox } = this.doors;
    const oldest = this.oldestAt();
    const before = now - commits.retentionMs;
    if (oldest === null || oldest > before) return false;
    const { keepIdsSince = Number.MAX_SAFE_INTEGER } = commits.cursor();
    store.setMeta("lastSeqs", storedLast.write(commits.last));
    const { gone, inline, firstNeeded } = bundles.purge(before, PURGE_ROWS);
    positions.forget();
    const events = inline.flatMap((segment) => segment.events);
    const purged =
      log.deleteIds(events, keepIdsSince) +
      log.purge(before, firstNeeded, keepIdsSince, PURGE_ROWS) +
      log.deleteExpiredIds(before, keepIdsSince, now);
    search.purge();
    store.meter.purged += gone.length + purged;
    const freedKeys = gone.flatMap(({ notifications }) =>
      notifications.flatMap(({ keys = [] }) => keys),
    );
    await outbox.sendUnblocked(freedKeys, now);
    return gone.length + purged >= PURGE_ROWS;
  }

  /** When the oldest row was written. */
  private oldestAt(): Millis | null {
    const { log, bundles } = this.doors;
    const times = [log.oldestAt(), bundles.oldestAt()].filter((at) => at !== null);
    return times.length === 0 ? null : Math.min(...times);
  }
}
