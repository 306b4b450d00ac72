import { DurableObject } from "cloudflare:workers";
import type { Millis, Outcome } from "../delivery/attempt";
import { Commits, nextLookAt } from "./commit/object";
import type { Commit, Committed, Opened, StoredEvent } from "./event";
import type { EventFilter } from "./filter";
import { History, type NotificationView } from "./history";
import type { StreamJob } from "./jobs/job";
import { Jobs } from "./jobs/object";
import { EventLog } from "./log/store";
import { DELIVERY_LEASE_MS, Outbox, type Resume } from "./outbox/object";
import { OutboxStore } from "./outbox/store";
import type { Last } from "./plan";
import { release } from "./settle";
import { StreamStore } from "./store";
import { type Tally, tallyOf } from "./tally";

const PURGE_PAUSE_MS = 60_000;
const PURGE_ROWS = 500;
const JOB_PAUSE_MS = 100;
/** An alarm this late is taken for lost. */
const OVERDUE_MS = 120_000;

/**
 * The truth of one source: its cursor, its events, its notifications and when each is due. Queues carry
 * work that is ready now; what they lose, this object's one alarm sends again.
 */
export class EventStream extends DurableObject<Env> {
  private readonly store: StreamStore;
  private readonly log: EventLog;
  private readonly bundles: OutboxStore;
  private readonly history: History;
  private readonly outbox: Outbox;
  private readonly commits: Commits;
  private readonly jobs: Jobs;
  private armedAt: Millis | null = null;
  private requests = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const store = new StreamStore(state.storage.sql);
    const log = new EventLog(store);
    const bundles = new OutboxStore(store);
    const name = (): string => this.name();
    const history = new History(bundles, log, name, (bundleId, notification) =>
      this.outbox.isSent(bundleId, notification),
    );
    const saved: Last = JSON.parse(store.meta("lastSeqs") ?? '{"event":0,"notification":0}');
    const last = {
      event: Math.max(saved.event, log.lastSeq()),
      notification: Math.max(saved.notification, bundles.lastSeq()),
    };
    const queues = () => ({ fast: this.env.DELIVERIES, slow: this.env.DELIVERIES_SLOW });
    const outbox = new Outbox({ store, bundles, history, queues, name }, last.notification);
    const transaction = (work: () => void): void => state.storage.transactionSync(work);
    const commits = new Commits({ store, log, outbox, transaction, last });
    this.store = store;
    this.log = log;
    this.bundles = bundles;
    this.history = history;
    this.outbox = outbox;
    this.commits = commits;
    this.jobs = new Jobs({ store, bundles, log, commits, outbox, db: env.DB, name });
    void state.blockConcurrencyWhile(async () => {
      this.armedAt = await state.storage.getAlarm();
      outbox.inheritUntil(this.armedAt ?? 0);
    });
  }

  /**
   * Where the source stands, and the right to move it. The same holder is let in again at once: it knows
   * that nothing of its own still runs. Idle sources cost this one request, and no row.
   */
  open(request: { holder: string }): Opened {
    this.requests += 1;
    const now = Date.now();
    const opened = this.commits.open(request.holder, now);
    if (opened.kind === "opened" && this.outbox.hasBacklog) this.arm(now);
    return opened;
  }

  /** Keeps a lease while a vendor takes its time. */
  renew(token: string): boolean {
    this.requests += 1;
    return this.commits.renew(token, Date.now());
  }

  release(token: string): void {
    this.requests += 1;
    this.commits.release(token);
  }

  /** Stores cursor, state, events and notifications in one transaction, shared by commits that arrive together. */
  commit(commit: Commit): Promise<Committed> {
    this.requests += 1;
    const { result, isFirst } = this.commits.enter(commit);
    if (isFirst) this.ctx.waitUntil(scheduler.wait(0).then(() => this.flush()));
    return result;
  }

  /** Values of the opaque keyed state. */
  readState(keys: string[]): Record<string, string> {
    this.requests += 1;
    return this.store.state(keys);
  }

  /** Which of these event ids are known here. */
  knownIds(ids: string[]): string[] {
    this.requests += 1;
    return [...this.log.knownIds(ids)];
  }

  readStatePage(prefix: string, after: string, limit: number): { key: string; value: string }[] {
    this.requests += 1;
    return this.store.statePage(prefix, after, limit);
  }

  /** Where the source stands, without touching its lease. */
  inspect(): { cursor: string | null; version: number; lastOpenedAt: Millis | null } {
    this.requests += 1;
    const { version, value } = this.commits.cursor();
    return { cursor: value, version, lastOpenedAt: this.commits.lastOpenedAt };
  }

  /** Bodies of a bundle too large for the queue. */
  bodies(bundleId: number, seqs: number[]): Record<number, string> {
    this.requests += 1;
    const bundle = this.bundles.bundle(bundleId);
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

  /** Somebody has taken note of a notification: what a dead one held up in its order goes on. */
  async acknowledge(seq: number): Promise<void> {
    this.requests += 1;
    const bundle = this.bundles.bundleOf(seq);
    const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
    if (bundle === undefined || notification === undefined) return;
    notification.acknowledged = true;
    const freed = this.outbox.letGo(notification);
    this.bundles.save(bundle);
    await this.outbox.moveOn(freed, Date.now());
  }

  /** The body a notification is sent with. */
  notificationBody(seq: number): string | null {
    this.requests += 1;
    const notification = this.bundles.notification(seq);
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
    return {
      ...this.history.events(request.after, request.limit, filter),
      head: this.commits.last.event,
    };
  }

  /** Newest first, from below `before`; at most `limit`. */
  eventsBefore(request: { before: number | null; limit: number }): StoredEvent[] {
    this.requests += 1;
    return this.log.before(request.before ?? Number.MAX_SAFE_INTEGER, request.limit);
  }

  /** The event with this id; null when it is unknown, or purged. */
  event(id: string): StoredEvent | null {
    this.requests += 1;
    return this.log.find(id) ?? null;
  }

  /** What was received between two instants and what became of it, by bucket. */
  tally(request: { from: number; to: number; intervalMs: number }): Tally[] {
    this.requests += 1;
    return tallyOf(
      this.log.receivedBetween(request.from, request.to),
      this.bundles.between(request.from, request.to),
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
    const bundle = this.bundles.bundleOf(seq);
    const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
    if (bundle === undefined || notification === undefined) return null;
    notification.destinationId ??= fallbackId;
    if (notification.destinationId === null) return this.history.view(bundle.id, notification);
    release(notification, now, forced);
    this.bundles.save(bundle);
    await this.outbox.send([bundle], now);
    this.arm(now, now + DELIVERY_LEASE_MS);
    return this.history.view(bundle.id, notification);
  }

  /** Begins paged work; the alarm does it, a page at a time, and tells `jobs` how far it is. */
  startJob(job: StreamJob): void {
    this.requests += 1;
    const now = Date.now();
    this.jobs.start(job);
    this.arm(now, now);
  }

  /** Takes an object's data out of everything kept here. @returns how many events and notifications held it. */
  expunge(objectType: string, objectId: string): { events: number; notifications: number } {
    this.requests += 1;
    const { events, notifications } = this.ctx.storage.transactionSync(() => {
      const gone = this.log.expunge(objectType, objectId);
      this.bundles.forgetAnswers(gone.notifications);
      return gone;
    });
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
      await this.jobs.work(now);
      await this.wakeSource(now);
      await this.purge(now);
    } catch (error) {
      console.error(
        JSON.stringify({ at: "stream.alarm", stream: this.name(), error: String(error) }),
      );
      this.arm(now, now + 5_000);
    }
    this.arm(now);
  }

  private flush(): void {
    const now = Date.now();
    const flushed = this.commits.flush(this.ctx.id.name, now);
    if (flushed === undefined) return;
    const lookAt = nextLookAt(flushed, DELIVERY_LEASE_MS);
    this.arm(now, Math.min(now + this.commits.retentionMs, lookAt));
    this.ctx.waitUntil(this.outbox.sendFresh(flushed.bundles, now, flushed.atHand));
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

  private async purge(now: Millis): Promise<void> {
    const oldest = this.oldestAt();
    const before = now - this.commits.retentionMs;
    if (oldest === null || oldest > before) return;
    const { keepIdsSince = Number.MAX_SAFE_INTEGER } = this.commits.cursor();
    this.store.setMeta("lastSeqs", JSON.stringify(this.commits.last));
    const { gone, carried, needed } = this.bundles.purge(before, PURGE_ROWS);
    const events = carried.flatMap((segment) => segment.events);
    const purged =
      this.log.forget(events, keepIdsSince) +
      this.log.purge(before, needed, keepIdsSince, PURGE_ROWS) +
      this.log.sweep(before, keepIdsSince, now);
    this.store.meter.purged += gone.length + purged;
    const freed = gone.flatMap(({ notifications }) =>
      notifications.flatMap(({ keys = [] }) => keys),
    );
    await this.outbox.moveOn(freed, now);
    if (gone.length + purged >= PURGE_ROWS) this.arm(now, now + 1_000);
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
    if (this.jobs.isAny) times.push(now + JOB_PAUSE_MS);
    const oldest = this.oldestAt();
    if (oldest !== null)
      times.push(Math.max(oldest + this.commits.retentionMs, now + PURGE_PAUSE_MS));
    return times;
  }

  /** When the oldest of what lies here came. */
  private oldestAt(): Millis | null {
    const times = [this.log.oldestAt(), this.bundles.oldestAt()].filter((at) => at !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  private name(): string {
    const name = this.ctx.id.name ?? this.store.meta("name");
    if (name === null) throw new Error("A stream is reached by its name");
    return name;
  }
}
