import { DurableObject } from "cloudflare:workers";
import type { Settlement } from "../delivery/attempt";
import { Alarm } from "./alarm.io";
import { Commits, nextLookAt } from "./commit.io";
import type { Commit, Committed, Opened, StoredEvent } from "./event";
import type { EventFilter } from "./filter";
import { History, type NotificationView } from "./history";
import type { StreamJob } from "./jobs/job";
import { Jobs } from "./jobs/jobs.io";
import { EventLog } from "./log/store";
import { DELIVERY_LEASE_MS, Outbox } from "./outbox/outbox.io";
import { OutboxStore } from "./outbox/store";
import type { Last } from "./plan";
import { Resend } from "./resend.io";
import { StreamStore } from "./store";
import { type Tally, tallyOf } from "./analytics";
import { Retention } from "./retention.io";
import type { Millis } from "../values/instant";

const JOB_PAUSE_MS = 100;

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
  private readonly resend: Resend;
  private readonly retention: Retention;
  private readonly clock: Alarm;
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
    this.resend = new Resend({ store, bundles, history, outbox });
    this.retention = new Retention({ store, log, bundles, commits, outbox });
    this.clock = new Alarm(state);
    void state.blockConcurrencyWhile(async () => {
      outbox.inheritUntil((await this.clock.recall()) ?? 0);
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
    if (isFirst) this.ctx.waitUntil(scheduler.wait(this.outbox.pauseMs).then(() => this.flush()));
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
   * Records what became of the notifications of bundles; a repeated settle changes nothing. `lagging`:
   * destinations with a call that already takes long.
   */
  async settle(settlements: Settlement[], lagging: string[] = []): Promise<void> {
    this.requests += 1;
    const now = Date.now();
    const dueAgain = await this.outbox.settle(settlements, lagging, now);
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
    await this.resend.acknowledge(seq, Date.now());
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
    const replayed = await this.resend.replay(seq, { forced, fallbackId }, now);
    if (replayed?.hasAddress === true) this.arm(now, now + DELIVERY_LEASE_MS);
    return replayed?.view ?? null;
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
    const hasMore = await this.resend.resume({ destinationId, most, from }, now);
    this.arm(now, hasMore ? now + 1_000 : undefined);
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
    this.clock.wentOff();
    const now = Date.now();
    try {
      await this.outbox.revive(now);
      const { left } = this.resend;
      if (left !== null) await this.resume(left.destinationId, left.most, left.from);
      await this.jobs.work(now);
      await this.wakeSource(now);
      if (await this.retention.purge(now)) this.arm(now, now + 1_000);
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

  private async wakeSource(now: Millis): Promise<void> {
    const text = this.store.meta("wake");
    if (text === null) return;
    const wake: { at: Millis; message: string } = JSON.parse(text);
    if (wake.at > now) return;
    await this.env.POLLS.send(JSON.parse(wake.message));
    this.store.setMeta("wake", null);
  }

  private arm(now: Millis, at?: Millis): void {
    this.clock.arm(now, at === undefined ? this.dueTimes(now) : [at]);
  }

  private dueTimes(now: Millis): Millis[] {
    const times = this.outbox.dueTimes(now);
    const wake = this.store.meta("wake");
    if (wake !== null) times.push(JSON.parse(wake).at);
    if (this.jobs.isAny) times.push(now + JOB_PAUSE_MS);
    const purgeAt = this.retention.dueAt(now);
    if (purgeAt !== null) times.push(purgeAt);
    return times;
  }

  private name(): string {
    const name = this.ctx.id.name ?? this.store.meta("name");
    if (name === null) throw new Error("A stream is reached by its name");
    return name;
  }
}
