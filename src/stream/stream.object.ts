import type { Settlement } from "../delivery/attempt";
import type { Cancelled } from "./cancellation.io";
import { forgetObject, noteObject } from "../db/objects";
import { Alarm } from "./alarm.io";
import { nextLookAt } from "./commit.io";
import type { Commit, Committed, Opened } from "./event";
import type { NotificationView } from "./history";
import type { StreamJob } from "./jobs/job";
import { DELIVERY_LEASE_MS } from "./outbox/leases";
import { erasePayloads, payloadBucket, sweepPayloads } from "./payloads.io";
import { sendPolls } from "./polls-queue.io";
import { Registration } from "./registration.io";
import { keysOf } from "./search/keys";
import { parseStreamName } from "./stream-name";
import { StreamTraces } from "./stream-traces.object";
import type { Millis } from "../values/instant";

/** How long the alarm waits before the next page of a job, before any other next page, and after an error. */
const JOB_PAUSE_MS = 100;
const PAGE_PAUSE_MS = 1_000;
const RETRY_AFTER_ERROR_MS = 5_000;

/**
 * One EventStream holds everything about one source, for example an instance that is polled: its cursor, the events
 * seen so far, the notifications that follow from them, and when each is due. What is stored here is the truth; the
 * queues only carry work that is ready now, and whatever they lose, this object's alarm sends again.
 *
 * An example. A poll commits 25 changed contacts for one destination that takes ten events a callback. One transaction
 * writes (the tables are in `store.ts`):
 *
 * - `segments`: one row, a *segment*: the events of this commit with their data. A small commit has none; its events
 *   lie inline in the bundle's row.
 * - `bundles`: one row, a *bundle*: up to ten notifications (here three, of 10, 10 and 5 events), each with its state
 *   and its attempts. A bundle is one row, one queue message, and is settled in one request.
 * - `meta`: one row, the *head*: the new cursor, and the ids of the latest events. An id is derived from the contact and
 *   its version, so a change that the next poll shows again is recognised and dropped. A small commit has its head in the
 *   bundle's row too. If another poll moved the cursor meanwhile, nothing is written.
 *
 * Only then the source gets its answer. The bundle goes to a delivery queue and gets a *lease*: for 45 seconds, noted
 * in memory, it is not sent again (`outbox/dispatcher.io.ts`). The consumer makes the three POSTs and calls `settle` with
 * what became of each: delivered, retry at an instant, parked, dead. The bundle's row is written once more, and the lease
 * ends. If the message or the consumer is lost, nobody settles, the lease runs out, and the bundle is sent again, with
 * twice the time. A consumer that gets a message late extends its lease, or drops it when it has run out.
 *
 * The one *alarm* is set to the earliest of all that is due: the end of a lease, a retry, the next page of a job, a poll
 * to ask for.
 *
 * After `kill -9` the rows and the alarm are there, and all that was in memory is gone: leases, commits that were not
 * answered, what was known of destinations. Nothing that was answered is lost. Until the alarm that was set before, the
 * object assumes that what it had sent is still on the queues; then it sends every bundle that is not settled. So a
 * receiver may get a notification twice, with the same id and the same bytes, and never misses one.
 */
export class EventStream extends StreamTraces {
  private readonly clock: Alarm;
  private registration: Registration;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.clock = new Alarm(state);
    this.registration = this.newRegistration();
    void state.blockConcurrencyWhile(async () => {
      this.parts.dispatcher.assumeQueuedUntil((await this.clock.load()) ?? 0);
    });
  }

  /**
   * Begins a poll: gives the cursor, and the lease to move it (`poll-lease.ts`). An idle poll costs this one request
   * and no row.
   */
  open(request: { holder: string }): Opened {
    const { commits, dispatcher } = this.counted();
    const now = Date.now();
    const opened = commits.open(request.holder, now);
    if (opened.kind === "opened" && dispatcher.hasBacklog) this.arm(now);
    return opened;
  }

  /** Extends the lease of a poll that still fetches. @returns false when it has lost its lease. */
  renew(token: string): boolean {
    return this.counted().commits.renew(token, Date.now());
  }

  release(token: string): void {
    this.counted().commits.release(token);
  }

  /** Stores cursor, state, events and notifications in one transaction, which commits that arrive together share. */
  async commit(commit: Commit): Promise<Committed> {
    await this.registered();
    const { commits, dispatcher } = this.counted();
    const { result, isFirst } = commits.enqueue(commit);
    if (isFirst)
      this.ctx.waitUntil(scheduler.wait(dispatcher.groupCommitDelayMs).then(() => this.flush()));
    return result;
  }

  /**
   * Records what became of notifications, bundle by bundle; a settlement that comes twice changes nothing. `lagging`:
   * destinations with a call that is still running and already takes long. @returns how many rows were written.
   */
  async settle(settlements: Settlement[], lagging: string[] = []): Promise<number> {
    const now = Date.now();
    const { outbox, store, untold } = this.counted();
    const before = store.meter.rowsWritten;
    const dueAgain = await outbox.settle(settlements, lagging, now);
    if (dueAgain !== null) this.arm(now, Math.max(dueAgain, now));
    if (untold.nextAt !== null) this.arm(now, Math.max(untold.nextAt, now));
    return store.meter.rowsWritten - before;
  }

  /**
   * Consumers got bundles late, and ask for more time before their leases end. @returns for each until when it has; null:
   * it may be on its way again, or something of it was cancelled, and is to be dropped.
   */
  async extendLeases(late: { bundle: number; leaseUntil: Millis }[]): Promise<(Millis | null)[]> {
    const { dispatcher } = this.counted();
    const now = Date.now();
    const ends = late.map(({ bundle, leaseUntil }) =>
      dispatcher.extendLease(bundle, leaseUntil, now),
    );
    if (ends.includes(null)) await dispatcher.sendAllDue(now);
    return ends;
  }

  /** Ends a notification that is still to be sent (`cancellation.io.ts`). @returns null when there is no such notification. */
  async cancel(seq: number): Promise<Cancelled | null> {
    const now = Date.now();
    const { cancellation } = this.counted();
    const cancelling = cancellation.one(seq, now);
    // What it has noted by now, the alarm tells after a crash.
    this.arm(now);
    return (await cancelling) ?? null;
  }

  /** An operator takes note of a dead notification. If it held up others in its order, the next of them is sent. */
  async acknowledge(seq: number, { hides = false }: { hides?: boolean } = {}): Promise<void> {
    await this.counted().resend.acknowledge(seq, Date.now(), hides);
  }

  /**
   * Sends a notification again, now, with the same id and body. `forced`: even if its destination is switched off.
   * `fallbackId`: where one without a destination goes. @returns null when there is no such notification.
   */
  async replay(
    seq: number,
    { forced = false, fallbackId = null }: { forced?: boolean; fallbackId?: string | null } = {},
  ): Promise<NotificationView | null> {
    const now = Date.now();
    const replayed = await this.counted().resend.replay(seq, { forced, fallbackId }, now);
    if (replayed?.hasAddress === true) this.arm(now, now + DELIVERY_LEASE_MS);
    return replayed?.view ?? null;
  }

  /** Starts a job (`jobs/job.ts`). The alarm does it page by page and stores its progress in D1, in `jobs`. */
  async startJob(job: StreamJob): Promise<void> {
    await this.registered();
    const now = Date.now();
    this.counted().jobs.start(job);
    this.arm(now, now);
  }

  /** Erases an object's data from events, vendors' bodies, recorded answers and the bucket. @returns how many held it. */
  async expunge(
    objectType: string,
    objectId: string,
  ): Promise<{ events: number; notifications: number }> {
    const { log, bundles, search, commits, traces } = this.searched();
    // Nobody knows what they are about.
    traces.clear();
    const { events, notifications } = this.ctx.storage.transactionSync(() => {
      const span = { from: log.firstSeq() ?? 1, to: commits.last.event };
      const candidates = search.events.candidates(keysOf({ objectType, objectId }), span, false);
      const gone = log.expunge(objectType, objectId, candidates);
      bundles.clearResponseBodies(gone.notifications);
      return gone;
    });
    await this.sweepPayloads(Date.now());
    return { events: events.length, notifications: notifications.length };
  }

  /**
   * The endpoint of a destination recovered (`most` null), or wants to probe it with `most` bundles: what was parked
   * for it is due now, oldest first. One page at once; the alarm goes on with the rest.
   */
  async resume(destinationId: string, most: number | null, from = 0): Promise<void> {
    const now = Date.now();
    const hasMore = await this.counted().resend.resume({ destinationId, most, from }, now);
    this.arm(now, hasMore ? now + PAGE_PAUSE_MS : undefined);
  }

  /**
   * Deletes all that is stored here and in the bucket, and the alarm. Commits that wait are answered first; what comes
   * later finds an empty stream.
   */
  async erase(): Promise<void> {
    const bucket = payloadBucket(this.env);
    if (bucket !== undefined) await erasePayloads(bucket, this.name());
    this.parts.commits.flush(this.ctx.id.name, Date.now())?.answer(0);
    this.forget();
    this.registration = this.newRegistration();
    this.clock.fired();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  /**
   * Once a day, since nothing else may wake a quiet stream: purges what is older than the retention, and sets the alarm
   * if one was lost. `isOwnerless`: its source was deleted, so it goes as soon as there is nothing left to be kept.
   * @returns how many rows that wrote.
   */
  async upkeep({ isOwnerless }: { isOwnerless: boolean }): Promise<number> {
    const { store, retention, jobs, commits } = this.counted();
    const before = store.meter.rowsWritten;
    const now = Date.now();
    const hasMore = await retention.purge(now);
    await this.attempt(() => this.sweepPayloads(now - commits.retentionMs), now);
    if (hasMore) this.arm(now, now + PAGE_PAUSE_MS);
    else if (isOwnerless && retention.isEmpty && !jobs.isAny) await this.retire();
    else this.arm(now);
    return store.meter.rowsWritten - before;
  }

  /** Deletes what lies in the bucket since before `until`, and no event names any more. */
  private async sweepPayloads(until: Millis): Promise<void> {
    const bucket = payloadBucket(this.env);
    const name = this.name();
    if (bucket === undefined || !parseStreamName(name).source.startsWith("tenant:")) return;
    const find = (id: string) => this.parts.log.find(id);
    await sweepPayloads(bucket, name, find, { until, now: Date.now() });
  }

  /** Erases the object, and then that it is there: whatever is killed in between is done again. */
  private async retire(): Promise<void> {
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.erase();
      await forgetObject(this.env.DB, "stream", this.ctx.id.name ?? "");
    });
  }

  /** Does everything that is due, and sets the next alarm. */
  override async alarm(): Promise<void> {
    const { dispatcher, resend, jobs, cancellation, retention, search, commits } = this.counted();
    this.clock.fired();
    const now = Date.now();
    const works: (() => Promise<unknown>)[] = [
      () => dispatcher.sendOverdue(now),
      async () => {
        const { unfinished } = resend;
        if (unfinished !== null)
          await this.resume(unfinished.destinationId, unfinished.most, unfinished.from);
      },
      () => jobs.work(now),
      () => cancellation.tell(now),
      () => this.wakeSource(now),
      async () => {
        if (await retention.purge(now)) this.arm(now, now + PAGE_PAUSE_MS);
      },
      async () => search.catchUp(commits.last),
    ];
    for (const work of works) await this.attempt(work, now);
    this.arm(now);
  }

  /** Does a part of what is due. When it fails it is tried again soon, and the other parts are done all the same. */
  private async attempt(work: () => Promise<unknown>, now: Millis): Promise<void> {
    try {
      await work();
    } catch (error) {
      console.error(
        JSON.stringify({ at: "stream.alarm", stream: this.name(), error: String(error) }),
      );
      this.arm(now, now + RETRY_AFTER_ERROR_MS);
    }
  }

  protected override async registered(): Promise<void> {
    if (!this.registration.isDone) await this.registration.register();
  }

  private newRegistration(): Registration {
    return new Registration(
      () => this.parts.store,
      () => noteObject(this.env.DB, "stream", this.name()),
    );
  }

  /** Writes the commits that wait, then sends their bundles. The alarm is set first, in case the queue loses them. */
  private flush(): void {
    const { commits, dispatcher } = this.parts;
    const now = Date.now();
    const flushed = commits.flush(this.ctx.id.name, now);
    if (flushed === undefined) return;
    const lookAt = nextLookAt(flushed, DELIVERY_LEASE_MS);
    const alarms = Number.isFinite(lookAt) && this.arm(now, lookAt) ? 1 : 0;
    flushed.answer(alarms);
    const { bundles, filled, preloaded } = flushed;
    this.ctx.waitUntil(
      dispatcher.sendFresh(bundles, now, preloaded).then(() => dispatcher.send(filled, now)),
    );
  }

  /** Asks for the poll that a commit wanted, when its time has come. */
  private async wakeSource(now: Millis): Promise<void> {
    const { commits, store } = this.parts;
    const { wake } = commits;
    if (wake === null || wake.at > now) return;
    await sendPolls(this.env.POLLS, [wake.message]);
    store.setMeta("wake", null);
  }

  /**
   * Sets the alarm to `at`, or to the earliest of everything that is due, unless it goes off before that anyway. @returns
   * whether it did, which costs a row.
   */
  private arm(now: Millis, at?: Millis): boolean {
    const isSet = this.clock.arm(now, at === undefined ? this.dueTimes(now) : [at]);
    if (isSet) this.parts.store.meter.rowsWritten += 1;
    return isSet;
  }

  private dueTimes(now: Millis): Millis[] {
    const { dispatcher, commits, jobs, search, untold } = this.parts;
    const { wake } = commits;
    const { nextAt } = untold;
    return [
      ...dispatcher.dueTimes(now),
      ...(wake === null ? [] : [wake.at]),
      ...(jobs.isAny ? [now + JOB_PAUSE_MS] : []),
      ...(nextAt === null ? [] : [Math.max(nextAt, now + JOB_PAUSE_MS)]),
      ...(search.isBehind(commits.last) ? [now + PAGE_PAUSE_MS] : []),
    ];
  }
}
