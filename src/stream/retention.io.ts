import type { Commits } from "./commit.io";
import type { EventLog } from "./log/store";
import type { Outbox } from "./outbox/outbox.io";
import type { OutboxStore } from "./outbox/store";
import type { Head } from "./head.store";
import { storedLast } from "./meta";
import { type Positions, PURGE_BUNDLES } from "./outbox/positions.store";
import type { SearchIndex } from "./search/search-index.io";
import type { StreamStore } from "./store";
import type { Millis } from "../values/instant";

const PURGE_ROWS = PURGE_BUNDLES;

type Doors = {
  store: StreamStore;
  head: Head;
  log: EventLog;
  bundles: OutboxStore;
  positions: Positions;
  search: SearchIndex;
  commits: Commits;
  outbox: Outbox;
};

/**
 * Purges what is older than the retention: bundles of which nothing is due, segments they don't need, ids. There is no
 * alarm for it, which would be a row for each event that comes alone: an alarm that goes off for something else purges
 * too, and once a day `upkeep` does, which a cron asks each stream for.
 */
export class Retention {
  private readonly doors: Doors;

  constructor(doors: Doors) {
    this.doors = doors;
  }

  /** Whether no event and no notification is left. */
  get isEmpty(): boolean {
    return this.oldestAt() === null;
  }

  /** Purges one page. @returns whether there may be more. */
  async purge(now: Millis): Promise<boolean> {
    const { store, head, log, bundles, positions, search, commits, outbox } = this.doors;
    const oldest = this.oldestAt();
    const before = now - commits.retentionMs;
    if (oldest === null || oldest > before) return false;
    const { keepIdsSince = Number.MAX_SAFE_INTEGER } = commits.cursor();
    // Once: that there may be gaps from now on. Later numbers are in the head, if a version had one.
    if (!head.isStored || store.meta("lastSeqs") === null)
      store.setMeta("lastSeqs", storedLast.write(commits.last));
    const { gone, inline, firstNeeded } = bundles.purge(before, PURGE_ROWS);
    positions.forget();
    const events = inline.flatMap((segment) => segment.events);
    const purged =
      log.deleteIds(events, keepIdsSince) +
      log.purge(before, firstNeeded, keepIdsSince, PURGE_ROWS) +
      log.deleteExpiredIds(before, keepIdsSince, now);
    search.purge();
    log.ids.purge(log.firstSeq() ?? commits.last.event + 1);
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
