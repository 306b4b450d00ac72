import type { Commit, Committed, Opened, StoredEvent, Wake } from "./event";
import { type AtHand, atHandOf } from "./history";
import type { Segment } from "./log/rows.store";
import type { EventLog } from "./log/store";
import type { Outbox } from "./outbox/outbox.io";
import type { Bundle } from "./outbox/store";
import { type Draft, groupsByWeight, numbered, planCommit } from "./plan";
import { type Cursor, type Last, storedCursor, storedWake } from "./meta";
import { nextAtOf } from "./settle";
import type { StreamStore } from "./store";
import type { Millis } from "../values/instant";

/** A poll that shows no sign of life for this long has lost its lease. */
const POLL_LEASE_MS = 20_000;
const SEGMENT_UNITS = 400_000;
/** A commit up to this size lies in one row with its only bundle, which is written again when it is settled. */
const CARRIED_UNITS = 16_000;
const DEFAULT_RETENTION_MS = 7 * 86_400_000;

type Waiting = {
  commit: Commit;
  settle: (result: Committed) => void;
  fail: (error: unknown) => void;
};
type Lease = { token: string; holder: string; until: Millis };

type Plan = { events: StoredEvent[]; drafts: Draft[]; raw: string | undefined };

/** What a flush left to do: bundles to send, and when the stream must look again. */
export type Flushed = { bundles: Bundle[]; atHand: AtHand; wakesAt: Millis[]; now: Millis };

/** Where the source stands and who may move it; commits that arrive together share one transaction. */
export class Commits {
  lastOpenedAt: Millis | null = null;
  retentionMs: number;
  private waiting: Waiting[] = [];
  private lease: Lease | undefined;
  last: Last;
  private named: boolean;

  private readonly store: StreamStore;
  private readonly log: EventLog;
  private readonly outbox: Outbox;
  private readonly transaction: (work: () => void) => void;

  constructor(doors: {
    store: StreamStore;
    log: EventLog;
    outbox: Outbox;
    transaction: (work: () => void) => void;
    last: Last;
  }) {
    this.store = doors.store;
    this.log = doors.log;
    this.outbox = doors.outbox;
    this.transaction = doors.transaction;
    this.last = doors.last;
    this.retentionMs = Number(this.store.meta("retentionMs") ?? DEFAULT_RETENTION_MS);
    this.named = this.store.meta("name") !== null;
  }

  open(holder: string, now: Millis): Opened {
    if (this.lease !== undefined && this.lease.until > now && this.lease.holder !== holder)
      return { kind: "busy", until: this.lease.until };
    this.lease = { token: crypto.randomUUID(), holder, until: now + POLL_LEASE_MS };
    this.lastOpenedAt = now;
    const { version, value } = this.cursor();
    return { kind: "opened", lease: this.lease.token, version, cursor: value };
  }

  renew(token: string, now: Millis): boolean {
    if (this.lease?.token !== token) return false;
    this.lease.until = now + POLL_LEASE_MS;
    return true;
  }

  release(token: string): void {
    if (this.lease?.token === token) this.lease = undefined;
  }

  cursor(): Cursor {
    const text = this.store.meta("cursor");
    return text === null ? { version: 0, value: null } : storedCursor.read(text);
  }

  /** The poll to ask for, if a commit left one. */
  get wake(): Wake | null {
    const text = this.store.meta("wake");
    return text === null ? null : storedWake.read(text);
  }

  /** The commit's result, once it is flushed; `isFirst`: a flush is to be planned. */
  enter(commit: Commit): { result: Promise<Committed>; isFirst: boolean } {
    const { promise, resolve, reject } = Promise.withResolvers<Committed>();
    this.waiting.push({ commit, settle: resolve, fail: reject });
    return { result: promise, isFirst: this.waiting.length === 1 };
  }

  /** Writes everything that waits, in one transaction; undefined when that failed, and nothing is written. */
  flush(name: string | undefined, now: Millis): Flushed | undefined {
    const waiting = this.waiting;
    this.waiting = [];
    const before = this.last;
    const rowsBefore = this.store.meter.rowsWritten;
    let results: Committed[] = [];
    let bundles: Bundle[] = [];
    const plans: Plan[] = [];
    try {
      this.transaction(() => {
        const known = this.log.knownIds(
          waiting.flatMap(({ commit }) =>
            commit.events.filter(({ once }) => once !== true).map(({ id }) => id),
          ),
        );
        results = waiting.map(({ commit }) => this.take(commit, known, plans, name, now));
        bundles = this.append(plans, now);
      });
    } catch (error) {
      this.last = before;
      for (const { fail } of waiting) fail(error);
      return undefined;
    }
    const rowsWritten = (this.store.meter.rowsWritten - rowsBefore) / waiting.length;
    const messages = bundles.length / waiting.length;
    waiting.forEach(({ settle }, index) => {
      const result = results[index];
      if (result !== undefined)
        settle(result.kind === "stale" ? result : { ...result, rowsWritten, messages });
    });
    return {
      bundles,
      atHand: atHandOf(plans),
      wakesAt: waiting.flatMap(({ commit }) => commit.wake?.at ?? []),
      now,
    };
  }

  /** Notifications, of a replay, for events that lie here already. */
  hear(drafts: Draft[], now: Millis): Bundle[] {
    const { bundles, last } = numbered(this.outbox.arranged(drafts, now), [], this.last, now);
    for (const notification of bundles.flat()) notification.released = true;
    this.last = last;
    const when = { now, lastEvent: last.event };
    return bundles.map((notifications) => this.outbox.place(notifications, when));
  }

  /** One commit of a flush: checked against the cursor, its cursor and state written. */
  private take(
    commit: Commit,
    known: Set<string>,
    plans: Plan[],
    name: string | undefined,
    now: Millis,
  ): Committed {
    const cursor = this.cursor();
    const foreignLease =
      commit.lease !== undefined && this.lease !== undefined && this.lease.token !== commit.lease;
    if (foreignLease || (commit.expect !== undefined && commit.expect !== cursor.version))
      return { kind: "stale", version: cursor.version };
    if (this.lease !== undefined && this.lease.token === commit.lease)
      this.lease.until = now + POLL_LEASE_MS;
    const plan = planCommit(commit, { now, isKnown: (id) => known.has(id) });
    for (const { id } of plan.events) known.add(id);
    plans.push({ ...plan, raw: plan.events.length === 0 ? undefined : commit.raw });
    let { version } = cursor;
    if (commit.cursor !== undefined || (commit.state?.length ?? 0) > 0) {
      version += 1;
      const { cursor: value = cursor.value, keepIdsSince = cursor.keepIdsSince } = commit;
      this.store.setMeta("cursor", storedCursor.write({ version, value, keepIdsSince }));
    }
    for (const { key, value } of commit.state ?? []) this.store.setState(key, value);
    this.keepSettings(commit, name);
    return {
      kind: "committed",
      version,
      accepted: plan.events.map(({ id }) => id),
      notifications: plan.drafts.length,
      rowsWritten: 0,
      messages: 0,
    };
  }

  /** Events and notifications as rows. What makes one small segment and one bundle makes one row. */
  private append(plans: readonly Plan[], now: Millis): Bundle[] {
    const shared = plans.filter(({ raw }) => raw === undefined).flatMap(({ events }) => events);
    const segments: Segment[] = [
      ...groupsByWeight(shared, SEGMENT_UNITS, 1_000, ({ data }) => data.length).map((events) => ({
        events,
      })),
      ...plans.flatMap(({ events, raw }) => (raw === undefined ? [] : { events, raw })),
    ];
    const events = segments.flatMap((segment) => segment.events);
    const drafts = this.outbox.arranged(
      plans.flatMap((plan) => plan.drafts),
      now,
    );
    const { bundles, last } = numbered(drafts, events, this.last, now);
    this.last = last;
    this.log.enrol(events, now);
    const [only] = segments;
    const isCarried =
      bundles.length === 1 && segments.length === 1 && only !== undefined && isSmall(only);
    if (!isCarried) for (const segment of segments) this.log.add(segment, now);
    const when = { now, lastEvent: last.event, ...(isCarried ? { carries: only } : {}) };
    return bundles.map((notifications) => this.outbox.place(notifications, when));
  }

  private keepSettings(commit: Commit, name: string | undefined): void {
    if (!this.named && name !== undefined) {
      this.store.setMeta("name", name);
      this.named = true;
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

function isSmall({ events, raw = "" }: Segment): boolean {
  return events.reduce((sum, { data }) => sum + data.length, raw.length) <= CARRIED_UNITS;
}

/** When the stream must look at what a flush left. */
export function nextLookAt({ bundles, wakesAt, now }: Flushed, leaseMs: number): Millis {
  const nextAt = bundles.flatMap(({ notifications }) => nextAtOf(notifications) ?? []);
  const later = nextAt.filter((at) => at > now);
  return Math.min(...wakesAt, ...later, ...(nextAt.length > 0 ? [now + leaseMs] : []));
}
