import type { NotificationView } from "./history";
import type { History } from "./history.io";
import { type Resume, storedResume } from "./meta";
import type { Dispatcher } from "./outbox/dispatcher.io";
import type { Outbox } from "./outbox/outbox.io";
import type { OutboxStore } from "./outbox/store";
import type { SearchIndex } from "./search/search-index.io";
import { resetForResend } from "./settle";
import type { StreamStore } from "./store";
import type { Millis } from "../values/instant";

type Doors = {
  store: StreamStore;
  bundles: OutboxStore;
  history: History;
  outbox: Outbox;
  dispatcher: Dispatcher;
  search: SearchIndex;
};

/** Sends notifications again on request: one by its number, or all that are parked for a destination. */
export class Resend {
  private readonly doors: Doors;

  constructor(doors: Doors) {
    this.doors = doors;
  }

  /** Marks a dead notification as noticed, and perhaps as hidden. If it held up others in its order, the next of them is sent. */
  async acknowledge(seq: number, now: Millis, hides: boolean): Promise<void> {
    const { bundles, outbox } = this.doors;
    const found = bundles.find(seq);
    if (found === undefined) return;
    found.notification.acknowledged = true;
    if (hides) found.notification.hidden = true;
    const freedKeys = outbox.leaveOrder(found.notification);
    bundles.save(found.bundle);
    await outbox.sendUnblocked(freedKeys, now);
  }

  /**
   * Sends one notification again. @returns it, and whether it has a destination; undefined when this stream has no
   * such notification.
   */
  async replay(
    seq: number,
    { forced, fallbackId }: { forced: boolean; fallbackId: string | null },
    now: Millis,
  ): Promise<{ view: NotificationView; hasAddress: boolean } | undefined> {
    const { bundles, dispatcher, history, search } = this.doors;
    const found = bundles.find(seq);
    if (found === undefined) return undefined;
    const { bundle, notification } = found;
    if (notification.destinationId === null && fallbackId !== null) {
      notification.destinationId = fallbackId;
      search.addressed([seq], fallbackId);
    }
    if (notification.destinationId === null)
      return { view: history.view(bundle.id, notification), hasAddress: false };
    const mayBeUnderWay = dispatcher.mayBeUnderWay(bundle.id, notification, now);
    resetForResend(notification, now, { forced, mayBeUnderWay });
    bundles.save(bundle);
    await dispatcher.send([bundle], now);
    return { view: history.view(bundle.id, notification), hasAddress: true };
  }

  /** Sends one page of what is parked for a destination, and stores where to go on. @returns whether there is more. */
  async resume(resume: Resume, now: Millis): Promise<boolean> {
    const rest = await this.doors.outbox.resume(resume, now);
    this.doors.store.setMeta("resume", rest === null ? null : storedResume.write(rest));
    return rest !== null;
  }

  /** Where to go on with a `resume` that took more than one page. */
  get unfinished(): Resume | null {
    const text = this.doors.store.meta("resume");
    return text === null ? null : storedResume.read(text);
  }
}
