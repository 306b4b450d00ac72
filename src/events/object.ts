import { DurableObject } from "cloudflare:workers";
import type { Millis, Outcome } from "../delivery/attempt";
import type { Commit, Committed, Notification, Opened, StoredEvent, Target } from "./event";
import type { EventFilter } from "./filter";
import { History, type NotificationView } from "./history";
import { type JobState, startOf, stepJob, type StreamJob } from "./jobs/job";
import { saveJobPart } from "./jobs/store";
import { DELIVERY_LEASE_MS, Outbox, type Queues, type Resume } from "./outbox/object";
import { groupsByWeight, newNotification, planCommit } from "./plan";
import { nextAtOf, release } from "./settle";
import { type Bundle, StreamStore } from "./store";
import { type Tally, tallyOf } from "./tally";

/** A poll that shows no sign of life for this long has lost its lease. */
const POLL_LEASE_MS = 20_000;
const SEGMENT_UNITS = 400_000;
const DEFAULT_RETENTION_MS = 7 * 86_400_000;
const PURGE_PAUSE_MS = 60_000;
const PURGE_ROWS = 500;
const JOB_PAUSE_MS = 100;
/** An alarm this late is taken for lost. */
const OVERDUE_MS = 120_000;

type Waiting = {
  commit: Commit;
  settle: (result: Committed) => void;
  fail: (error: unknown) => void;
};
type Lease = { token: string; holder: string; until: Millis };

/**
 * The truth of one source: its cursor, its events, its notifications and when each is due. Queues carry
 * work that is ready now; what they lose, this object's one alarm sends again.
 */
export class EventStream extends DurableObject<Env> {
  private readonly store: StreamStore;
  private readonly history: History;
  private outbox: Outbox;
  private waiting: Waiting[] = [];
  private lease: Lease | undefined;
  private lastOpenedAt: Millis | null = null;
  private armedAt: Millis | null = null;
  private lastEvent = 0;
  private lastNotification = 0;
  private retentionMs: number;
  private named: boolean;
  private requests = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.store = new StreamStore(state.storage.sql);
    this.retentionMs = Number(this.store.meta("retentionMs") ?? DEFAULT_RETENTION_MS);
    this.named = this.store.meta("name") !== null;
    const name = (): string => this.name();
    this.history = new History(this.store, name);
    const last = this.store.lastSeqs();
    this.lastEvent = last.event;
    this.lastNotification = last.notification;
    const queues = (): Queues => ({ fast: this.env.DELIVERIES, slow: this.env.DELIVERIES_SLOW });
    const doors = { store: this.store, history: this.history, queues, name };
    this.outbox = new Outbox(doors, { upTo: last.notification, until: 0 });
    void state.blockConcurrencyWhile(async () => {
      this.armedAt = await state.storage.getAlarm();
      this.outbox = new Outbox(doors, { upTo: last.notification, until: this.armedAt ?? 0 });
    });
  }

  /**
   * Where the source stands, and the right to move it. The same holder is let in again at once: it knows
   * that nothing of its own still runs. Idle sources cost this one request, and no row.
   */
  open(request: { holder: string }): Opened {
    this.requests += 1;
    const now = Date.now();
    if (this.lease !== undefined && this.lease.until > now && this.lease.holder !== request.holder)
      return { kind: "busy", until: this.lease.until };
    this.lease = { token: crypto.randomUUID(), holder: request.holder, until: now + POLL_LEASE_MS };
    this.lastOpenedAt = now;
    if (this.outbox.hasBacklog) this.arm(now);
    const { version, value } = this.cursor();
    return { kind: "opened", lease: this.lease.token, version, cursor: value };
  }

  /** Keeps a lease while a vendor takes its time. */
  renew(token: string): boolean {
    this.requests += 1;
    if (this.lease?.token !== token) return false;
    this.lease.until = Date.now() + POLL_LEASE_MS;
    return true;
  }

  release(token: string): void {
    this.requests += 1;
    if (this.lease?.token === token) this.lease = undefined;
  }

  /** Stores cursor, state, events and notifications in one transaction, shared by commits that arrive together. */
  commit(commit: Commit): Promise<Committed> {
    this.requests += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Committed>();
    this.waiting.push({ commit, settle: resolve, fail: reject });
    if (this.waiting.length === 1) this.ctx.waitUntil(scheduler.wait(0).then(() => this.flush()));
    return promise;
  }

  /** Those of `ids` that no commit brought yet: a source asks before it repeats itself. */
  unknownIds(ids: string[]): string[] {
    this.requests += 1;
    const known = this.store.knownIds(ids);
    return ids.filter((id) => !known.has(id));
  }

  /** Values of the opaque keyed state. */
  readState(keys: string[]): Record<string, string> {
    this.requests += 1;
    return this.store.state(keys);
  }

  /** Which of these event ids are known here. */
  knownIds(ids: string[]): string[] {
    this.requests += 1;
    return [...this.store.knownIds(ids)];
  }

  readStatePage(prefix: string, after: string, limit: number): { key: string; value: string }[] {
    this.requests += 1;
    return this.store.statePage(prefix, after, limit);
  }

  /** Where the source stands, without touching its lease. */
  inspect(): { cursor: string | null; version: number; lastOpenedAt: Millis | null } {
    this.requests += 1;
    const { version, value } = this.cursor();
    return { cursor: value, version, lastOpenedAt: this.lastOpenedAt };
  }

  /** Bodies of a bundle too large for the queue. */
  bodies(bundleId: number, seqs: number[]): Record<number, string> {
    this.requests += 1;
    const bundle = this.store.bundle(bundleId);
    const wanted = bundle?.notifications.filter(({ seq }) => seqs.includes(seq)) ?? [];
    return Object.fromEntries(
      wanted.map((notification) => [notification.seq, this.history.body(notification)]),
    );
  }

  /**
   * Records what became of a bundle's notifications; unless `last`, others of it are still under way. A
   * repeated settle changes nothing.
   */
  async settle(bundleId: number, outcomes: Outcome[], last = true): Promise<void> {
    this.requests += 1;
    const now = Date.now();
    const dueAgain = await this.outbox.settle(bundleId, outcomes, last, now);
    if (dueAgain !== null) this.arm(now, Math.max(dueAgain, now));
  }

  /** One notification with its events; null when unknown here. */
  notification(seq: number): NotificationView | null {
    this.requests += 1;
    return this.history.notification(seq);
  }

  /** Somebody has taken note of a notification. */
  acknowledge(seq: number): void {
    this.requests += 1;
    const bundle = this.store.bundleOf(seq);
    const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
    if (bundle === undefined || notification === undefined) return;
    notification.acknowledged = true;
    this.store.saveBundle(bundle);
  }

  /** The body a notification is sent with. */
  notificationBody(seq: number): string | null {
    this.requests += 1;
    const notification = this.store.notification(seq);
    return notification === undefined ? null : this.history.body(notification);
  }

  /** Newest first, from below `before`. */
  notifications(request: {
    before: number | null;
    limit: number;
    withEvents: boolean;
  }): NotificationView[] {
    this.requests += 1;
    const before = request.before ?? Number.MAX_SAFE_INTEGER;
    return this.history.notifications(before, request.limit, request.withEvents);
  }

  /**
   * Oldest first, after `after`; at most `limit` that fit the filter (JSON of an `EventFilter`). `last` is
   * the number to go on from.
   */
  events(request: { after: number; limit: number; filter?: string }): {
    events: StoredEvent[];
    last: number;
    head: number;
  } {
    this.requests += 1;
    const filter: EventFilter = JSON.parse(request.filter ?? "{}");
    return { ...this.history.events(request.after, request.limit, filter), head: this.lastEvent };
  }

  /** Newest first, from below `before`; at most `limit`. */
  eventsBefore(request: { before: number | null; limit: number }): StoredEvent[] {
    this.requests += 1;
    return this.store.eventsBefore(request.before ?? Number.MAX_SAFE_INTEGER, request.limit);
  }

  /** The event with this id; null when it is unknown, or purged. */
  event(id: string): StoredEvent | null {
    this.requests += 1;
    const seq = this.store.seqOf(id);
    return seq === undefined ? null : (this.store.events(seq, seq).events[0] ?? null);
  }

  /** What was received between two instants and what became of it, by bucket. */
  tally(request: { from: number; to: number; intervalMs: number }): Tally[] {
    this.requests += 1;
    return tallyOf(
      this.store.receivedBetween(request.from, request.to),
      this.store.notificationsBetween(request.from, request.to),
      request.intervalMs,
    );
  }

  /**
   * Sends a notification again, now, with the same id and body; `forced`, also to a destination that is
   * switched off. One that had nowhere to go goes to `fallbackId`.
   */
  async replay(
    seq: number,
    { forced = false, fallbackId = null }: { forced?: boolean; fallbackId?: string | null } = {},
  ): Promise<NotificationView | null> {
    this.requests += 1;
    const now = Date.now();
    const bundle = this.store.bundleOf(seq);
    const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
    if (bundle === undefined || notification === undefined) return null;
    notification.destinationId ??= fallbackId;
    if (notification.destinationId === null) return this.history.view(notification);
    release(notification, now, forced);
    this.store.saveBundle(bundle);
    await this.outbox.send([bundle], now);
    this.arm(now, now + DELIVERY_LEASE_MS);
    return this.history.view(notification);
  }

  /** Begins paged work; the alarm does it, a page at a time, and tells `jobs` how far it is. */
  startJob(job: StreamJob): void {
    this.requests += 1;
    const now = Date.now();
    this.store.setMeta(`job|${job.id}`, JSON.stringify(startOf(job)));
    this.arm(now, now);
  }

  /** Takes an object's data out of everything kept here. @returns how many events and notifications held it. */
  expunge(objectType: string, objectId: string): { events: number; notifications: number } {
    this.requests += 1;
    const { events, notifications } = this.ctx.storage.transactionSync(() =>
      this.store.expunge(objectType, objectId),
    );
    return { events: events.length, notifications: notifications.length };
  }

  /**
   * A destination is well again (or, with `most`, is to be probed): what was parked for it is due now,
   * oldest first. A page at a time; the alarm goes on with the rest.
   */
  async resume(destinationId: string, most: number | null, from = 0): Promise<void> {
    this.requests += 1;
    const now = Date.now();
    const rest = await this.outbox.resume({ destinationId, most, from }, now);
    this.store.setMeta("resume", rest === null ? null : JSON.stringify(rest));
    this.arm(now, rest === null ? undefined : now + 1_000);
  }

  /** Counted since this object woke up: what the bench and the usage pages turn into money. */
  meter(): {
    rowsRead: number;
    rowsWritten: number;
    purged: number;
    requests: number;
    messages: number;
  } {
    return { ...this.store.meter, requests: this.requests, messages: this.outbox.sent };
  }

  override async alarm(): Promise<void> {
    this.requests += 1;
    this.armedAt = null;
    const now = Date.now();
    try {
      await this.outbox.revive(now);
      await this.goOnResuming();
      await this.workJobs(now);
      await this.wakeSource(now);
      this.purge(now);
    } catch (error) {
      console.error(
        JSON.stringify({ at: "stream.alarm", stream: this.name(), error: String(error) }),
      );
      this.arm(now, now + 5_000);
    }
    this.arm(now);
  }

  private flush(): void {
    const waiting = this.waiting;
    this.waiting = [];
    const now = Date.now();
    let bundles: Bundle[] = [];
    let results: Committed[] = [];
    const before = { event: this.lastEvent, notification: this.lastNotification };
    const rowsBefore = this.store.meter.rowsWritten;
    try {
      this.ctx.storage.transactionSync(() => {
        const plans: {
          events: StoredEvent[];
          notifications: Notification[];
          raw: string | undefined;
        }[] = [];
        const ids = this.store.knownIds(
          waiting.flatMap(({ commit }) => commit.events.map(({ id }) => id)),
        );
        results = waiting.map(({ commit }) => this.take(commit, ids, plans, now));
        this.append(plans, now);
        const units = new Map(
          plans.flatMap(({ events }) => events.map(({ seq, data }) => [seq, data.length])),
        );
        bundles = this.outbox.place(
          plans.flatMap(({ notifications }) => notifications),
          (seq) => units.get(seq) ?? 0,
          now,
        );
      });
    } catch (error) {
      this.lastEvent = before.event;
      this.lastNotification = before.notification;
      for (const { fail } of waiting) fail(error);
      return;
    }
    const rows = this.store.meter.rowsWritten - rowsBefore;
    waiting.forEach(({ settle }, index) => {
      const result = results[index];
      if (result === undefined) return;
      settle(
        result.kind === "stale"
          ? result
          : {
              ...result,
              rowsWritten: rows / waiting.length,
              messages: bundles.length / waiting.length,
            },
      );
    });
    const wakes = waiting.flatMap(({ commit }) => commit.wake?.at ?? []);
    const nextAt = bundles.flatMap(({ notifications }) => nextAtOf(notifications) ?? []);
    const later = nextAt.filter((at) => at > now);
    const sentAt = nextAt.length > 0 ? [now + DELIVERY_LEASE_MS] : [];
    this.arm(now, Math.min(now + this.retentionMs, ...wakes, ...later, ...sentAt));
    this.ctx.waitUntil(this.outbox.send(bundles, now));
  }

  /** One commit of a flush: checked against the cursor, numbered, its cursor and state written. */
  private take(
    commit: Commit,
    known: Set<string>,
    plans: { events: StoredEvent[]; notifications: Notification[]; raw: string | undefined }[],
    now: Millis,
  ): Committed {
    const cursor = this.cursor();
    const foreignLease =
      commit.lease !== undefined && this.lease !== undefined && this.lease.token !== commit.lease;
    if (foreignLease || (commit.expect !== undefined && commit.expect !== cursor.version))
      return { kind: "stale", version: cursor.version };
    if (this.lease !== undefined && this.lease.token === commit.lease)
      this.lease.until = now + POLL_LEASE_MS;
    const plan = planCommit(commit, {
      now,
      nextEvent: this.lastEvent + 1,
      nextNotification: this.lastNotification + 1,
      isKnown: (id) => known.has(id),
    });
    for (const { id } of plan.events) known.add(id);
    this.lastEvent += plan.events.length;
    this.lastNotification += plan.notifications.length;
    plans.push({ ...plan, raw: plan.events.length === 0 ? undefined : commit.raw });
    let { version } = cursor;
    if (commit.cursor !== undefined || (commit.state?.length ?? 0) > 0) {
      version += 1;
      const { cursor: value = cursor.value, keepIdsSince = cursor.keepIdsSince } = commit;
      this.store.setMeta("cursor", JSON.stringify({ version, value, keepIdsSince }));
    }
    for (const { key, value } of commit.state ?? []) this.store.setState(key, value);
    this.keepSettings(commit);
    return {
      kind: "committed",
      version,
      accepted: plan.events.map(({ id }) => id),
      notifications: plan.notifications.length,
      rowsWritten: 0,
      messages: 0,
    };
  }

  private keepSettings(commit: Commit): void {
    const { name } = this.ctx.id;
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
    this.store.setMeta("wake", commit.wake === null ? null : JSON.stringify(commit.wake));
  }

  private append(plans: { events: StoredEvent[]; raw: string | undefined }[], now: Millis): void {
    const shared = plans.filter(({ raw }) => raw === undefined).flatMap(({ events }) => events);
    for (const group of groupsByWeight(shared, SEGMENT_UNITS, 1_000, ({ data }) => data.length))
      this.store.addSegment(group, undefined, now);
    for (const { events, raw } of plans)
      if (raw !== undefined) this.store.addSegment(events, raw, now);
  }

  /** A page of each job, unless the queue is half full with this stream's work: live traffic goes first. */
  private async workJobs(now: Millis): Promise<void> {
    for (const text of this.store.metaValues("job|")) {
      if (this.outbox.isBusy) break;
      const before: JobState = JSON.parse(text);
      const { state, unheard, done } = stepJob(before, this.store, now);
      if (unheard.length > 0) this.hear(unheard, state.job, now);
      this.store.setMeta(`job|${state.job.id}`, done ? null : JSON.stringify(state));
      await this.outbox.pumpAll(now);
      await saveJobPart(this.env.DB, state.job.id, this.name(), {
        processed: state.processed,
        done,
      });
    }
  }

  /** Notifications for events that had none. */
  private hear(events: StoredEvent[], job: StreamJob, now: Millis): void {
    const target: Target = {
      destinationId: job.destinationId,
      envelope: { format: "verbatim" },
      most: 1,
      ordering: "none",
    };
    for (const event of events) {
      this.lastNotification += 1;
      this.store.addBundle([newNotification(target, this.lastNotification, [event], now)]);
    }
  }

  private async goOnResuming(): Promise<void> {
    const text = this.store.meta("resume");
    if (text === null) return;
    const { destinationId, most, from }: Resume = JSON.parse(text);
    await this.resume(destinationId, most, from);
  }

  private async wakeSource(now: Millis): Promise<void> {
    const text = this.store.meta("wake");
    if (text === null) return;
    const wake: { at: Millis; message: string } = JSON.parse(text);
    if (wake.at > now) return;
    await this.env.POLLS.send(JSON.parse(wake.message));
    this.store.setMeta("wake", null);
  }

  private purge(now: Millis): void {
    const { retentionMs } = this;
    const oldest = this.store.oldestAt();
    if (oldest === null || oldest + retentionMs > now) return;
    const { keepIdsSince = Number.MAX_SAFE_INTEGER } = this.cursor();
    if (this.store.purge(now - retentionMs, keepIdsSince, PURGE_ROWS)) this.arm(now, now + 1_000);
  }

  /** One alarm, at the earliest of everything that is due; one that is long overdue is set again. */
  private arm(now: Millis, at?: Millis): void {
    const times = at === undefined ? this.dueTimes(now) : [at];
    const earliest = Math.min(...times);
    const armed = this.armedAt !== null && this.armedAt > now - OVERDUE_MS;
    if (!Number.isFinite(earliest) || (armed && (this.armedAt ?? 0) <= earliest)) return;
    this.armedAt = earliest;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(earliest));
  }

  private dueTimes(now: Millis): Millis[] {
    const times = this.outbox.dueTimes(now);
    const wake = this.store.meta("wake");
    if (wake !== null) times.push(JSON.parse(wake).at);
    if (this.store.metaValues("job|").length > 0) times.push(now + JOB_PAUSE_MS);
    const oldest = this.store.oldestAt();
    if (oldest !== null) times.push(Math.max(oldest + this.retentionMs, now + PURGE_PAUSE_MS));
    return times;
  }

  private cursor(): { version: number; value: string | null; keepIdsSince?: number } {
    const text = this.store.meta("cursor");
    return text === null ? { version: 0, value: null } : JSON.parse(text);
  }

  private name(): string {
    const name = this.ctx.id.name ?? this.store.meta("name");
    if (name === null) throw new Error("A stream is reached by its name");
    return name;
  }
}
