import { DurableObject } from "cloudflare:workers";
import type { DeliveryItem, DeliveryMessage, Millis, Outcome } from "../delivery/attempt";
import { composeBody } from "./body";
import type {
  Commit,
  Committed,
  DeliveryState,
  Notification,
  Opened,
  StoredEvent,
  Target,
} from "./event";
import { type EventFilter, fits } from "./filter";
import { type JobState, startOf, stepJob, type StreamJob } from "./jobs/job";
import { saveJobPart } from "./jobs/store";
import { groupsByWeight, newNotification, planCommit } from "./plan";
import { applyOutcome, dueAt, isOpen, nextAtOf, nextTry, release } from "./settle";
import { type Bundle, StreamStore } from "./store";
import { notificationId } from "./stream-name";
import { type Tally, tallyOf } from "./tally";

/** A poll that shows no sign of life for this long has lost its lease. */
const POLL_LEASE_MS = 20_000;
/** What is on the queue and not settled after this long is sent again. */
const DELIVERY_LEASE_MS = 45_000;
/** Bundles of one stream on the queue at a time; the rest wait in the stream, where they cost nothing. */
const WINDOW = 50;
const BUNDLE_NOTIFICATIONS = 10;
const BUNDLE_UNITS = 1_000_000;
/** Bodies ride in the queue message below this (a message holds 128,000); above, the consumer asks. */
const INLINE_BYTES = 90_000;
const SEGMENT_UNITS = 400_000;
const DEFAULT_RETENTION_MS = 7 * 86_400_000;
const PURGE_PAUSE_MS = 60_000;
const PURGE_ROWS = 500;
const RESUME_BUNDLES = 200;
const JOB_PAUSE_MS = 100;
/** An alarm this late is taken for lost. */
const OVERDUE_MS = 120_000;
/** An answer slower than this takes its destination to the slow lane. */
const SLOW_MS = 3_000;

type Waiting = {
  commit: Commit;
  settle: (result: Committed) => void;
  fail: (error: unknown) => void;
};
type Lease = { token: string; holder: string; until: Millis };

/** What an operator or the history pages see of a notification. */
export type NotificationView = { notification: Notification; id: string; events: StoredEvent[] };

/**
 * The truth of one source: its cursor, its events, its notifications and when each is due. Queues carry
 * work that is ready now; what they lose, this object's one alarm sends again.
 */
export class EventStream extends DurableObject<Env> {
  private readonly store: StreamStore;
  private readonly inFlight = new Map<number, Millis>();
  private readonly healthy = new Set<string>();
  /** Destinations whose circuit is open, and when their notifications come back if nobody calls. */
  private readonly parked = new Map<string, Millis>();
  private waiting: Waiting[] = [];
  private lease: Lease | undefined;
  private lastOpenedAt: Millis | null = null;
  private armedAt: Millis | null = null;
  private lastEvent = 0;
  private lastNotification = 0;
  /** Bundles up to this one may still be on the queue since before this object woke up, until then. */
  private inherited = { upTo: 0, until: 0 };
  private backlog = false;
  private retentionMs: number;
  private named: boolean;
  private requests = 0;
  private sent = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.store = new StreamStore(state.storage.sql);
    this.retentionMs = Number(this.store.meta("retentionMs") ?? DEFAULT_RETENTION_MS);
    this.named = this.store.meta("name") !== null;
    void state.blockConcurrencyWhile(async () => {
      this.armedAt = await state.storage.getAlarm();
      const last = this.store.lastSeqs();
      this.lastEvent = last.event;
      this.lastNotification = last.notification;
      this.inherited = { upTo: last.notification, until: this.armedAt ?? 0 };
      this.backlog = this.store.nextDue([]) !== null;
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
    if (this.backlog) this.arm(now);
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
      wanted.map((notification) => [notification.seq, this.body(notification)]),
    );
  }

  /**
   * Records what became of a bundle's notifications; unless `last`, others of it are still under way. A
   * repeated settle changes nothing.
   */
  async settle(bundleId: number, outcomes: Outcome[], last = true): Promise<void> {
    this.requests += 1;
    const now = Date.now();
    const bundle = this.store.bundle(bundleId);
    if (last) this.inFlight.delete(bundleId);
    if (bundle === undefined) return;
    const freed: string[] = [];
    let changed = false;
    for (const outcome of outcomes) {
      const notification = bundle.notifications.find(({ seq }) => seq === outcome.seq);
      if (notification === undefined || !applyOutcome(notification, outcome)) continue;
      changed = true;
      this.observe(notification, outcome);
      if (!isOpen(notification)) freed.push(...this.unblock(notification));
    }
    if (changed) this.store.saveBundle(bundle);
    const next = freed.length === 0 ? [] : this.advance(freed, now);
    await this.send(next, now);
    await this.pump(now);
    const dueNext = nextAtOf(bundle.notifications);
    if (last && dueNext !== null) this.arm(now, Math.max(dueNext, now));
  }

  /** One notification with its events; null when unknown here. */
  notification(seq: number): NotificationView | null {
    this.requests += 1;
    const notification = this.store
      .bundleOf(seq)
      ?.notifications.find((candidate) => candidate.seq === seq);
    return notification === undefined ? null : this.view(notification);
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
    const notification = this.store
      .bundleOf(seq)
      ?.notifications.find((candidate) => candidate.seq === seq);
    return notification === undefined ? null : this.body(notification);
  }

  /** Newest first, from below `before`. */
  notifications(request: {
    before: number | null;
    limit: number;
    withEvents: boolean;
  }): NotificationView[] {
    this.requests += 1;
    const views: NotificationView[] = [];
    const below = request.before ?? Number.MAX_SAFE_INTEGER;
    let from = below;
    while (views.length < request.limit) {
      const bundles = this.store.bundlesBefore(from, 20);
      for (const { notifications } of bundles)
        for (const notification of notifications.toReversed())
          if (notification.seq < below && views.length < request.limit)
            views.push(
              request.withEvents
                ? this.view(notification)
                : { notification, id: notificationId(this.name(), notification.seq), events: [] },
            );
      const last = bundles.at(-1);
      if (last === undefined) break;
      from = last.id;
    }
    return views;
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
    const events: StoredEvent[] = [];
    let last = request.after;
    for (let pages = 0; pages < 20 && events.length < request.limit; pages += 1) {
      const page = this.store.eventsAfter(last, request.limit);
      for (const event of page) {
        if (events.length === request.limit) break;
        last = event.seq;
        if (fits(filter, event)) events.push(event);
      }
      if (page.length < request.limit) break;
    }
    return { events, last, head: this.lastEvent };
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
    if (notification.destinationId === null) return this.view(notification);
    release(notification, now, forced);
    this.store.saveBundle(bundle);
    await this.send([bundle], now);
    this.arm(now, now + DELIVERY_LEASE_MS);
    return this.view(notification);
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
    if (most === null) this.parked.delete(destinationId);
    const page = this.store.putOff(from, now, RESUME_BUNDLES);
    let left = most ?? RESUME_BUNDLES;
    for (const bundle of page) {
      const mine = bundle.notifications.filter(
        ({ state, destinationId: own }) => own === destinationId && state.kind === "parked",
      );
      if (mine.length === 0 || left === 0) continue;
      for (const notification of mine) notification.state = { kind: "pending", at: now };
      this.store.saveBundle(bundle);
      left -= 1;
    }
    const last = page.at(-1);
    const more = left > 0 && page.length === RESUME_BUNDLES && last !== undefined;
    this.store.setMeta(
      "resume",
      more
        ? JSON.stringify({ destinationId, most: most === null ? null : left, from: last.id + 1 })
        : null,
    );
    this.backlog = true;
    await this.pump(now);
    this.arm(now, more ? now + 1_000 : undefined);
  }

  /** Counted since this object woke up: what the bench and the usage pages turn into money. */
  meter(): {
    rowsRead: number;
    rowsWritten: number;
    purged: number;
    requests: number;
    messages: number;
  } {
    return { ...this.store.meter, requests: this.requests, messages: this.sent };
  }

  override async alarm(): Promise<void> {
    this.requests += 1;
    this.armedAt = null;
    const now = Date.now();
    try {
      for (const [id, until] of this.inFlight) if (until <= now) this.inFlight.delete(id);
      if (this.inherited.until <= now) this.inherited.upTo = 0;
      this.backlog = true;
      await this.pump(now);
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
        bundles = this.bundle(
          plans.flatMap(({ notifications }) => notifications),
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
    this.ctx.waitUntil(this.send(bundles, now));
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

  /** New notifications as rows, those of one lane together; the ones that want order wait for their turn. */
  private bundle(notifications: Notification[], now: Millis): Bundle[] {
    for (const notification of notifications) {
      if (notification.keys === undefined) continue;
      const blocked = notification.keys.some((key) => this.store.firstOfKey(key) !== undefined);
      for (const key of notification.keys) this.store.addOrdering(key, notification.seq);
      if (blocked && notification.state.kind === "pending")
        notification.state = { kind: "waiting" };
    }
    for (const notification of notifications) {
      const until = this.parked.get(notification.destinationId ?? "") ?? 0;
      if (until > now && notification.state.kind === "pending")
        notification.state = { kind: "parked", at: until };
    }
    const weight = (notification: Notification): number => notification.events.length * 2_000;
    return Map.groupBy(notifications, (one) => `${this.lane([one])} ${one.state.kind === "parked"}`)
      .values()
      .toArray()
      .flatMap((lane) => groupsByWeight(lane, BUNDLE_UNITS, BUNDLE_NOTIFICATIONS, weight))
      .map((group) => this.store.addBundle(group));
  }

  /** Puts what is due on the queues, as far as the window allows. */
  private async pump(now: Millis): Promise<void> {
    if (!this.backlog || this.inFlight.size >= WINDOW) return;
    const due = this.store.dueBundles(
      now,
      [...this.inFlight.keys()],
      WINDOW - this.inFlight.size + 1,
    );
    const sendable = due
      .filter(({ id }) => id > this.inherited.upTo)
      .slice(0, WINDOW - this.inFlight.size);
    this.backlog = due.length > sendable.length;
    await this.send(sendable, now);
  }

  private async send(bundles: readonly Bundle[], now: Millis): Promise<void> {
    const leaseUntil = now + DELIVERY_LEASE_MS;
    const lanes: Record<"DELIVERIES" | "DELIVERIES_SLOW", DeliveryMessage[]> = {
      DELIVERIES: [],
      DELIVERIES_SLOW: [],
    };
    for (const bundle of bundles) {
      const ready = bundle.notifications.filter(({ state }) => isDue(state, now));
      if (ready.length === 0) continue;
      // Part of a bundle may still be under way: what is due of it follows when that is settled.
      if (this.inFlight.size >= WINDOW || this.inFlight.has(bundle.id)) {
        this.backlog = true;
        continue;
      }
      this.inFlight.set(bundle.id, leaseUntil);
      lanes[this.lane(ready)].push({
        stream: this.name(),
        bundle: bundle.id,
        leaseUntil,
        items: this.items(ready),
      });
    }
    for (const [lane, messages] of Object.entries(lanes)) {
      const queue = lane === "DELIVERIES" ? this.env.DELIVERIES : this.env.DELIVERIES_SLOW;
      const batches = groupsByWeight(messages, 200_000, 100, messageBytes);
      for (const batch of batches) {
        this.sent += batch.length;
        try {
          await queue.sendBatch(batch.map((body) => ({ body, contentType: "json" })));
        } catch (error) {
          // Nothing is lost: the lease runs out and the alarm sends it again.
          console.warn(
            JSON.stringify({ at: "stream.send", stream: this.name(), error: String(error) }),
          );
        }
      }
    }
  }

  private items(notifications: readonly Notification[]): DeliveryItem[] {
    let bytes = 0;
    return notifications.flatMap((notification) => {
      if (notification.destinationId === null) return [];
      const body = this.body(notification);
      bytes += jsonBytes(body);
      return {
        seq: notification.seq,
        n: nextTry(notification),
        tries: notification.tries,
        ...(notification.firstFailedAt === undefined
          ? {}
          : { firstFailedAt: notification.firstFailedAt }),
        destinationId: notification.destinationId,
        id: notificationId(this.name(), notification.seq),
        createdAt: notification.createdAt,
        parked: notification.state.kind === "parked",
        forced: notification.forced === true,
        noted: notification.released === true,
        ...(bytes > INLINE_BYTES ? {} : { body }),
      };
    });
  }

  /** New, slow and failing destinations are served apart, so that nobody waits behind them. */
  private lane(notifications: readonly Notification[]): "DELIVERIES" | "DELIVERIES_SLOW" {
    return notifications.every(
      ({ destinationId, tries }) =>
        tries === 0 && destinationId !== null && this.healthy.has(destinationId),
    )
      ? "DELIVERIES"
      : "DELIVERIES_SLOW";
  }

  private observe({ destinationId }: Notification, { attempt, next }: Outcome): void {
    if (destinationId === null) return;
    if (next.kind === "parked") this.parked.set(destinationId, next.at);
    if (attempt === undefined) return;
    if (next.kind === "delivered") this.parked.delete(destinationId);
    if (next.kind === "delivered" && attempt.durationMs < SLOW_MS) this.healthy.add(destinationId);
    else this.healthy.delete(destinationId);
  }

  private unblock(notification: Notification): string[] {
    for (const key of notification.keys ?? []) this.store.removeOrdering(key, notification.seq);
    return notification.keys ?? [];
  }

  /** The notifications that are first of all their keys now that `freed` moved on. */
  private advance(freed: readonly string[], now: Millis): Bundle[] {
    const bundles = new Map<number, Bundle>();
    for (const key of new Set(freed)) {
      const seq = this.store.firstOfKey(key);
      const found = seq === undefined ? undefined : this.store.bundleOf(seq);
      const bundle = found === undefined ? undefined : (bundles.get(found.id) ?? found);
      const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
      if (bundle === undefined || notification?.state.kind !== "waiting") continue;
      if (notification.keys?.some((own) => this.store.firstOfKey(own) !== seq) === true) continue;
      notification.state = { kind: "pending", at: now };
      bundles.set(bundle.id, bundle);
    }
    for (const bundle of bundles.values()) this.store.saveBundle(bundle);
    return [...bundles.values()];
  }

  /** A page of each job, unless the queue is half full with this stream's work: live traffic goes first. */
  private async workJobs(now: Millis): Promise<void> {
    for (const text of this.store.metaValues("job|")) {
      if (this.inFlight.size >= WINDOW / 2) break;
      const before: JobState = JSON.parse(text);
      const { state, unheard, done } = stepJob(before, this.store, now);
      if (unheard.length > 0) this.hear(unheard, state.job, now);
      this.store.setMeta(`job|${state.job.id}`, done ? null : JSON.stringify(state));
      this.backlog = true;
      await this.pump(now);
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
    const {
      destinationId,
      most,
      from,
    }: { destinationId: string; most: number | null; from: number } = JSON.parse(text);
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
    const times = [...this.inFlight.values()];
    const due = this.store.nextDue([...this.inFlight.keys()]);
    if (due !== null)
      times.push(Math.max(due, this.inherited.upTo > 0 ? this.inherited.until : 0, now + 100));
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

  private body(notification: Notification): string {
    const { events, raws } = this.eventsOf(notification);
    const raw = notification.raw === undefined ? undefined : raws.get(notification.raw);
    return composeBody(this.name(), notification, events, raw);
  }

  private view(notification: Notification): NotificationView {
    const { events } = this.eventsOf(notification);
    return { notification, id: notificationId(this.name(), notification.seq), events };
  }

  private eventsOf(notification: Notification): {
    events: StoredEvent[];
    raws: Map<number, string>;
  } {
    const wanted = new Set(notification.events);
    const first = Math.min(notification.raw ?? Number.MAX_SAFE_INTEGER, ...wanted);
    const found = this.store.events(first, Math.max(...wanted));
    return { raws: found.raws, events: found.events.filter(({ seq }) => wanted.has(seq)) };
  }

  private name(): string {
    const name = this.ctx.id.name ?? this.store.meta("name");
    if (name === null) throw new Error("A stream is reached by its name");
    return name;
  }
}

function isDue(state: DeliveryState, now: Millis): boolean {
  const at = dueAt(state);
  return at !== null && at <= now;
}

/** What a text weighs inside a JSON message. */
function jsonBytes(text: string): number {
  return new TextEncoder().encode(JSON.stringify(text)).byteLength;
}

function messageBytes({ items }: DeliveryMessage): number {
  return items.reduce(
    (bytes, { body }) => bytes + 400 + (body === undefined ? 0 : jsonBytes(body)),
    200,
  );
}
