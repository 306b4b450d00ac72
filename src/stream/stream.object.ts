import type { Settlement } from "../delivery/attempt";
import { Alarm } from "./alarm.io";
import { nextLookAt } from "./commit.io";
import type { Commit, Committed, Opened } from "./event";
import type { NotificationView } from "./history";
import type { StreamJob } from "./jobs/job";
import { DELIVERY_LEASE_MS } from "./outbox/dispatcher.io";
import { sendPolls } from "./polls-queue.io";
import { StreamReads } from "./stream-reads.object";
import type { Millis } from "../values/instant";

const JOB_PAUSE_MS = 100;
const PAGE_PAUSE_MS = 1_000;
const AFTER_A_FAILURE_MS = 5_000;

/**
 * The truth of one source: its cursor, its events, its notifications and when each is due. Queues carry
 * work that is ready now; what they lose, this object's one alarm sends again.
 */
export class EventStream extends StreamReads {
  private readonly clock: Alarm;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.clock = new Alarm(state);
    void state.blockConcurrencyWhile(async () => {
      this.parts.dispatcher.inheritUntil((await this.clock.recall()) ?? 0);
    });
  }

  /**
   * Where the source stands, and the right to move it. The same holder is let in again at once: it knows
   * that nothing of its own still runs. Idle sources cost this one request, and no row.
   */
  open(request: { holder: string }): Opened {
    const { commits, dispatcher } = this.counted();
    const now = Date.now();
    const opened = commits.open(request.holder, now);
    if (opened.kind === "opened" && dispatcher.hasBacklog) this.arm(now);
    return opened;
  }

  /** Keeps a lease while a vendor takes its time. */
  renew(token: string): boolean {
    return this.counted().commits.renew(token, Date.now());
  }

  release(token: string): void {
    this.counted().commits.release(token);
  }

  /** Stores cursor, state, events and notifications in one transaction, shared by commits that arrive together. */
  commit(commit: Commit): Promise<Committed> {
    const { commits, dispatcher } = this.counted();
    const { result, isFirst } = commits.enter(commit);
    if (isFirst) this.ctx.waitUntil(scheduler.wait(dispatcher.pauseMs).then(() => this.flush()));
    return result;
  }

  /**
   * Records what became of the notifications of bundles; a repeated settle changes nothing. `lagging`:
   * destinations with a call that already takes long.
   */
  async settle(settlements: Settlement[], lagging: string[] = []): Promise<void> {
    const now = Date.now();
    const dueAgain = await this.counted().outbox.settle(settlements, lagging, now);
    if (dueAgain !== null) this.arm(now, Math.max(dueAgain, now));
  }

  /** Somebody has taken note of a dead notification: those that waited for it in its order are sent. */
  async acknowledge(seq: number): Promise<void> {
    await this.counted().resend.acknowledge(seq, Date.now());
  }

  /**
   * Sends a notification again, now, with the same id and body; `forced`, also to a destination that is
   * switched off. One that had nowhere to go goes to `fallbackId`.
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

  /** Begins paged work; the alarm does it, a page at a time, and writes its progress to the table `jobs`. */
  startJob(job: StreamJob): void {
    const now = Date.now();
    this.counted().jobs.start(job);
    this.arm(now, now);
  }

  /** Takes an object's data out of everything kept here. @returns how many events and notifications held it. */
  expunge(objectType: string, objectId: string): { events: number; notifications: number } {
    const { log, bundles } = this.counted();
    const { events, notifications } = this.ctx.storage.transactionSync(() => {
      const gone = log.expunge(objectType, objectId);
      bundles.forgetAnswers(gone.notifications);
      return gone;
    });
    return { events: events.length, notifications: notifications.length };
  }

  /**
   * A destination is well again (or, with `most`, is to be probed): what was parked for it is due now,
   * oldest first. A page at a time; the alarm goes on with the rest.
   */
  async resume(destinationId: string, most: number | null, from = 0): Promise<void> {
    const now = Date.now();
    const hasMore = await this.counted().resend.resume({ destinationId, most, from }, now);
    this.arm(now, hasMore ? now + PAGE_PAUSE_MS : undefined);
  }

  override async alarm(): Promise<void> {
    const { dispatcher, resend, jobs, retention } = this.counted();
    this.clock.wentOff();
    const now = Date.now();
    try {
      await dispatcher.revive(now);
      const { left } = resend;
      if (left !== null) await this.resume(left.destinationId, left.most, left.from);
      await jobs.work(now);
      await this.wakeSource(now);
      if (await retention.purge(now)) this.arm(now, now + PAGE_PAUSE_MS);
    } catch (error) {
      console.error(
        JSON.stringify({ at: "stream.alarm", stream: this.name(), error: String(error) }),
      );
      this.arm(now, now + AFTER_A_FAILURE_MS);
    }
    this.arm(now);
  }

  private flush(): void {
    const { commits, dispatcher } = this.parts;
    const now = Date.now();
    const flushed = commits.flush(this.ctx.id.name, now);
    if (flushed === undefined) return;
    const lookAt = nextLookAt(flushed, DELIVERY_LEASE_MS);
    this.arm(now, Math.min(now + commits.retentionMs, lookAt));
    this.ctx.waitUntil(dispatcher.sendFresh(flushed.bundles, now, flushed.atHand));
  }

  /** Asks for the poll that a commit wanted at about this time. */
  private async wakeSource(now: Millis): Promise<void> {
    const { commits, store } = this.parts;
    const { wake } = commits;
    if (wake === null || wake.at > now) return;
    await sendPolls(this.env.POLLS, [wake.message]);
    store.setMeta("wake", null);
  }

  /** Sets the alarm to `at`, or to the earliest of everything that is due. */
  private arm(now: Millis, at?: Millis): void {
    this.clock.arm(now, at === undefined ? this.dueTimes(now) : [at]);
  }

  private dueTimes(now: Millis): Millis[] {
    const { dispatcher, commits, jobs, retention } = this.parts;
    const { wake } = commits;
    const purgeAt = retention.dueAt(now);
    return [
      ...dispatcher.dueTimes(now),
      ...(wake === null ? [] : [wake.at]),
      ...(jobs.isAny ? [now + JOB_PAUSE_MS] : []),
      ...(purgeAt === null ? [] : [purgeAt]),
    ];
  }
}
