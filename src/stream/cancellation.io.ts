import { recordExceptions } from "../delivery/exceptions.store";
import type { Millis } from "../values/instant";
import type { Notification } from "./event";
import type { NotificationView } from "./history";
import type { History } from "./history.io";
import type { Dispatcher } from "./outbox/dispatcher.io";
import type { Outbox } from "./outbox/outbox.io";
import type { Bundle, OutboxStore } from "./outbox/store";
import type { UntoldStore } from "./outbox/untold.io";
import { endByHand, isCancelled, isOpen, nextTry } from "./settle";
import { notificationId, parseStreamName } from "./stream-name";

/** How often it is looked whether a message that was just sent is settled. */
const LOOK_EVERY_MS = 50;

type Doors = {
  bundles: OutboxStore;
  history: History;
  outbox: Outbox;
  dispatcher: Dispatcher;
  untold: UntoldStore;
  db: D1Database;
  name: () => string;
};

/** `isCancelled` false: it had ended before, was delivered meanwhile, or has no destination. */
export type Cancelled = { view: NotificationView; isCancelled: boolean };

/**
 * Ends notifications that wait: as dead, `cancelled`, and never sent. Their message may be on a queue already. A consumer
 * begins with one that is older than two seconds (`ASK_AFTER_MS`) only when the stream says so; it is told to drop it, and
 * what else the message held is sent anew. A younger one may be begun unasked, so who cancels waits until it is settled
 * or too old for that. A call that a consumer has begun by then goes on, and is recorded: as delivered if it delivers.
 */
export class Cancellation {
  private readonly doors: Doors;

  constructor(doors: Doors) {
    this.doors = doors;
  }

  /** Cancels one notification. @returns undefined when this stream has no such notification. */
  async one(seq: number, now: Millis): Promise<Cancelled | undefined> {
    const { bundles, dispatcher, outbox, history } = this.doors;
    const found = bundles.find(seq);
    if (found === undefined) return undefined;
    const { bundle, notification } = found;
    const viewed = (one: Notification): NotificationView => history.view(bundle.id, one);
    if (!isOpen(notification)) {
      await this.tell(now);
      return { view: viewed(notification), isCancelled: false };
    }
    const freedKeys = this.end(bundle, [notification], now);
    while (Date.now() < dispatcher.beginsUntil(bundle.id, now)) await scheduler.wait(LOOK_EVERY_MS);
    await outbox.sendUnblocked(freedKeys, Date.now());
    await this.tell(Date.now());
    const after = bundles.find(seq)?.notification ?? notification;
    return { view: viewed(after), isCancelled: isCancelled(after.state) };
  }

  /** Ends notifications of one bundle, and stores it. @returns the ordering keys whose next notification may go. */
  end(bundle: Bundle, notifications: readonly Notification[], now: Millis): string[] {
    const { bundles, outbox, dispatcher, untold } = this.doors;
    for (const notification of notifications) {
      const mayBeUnderWay = dispatcher.mayBeUnderWay(bundle.id, notification, now);
      if (mayBeUnderWay) dispatcher.revoke(bundle.id);
      endByHand(notification, now, mayBeUnderWay);
    }
    bundles.save(bundle);
    untold.note(bundle.id, now);
    return notifications.flatMap((notification) => outbox.withdraw(notification));
  }

  /** Tells the organization's list in D1 what ended in the bundles that it may not know of. */
  async tell(now: Millis): Promise<void> {
    const { untold, bundles, db, name } = this.doors;
    const notes = untold.due(now);
    if (notes.length === 0) return;
    const { organizationId } = parseStreamName(name());
    const ends = notes.flatMap(({ bundleId }) =>
      (bundles.bundle(bundleId)?.notifications ?? []).flatMap((one) => endOf(one, name())),
    );
    await recordExceptions(
      db,
      { name: name(), organizationId },
      ends.map(({ item }) => item),
      ends.map(({ outcome }) => outcome),
      now,
    );
    for (const note of notes) untold.told(note);
  }
}

/** How a notification ended, if that may be news: it was cancelled, or delivered by a call that was under way then. */
function endOf(notification: Notification, stream: string) {
  const { seq, state, destinationId, createdAt } = notification;
  const isEnd = state.kind === "delivered" || isCancelled(state);
  if (!isEnd || destinationId === null) return [];
  const id = notificationId(stream, seq);
  const item = { seq, id, destinationId, createdAt, noted: true };
  return [{ item, outcome: { seq, n: nextTry(notification), next: state } }];
}
