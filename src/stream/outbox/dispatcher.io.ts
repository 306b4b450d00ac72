import { ASK_AFTER_MS, type DeliveryMessage } from "../../delivery/attempt";
import type { Millis } from "../../values/instant";
import type { Notification } from "../event";
import { type Preloaded, preloadedFrom } from "../history";
import type { History } from "../history.io";
import type { Head } from "../head.store";
import type { Unsettled } from "../meta";
import type { StreamStore } from "../store";
import { Checkpoint } from "./checkpoint.io";
import type { DestinationHealth } from "./destination-health";
import { Lanes, type Queues } from "./lanes.io";
import { Leases } from "./leases";
import { isDue, itemsOf } from "./message";
import { shares } from "./share";
import type { Bundle, OutboxStore } from "./store";
import { nextInLine, USUAL_WINDOW, Window } from "./window";

/** With more bundles than this on the queues, commits wait for one another: 2 ms for each bundle above it. */
const USUAL_IN_FLIGHT = 8;
const DELAY_PER_BUNDLE_MS = 2;
const MOST_DELAY_MS = 50;
/** A message is begun without asking only this soon after it was sent; clocks may differ by a second. */
const BEGUN_WITHIN_MS = ASK_AFTER_MS + 1_000;
/** A notification older than this takes the slow lane, as does what a job sends again: live traffic goes first. */
const LIVE_MS = 30_000;

type Doors = {
  store: StreamStore;
  head: Head;
  bundles: OutboxStore;
  history: History;
  health: DestinationHealth;
  queues: () => Queues;
  name: () => string;
};

/**
 * Decides which bundles of a stream go to the delivery queues, and when.
 *
 * Lease: a bundle that is sent gets 45 seconds, noted in memory only (`leases.ts`). Until then it is not sent again.
 * If they pass before the consumer settled the bundle, its message is taken for lost and the bundle is sent again, with
 * twice the time.
 *
 * Window: so many bundles have a lease, 50 or more (`window.ts`). All others wait in their rows, where they cost nothing.
 *
 * Two lines wait for the window:
 * - *fresh* bundles, which were due when they were committed and are not settled yet. They go in the order of
 *   their ids, so the one number `sentUpTo` replaces an index, and a new bundle costs no index row.
 * - *deferred* bundles, which are due at an instant of their own: a retry, a parked or a replayed notification.
 *   They go by the index `bundles_later`.
 * With work in both lines each gets half the window, so neither a replay of 100,000 notifications nor a burst of new
 * events starves the other.
 *
 * Restart: all leases are forgotten, and nobody knows what is still on the queues. So every unsettled bundle becomes a
 * deferred one, and is assumed to be on a queue until the alarm that was set before the restart; then it is sent
 * again. Which they may be, a checkpoint tells (`checkpoint.io.ts`).
 */
export class Dispatcher {
  /** Queue messages sent since this object woke up. */
  get messagesSent(): number {
    return this.lanes.messagesSent;
  }
  /** Deferred bundles may be due that found no room in the window, or of which a part was still on a queue. */
  hasBacklog: boolean;
  /** Fresh bundles up to this id were sent, or had nothing to send; those above wait for the window. */
  private sentUpTo: number;
  private newestId: number;
  private readonly checkpoint: Checkpoint;
  private readonly inFlight = new Leases();
  private readonly window = new Window();
  /** Sent before the last restart: bundles up to this id are assumed to be on a queue until then. */
  private queuedBefore: { upTo: number; until: Millis };
  private readonly doors: Doors;
  private readonly lanes: Lanes;

  constructor(doors: Doors, lastId: number) {
    this.doors = doors;
    this.lanes = new Lanes(doors.queues, doors.name);
    this.queuedBefore = { upTo: lastId, until: 0 };
    this.sentUpTo = lastId;
    this.newestId = lastId;
    this.checkpoint = new Checkpoint(doors.store, doors.head);
    const unsettled = this.checkpoint.read();
    doors.bundles.deferUnsettled(unsettled, lastId);
    this.checkpoint.restarted(lastId, unsettled);
    this.hasBacklog = doors.bundles.nextDue([]) !== null;
  }

  /** After a restart: assumes until `at`, the alarm set before it, that what was sent is still on the queues. */
  assumeQueuedUntil(at: Millis): void {
    this.queuedBefore.until = at;
  }

  /** Half the usual window is taken: work that is not urgent should wait. */
  get isBusy(): boolean {
    return this.inFlight.size >= USUAL_WINDOW / 2;
  }

  /**
   * Group commit: how long a commit waits for others to share its transaction, bundles and messages, in
   * milliseconds. 0 while deliveries keep up.
   */
  get groupCommitDelayMs(): number {
    const excess = Math.max(0, this.inFlight.size - USUAL_IN_FLIGHT);
    return Math.min(MOST_DELAY_MS, excess * DELAY_PER_BUNDLE_MS);
  }

  /** Whether a notification of this bundle is on a queue, and not settled yet. */
  isSent(bundleId: number, notification: Notification): boolean {
    const sentAt = this.inFlight.sentAt(bundleId);
    return sentAt !== undefined && isDue(notification, sentAt);
  }

  /** Whether a try of it may be under way: it is on a queue, or may be since before a restart. */
  mayBeUnderWay(bundleId: number, notification: Notification, now: Millis): boolean {
    const isFromBefore = this.isFromBefore(bundleId, now) && isDue(notification, now);
    return isFromBefore || this.isSent(bundleId, notification);
  }

  /**
   * Until when a consumer may begin with a message of this bundle without asking first; 0: none can. `since`: now, or
   * a little before.
   */
  beginsUntil(bundleId: number, since: Millis): Millis {
    const sentAt = this.inFlight.sentAt(bundleId);
    if (sentAt !== undefined) return sentAt + BEGUN_WITHIN_MS;
    return this.isFromBefore(bundleId, since) ? since + BEGUN_WITHIN_MS : 0;
  }

  /** Something of a bundle is not to be sent any more: its message is to be dropped, wherever it is. */
  revoke(bundleId: number): void {
    this.inFlight.revoke(bundleId);
  }

  /** It may have been sent before the last restart. */
  private isFromBefore(bundleId: number, now: Millis): boolean {
    return bundleId <= this.queuedBefore.upTo && now < this.queuedBefore.until;
  }

  /** When the alarm must look for something to send: at the end of each lease, and when a deferred bundle is due. */
  dueTimes(now: Millis): Millis[] {
    const due = this.doors.bundles.nextDue(this.inFlight.ids);
    const queuedBeforeUntil = this.queuedBefore.upTo > 0 ? this.queuedBefore.until : 0;
    return [
      ...this.inFlight.ends,
      ...(due === null ? [] : [Math.max(due, queuedBeforeUntil, now + 100)]),
    ];
  }

  /** A bundle was settled to its last notification, all of it delivered or not: its place in the window is free. */
  endLease(bundleId: number, wentWell: boolean): void {
    if (this.inFlight.laneOf(bundleId) === "fast") this.window.settled(wentWell);
    this.inFlight.end(bundleId);
    this.checkpoint.note();
  }

  /** A consumer got a bundle late, and asks for more time. @returns until when it has; null: too late. */
  extendLease(bundleId: number, leaseUntil: Millis, now: Millis): Millis | null {
    return this.inFlight.extend(bundleId, leaseUntil, now);
  }

  /** For the alarm: ends the leases that ran out, and sends everything that is due. */
  async sendOverdue(now: Millis): Promise<void> {
    for (const id of this.inFlight.expire(now)) {
      this.window.settled(false);
      this.defer(id);
    }
    if (this.queuedBefore.until <= now) this.queuedBefore.upTo = 0;
    await this.sendAllDue(now);
  }

  /** Sends what is due, after a caller made deferred bundles due in their rows. */
  async sendAllDue(now: Millis): Promise<void> {
    this.hasBacklog = true;
    await this.sendDue(now);
  }

  /** Fills the window from both lines, half from each; where one has less, the other gets the rest. */
  async sendDue(now: Millis): Promise<void> {
    const { bundles } = this.doors;
    const { fast, slow } = this.window.room(this.inFlight);
    const room = Math.min(USUAL_WINDOW, fast + slow);
    if (room <= 0) return;
    const fresh = this.sentUpTo < this.newestId ? bundles.fresh(this.sentUpTo, room) : [];
    const due = this.hasBacklog ? bundles.due(now, this.inFlight.ids, room + 1) : [];
    const deferred = due.filter(({ id }) => id > this.queuedBefore.upTo);
    const [freshCount, deferredCount] = shares(fresh.length, deferred.length, room);
    this.hasBacklog = due.length > deferredCount;
    const left = this.window.room(this.inFlight);
    const later = deferred.slice(0, deferredCount).filter((bundle) => {
      const lane = this.laneOf(bundle, now);
      return lane === undefined || (left[lane] -= 1) >= 0;
    });
    if (later.length < deferredCount) this.hasBacklog = true;
    const isAll = freshCount === fresh.length && freshCount < room;
    const next = this.nextInLine(fresh.slice(0, freshCount), isAll, left, now);
    const chosen = [...later, ...next];
    await this.send(chosen, now, preloadedFrom(chosen.flatMap(({ inline }) => inline)));
  }

  /** Sends bundles that were just committed; if older ones still wait for the window, those go first. */
  async sendFresh(bundles: readonly Bundle[], now: Millis, preloaded?: Preloaded): Promise<void> {
    const hasNoneWaiting = this.sentUpTo === this.newestId;
    this.newestId = bundles.at(-1)?.id ?? this.newestId;
    if (!hasNoneWaiting) return this.sendDue(now);
    const room = this.window.room(this.inFlight);
    await this.send(this.nextInLine(bundles, true, room, now), now, preloaded);
  }

  /** The fresh bundles that go now, of those next in line. `isAll`: no others wait behind them. */
  private nextInLine<T extends Bundle>(
    bundles: readonly T[],
    isAll: boolean,
    room: Record<keyof Queues, number>,
    now: Millis,
  ): T[] {
    const line = bundles.map((bundle) => ({ bundle, lane: this.laneOf(bundle, now) }));
    const { go, passed, through, isShort } = nextInLine(line, room);
    this.window.isShort = isShort;
    this.sentUpTo =
      isAll && through === line.length
        ? this.newestId
        : (line[through - 1]?.bundle.id ?? this.sentUpTo);
    for (const { bundle } of passed) this.defer(bundle.id);
    if (passed.length > 0) this.hasBacklog = true;
    return go.map(({ bundle }) => bundle);
  }

  /** Makes a deferred bundle of a fresh one. */
  private defer(id: number): void {
    this.doors.bundles.deferUnsettled({ below: id, except: [] }, id);
  }

  /**
   * Sends what is due of these bundles, and leaves to `sendDue` what finds no room in the window. Events in
   * `preloaded` are not read from the tables again.
   */
  async send(bundles: readonly Bundle[], now: Millis, preloaded?: Preloaded): Promise<void> {
    const { name, history } = this.doors;
    const lanes: Record<keyof Queues, DeliveryMessage[]> = { fast: [], slow: [] };
    for (const bundle of bundles) {
      const lane = this.laneOf(bundle, now);
      if (lane === undefined) continue;
      const ready = bundle.notifications.filter((notification) => isDue(notification, now));
      // One part of a bundle may be on a queue when another becomes due: it follows when the first is settled.
      if (this.window.room(this.inFlight)[lane] <= 0 || this.inFlight.has(bundle.id)) {
        this.hasBacklog = true;
        continue;
      }
      const leaseUntil = this.inFlight.begin(bundle.id, now, lane);
      try {
        const items = itemsOf(name(), ready, (one) => history.body(one, preloaded));
        const message = { stream: name(), bundle: bundle.id, leaseUntil, sentAt: now, items };
        lanes[lane].push(message);
      } catch (error) {
        // Its lease runs out like that of a lost message; the other bundles go now.
        const at = { at: "stream.compose", stream: name(), bundle: bundle.id };
        console.error(JSON.stringify({ ...at, error: String(error) }));
      }
    }
    this.inFlight.unsent(await this.lanes.send(lanes));
  }

  /** Stores a checkpoint if enough bundles were settled since the last one. */
  saveCheckpoint(): void {
    this.checkpoint.save(() => this.unsettled());
  }

  /** The fresh bundles that may be unsettled. */
  unsettled(): Unsettled {
    const below = this.sentUpTo + 1;
    return { below, except: this.inFlight.ids.filter((id) => id < below) };
  }

  /** The fast lane takes first tries of live notifications to destinations that answered quickly. Undefined: none is due. */
  private laneOf({ notifications }: Bundle, now: Millis): keyof Queues | undefined {
    const ready = notifications.filter((one) => isDue(one, now));
    if (ready.length === 0) return undefined;
    const isFast = ready.every(
      (one) =>
        one.tries === 0 && isLive(one, now) && this.doors.health.isHealthy(one.destinationId),
    );
    return isFast ? "fast" : "slow";
  }
}

const isLive = ({ createdAt, released, forced }: Notification, now: Millis): boolean =>
  forced === true || (released !== true && now - createdAt < LIVE_MS);
