import type { Commit, Committed, Opened, StoredEvent, Wake } from "./event";
import { type Preloaded, preloadedFrom } from "./history";
import type { Gathering } from "./gathering.io";
import type { EventLog } from "./log/store";
import type { Outbox } from "./outbox/outbox.io";
import type { Bundle } from "./outbox/store";
import { type Draft, numbered, planCommit } from "./plan";
import type { Head } from "./head.store";
import { type Cursor, type Last, storedWake, type Unsettled } from "./meta";
import { earliestDueAt } from "./settle";
import { isSmall, segmentsOf } from "./segments";
import type { SearchIndex } from "./search/search-index.io";
import { PollLease } from "./poll-lease";
import type { StreamStore } from "./store";
import type { Millis } from "../values/instant";

const DEFAULT_RETENTION_MS = 7 * 86_400_000;

/** A commit that waits for the next flush, and how its caller gets the result. */
type Batched = {
  commit: Commit;
  resolve: (result: Committed) => void;
  reject: (error: unknown) => void;
};
/** What one commit adds. */
type Plan = { events: StoredEvent[]; drafts: Draft[]; raw: string | undefined };

/** What is to be done after a flush: bundles to send, and polls to ask for (`wakesAt`). */
export type Flushed = {
  bundles: Bundle[];
  /** Stored before; notifications in them have gathered all they can hold. */
  filled: Bundle[];
  preloaded: Preloaded;
  wakesAt: Millis[];
  now: Millis;
  /** Gives those who committed their results; `alarms`: how many were set for them, each a row. */
  answer: (alarms: number) => void;
};

/**
 * Commits to a stream: the cursor, who may move it, and the rows of new events and notifications.
 *
 * Commits that arrive together are flushed in one transaction (group commit): `enqueue` collects them, `flush` checks
 * each against the cursor and writes them all. A commit that read an older cursor (`expect`), or whose poll lost its
 * lease, is answered `stale` and writes nothing; the others of its flush are written all the same.
 */
export class Commits {
  lastOpenedAt: Millis | null = null;
  retentionMs: number;
  /** The highest numbers that an event and a notification got. */
  last: Last;
  private batch: Batched[] = [];
  private filled: Bundle[] = [];
  private readonly gathering: Gathering;
  private readonly lease = new PollLease();
  private isNameStored: boolean;

  private readonly store: StreamStore;
  private readonly head: Head;
  private readonly unsettled: () => Unsettled;
  private readonly log: EventLog;
  private readonly search: SearchIndex;
  private readonly outbox: Outbox;
  private readonly transaction: (work: () => void) => void;

  constructor(doors: {
    store: StreamStore;
    head: Head;
    unsettled: () => Unsettled;
    log: EventLog;
    search: SearchIndex;
    outbox: Outbox;
    gathering: Gathering;
    transaction: (work: () => void) => void;
    last: Last;
  }) {
    this.store = doors.store;
    this.head = doors.head;
    this.unsettled = doors.unsettled;
    this.log = doors.log;
    this.search = doors.search;
    this.outbox = doors.outbox;
    this.transaction = doors.transaction;
    this.gathering = doors.gathering;
    this.last = doors.last;
    this.retentionMs = Number(this.store.meta("retentionMs") ?? DEFAULT_RETENTION_MS);
    this.isNameStored = this.store.meta("name") !== null;
  }

  /** Gives a poll the lease, unless another holder has it. */
  open(holder: string, now: Millis): Opened {
    const token = crypto.randomUUID();
    const until = this.lease.acquire(holder, token, now);
    if (until !== null) return { kind: "busy", until };
    this.lastOpenedAt = now;
    const { version, value } = this.cursor();
    return { kind: "opened", lease: token, version, cursor: value };
  }

  renew(token: string, now: Millis): boolean {
    return this.lease.renew(token, now);
  }

  release(token: string): void {
    this.lease.release(token);
  }

  cursor(): Cursor {
    return this.head.cursor;
  }

  /** The poll that a commit asked for and that was not sent to the queue yet. */
  get wake(): Wake | null {
    const text = this.store.meta("wake");
    return text === null ? null : storedWake.read(text);
  }

  /** Adds a commit to the next flush. `result` comes with it; `isFirst`: the caller must see to that flush. */
  enqueue(commit: Commit): { result: Promise<Committed>; isFirst: boolean } {
    const { promise, resolve, reject } = Promise.withResolvers<Committed>();
    this.batch.push({ commit, resolve, reject });
    return { result: promise, isFirst: this.batch.length === 1 };
  }

  /** Writes all commits that wait, in one transaction; undefined when it failed, and nothing is written. */
  flush(name: string | undefined, now: Millis): Flushed | undefined {
    const { batch, last } = this;
    this.batch = [];
    const rowsBefore = this.store.meter.rowsWritten;
    let results: Committed[] = [];
    let bundles: Bundle[] = [];
    const plans: Plan[] = [];
    try {
      this.transaction(() => {
        const knownIds = this.log.knownIds(
          batch.flatMap(({ commit }) =>
            commit.events
              .filter(({ once }) => once !== true)
              .flatMap(({ id, formerly }) => (formerly === undefined ? [id] : [id, formerly])),
          ),
        );
        results = batch.map(({ commit }) => this.applyCommit(commit, knownIds, plans, name, now));
        bundles = this.writeRows(plans, now);
      });
    } catch (error) {
      this.last = last;
      this.store.forget();
      this.head.forget();
      this.log.ids.restore(this.head.stored.ids);
      this.search.forget();
      this.gathering.forget();
      for (const { reject } of batch) reject(error);
      return undefined;
    }
    const rows = this.store.meter.rowsWritten - rowsBefore;
    const messages = bundles.length / batch.length;
    return {
      answer: (set) => {
        const rowsWritten = (rows + set) / batch.length;
        const alarms = set / batch.length;
        batch.forEach(({ resolve }, index) => {
          const result = results[index];
          if (result !== undefined)
            resolve(
              result.kind === "stale" ? result : { ...result, rowsWritten, alarms, messages },
            );
        });
      },
      bundles,
      filled: this.filled,
      preloaded: preloadedFrom(plans),
      wakesAt: batch.flatMap(({ commit }) => commit.wake?.at ?? []),
      now,
    };
  }

  /** For a replay: adds notifications for events that are stored already. Without a transaction of its own. */
  addNotifications(drafts: Draft[], now: Millis): Bundle[] {
    const { bundles, last } = numbered(this.outbox.inBundles(drafts, now), [], this.last, now);
    for (const notification of bundles.flat()) notification.released = true;
    this.last = last;
    const when = { now, lastEvent: last.event };
    const inserted = bundles.map((notifications) => this.outbox.insert(notifications, when));
    const events = drafts.flatMap((draft) => draft.events);
    this.search.add([], bundles.flat(), events);
    if (inserted.length > 0) this.head.write(this.state());
    return inserted;
  }

  /** Checks one commit of a flush, writes its cursor, state and settings, and adds its events to `plans`. */
  private applyCommit(
    commit: Commit,
    knownIds: Set<string>,
    plans: Plan[],
    name: string | undefined,
    now: Millis,
  ): Committed {
    const cursor = this.cursor();
    const isLeaseLost = commit.lease !== undefined && this.lease.isLost(commit.lease);
    if (isLeaseLost || (commit.expect !== undefined && commit.expect !== cursor.version))
      return { kind: "stale", version: cursor.version };
    if (commit.lease !== undefined) this.lease.renew(commit.lease, now);
    const plan = planCommit(commit, { now, isKnown: (id) => knownIds.has(id) });
    for (const { id } of plan.events) knownIds.add(id);
    plans.push({ ...plan, raw: plan.events.length === 0 ? undefined : commit.raw });
    let { version } = cursor;
    if (commit.cursor !== undefined || (commit.state?.length ?? 0) > 0) {
      version += 1;
      const { cursor: value = cursor.value, keepIdsSince = cursor.keepIdsSince } = commit;
      this.head.move({ version, value, ...(keepIdsSince === undefined ? {} : { keepIdsSince }) });
    }
    for (const { key, value } of commit.state ?? []) this.store.setState(key, value);
    this.writeSettings(commit, name);
    return {
      kind: "committed",
      version,
      accepted: plan.events.map(({ id }) => id),
      notifications: plan.drafts.length,
      rowsWritten: 0,
      messages: 0,
    };
  }

  /**
   * Writes the rows of new events and notifications, and the head. If all is one small segment and one bundle, the events
   * and the head lie in the bundle's row.
   */
  private writeRows(plans: readonly Plan[], now: Millis): Bundle[] {
    const segments = segmentsOf(plans);
    const events = segments.flatMap((segment) => segment.events);
    const gathered = this.gathering.take(
      plans.flatMap((plan) => plan.drafts),
      now,
    );
    const drafts = this.outbox.inBundles(gathered.drafts, now);
    const { bundles, last } = numbered(drafts, events, this.last, now);
    this.last = last;
    this.filled = this.gathering.store(gathered.joining, now);
    this.log.ids.add(events);
    const [first] = segments;
    const isInline =
      bundles.length === 1 && segments.length === 1 && first !== undefined && isSmall(first);
    if (!isInline) for (const segment of segments) this.log.add(segment, now);
    const isHere = isInline && this.head.isShort;
    const isNew = events.length > 0 || bundles.length > 0 || this.head.isMoved;
    const when = {
      now,
      lastEvent: last.event,
      ...(isInline ? { inline: first } : {}),
      ...(isHere ? { head: this.head.next(this.state()) } : {}),
    };
    const inserted = bundles.map((notifications) => this.outbox.insert(notifications, when));
    if (isNew && !isHere) this.head.write(this.state());
    this.search.add(events, bundles.flat());
    this.gathering.note(bundles.flat());
    return inserted;
  }

  /** What the head has besides the cursor. */
  private state(): { last: Last; ids: string; unsettled: Unsettled } {
    return { last: this.last, ids: this.log.ids.text, unsettled: this.unsettled() };
  }

  /** Stores what of a commit is a setting of the stream, if it changed. */
  private writeSettings(commit: Commit, name: string | undefined): void {
    if (!this.isNameStored && name !== undefined) {
      this.store.setMeta("name", name);
      this.isNameStored = true;
    }
    if (commit.retentionMs !== undefined && commit.retentionMs !== this.retentionMs) {
      this.store.setMeta("retentionMs", String(commit.retentionMs));
      this.retentionMs = commit.retentionMs;
    }
    if (commit.wake === undefined || (commit.wake === null && this.store.meta("wake") === null))
      return;
    this.store.setMeta("wake", commit.wake === null ? null : storedWake.write(commit.wake));
  }
}

/**
 * When the alarm must go off for what a flush left: for a poll it asks for, a notification due later, and the end of
 * the lease that its bundles are about to get.
 */
export function nextLookAt({ bundles, wakesAt, now }: Flushed, leaseMs: number): Millis {
  const dueTimes = bundles.flatMap(({ notifications }) => earliestDueAt(notifications) ?? []);
  const later = dueTimes.filter((at) => at > now);
  return Math.min(...wakesAt, ...later, ...(dueTimes.length > 0 ? [now + leaseMs] : []));
}
