import type { History, NotificationView } from "./history";
import { type Resume, storedResume } from "./meta";
import type { Dispatcher } from "./outbox/dispatcher.io";
import type { Outbox } from "./outbox/outbox.io";
import type { Bundle, OutboxStore } from "./outbox/store";
import { release } from "./settle";
import type { StreamStore } from "./store";
import type { Notification } from "./event";
import type { Millis } from "../values/instant";

type Doors = {
  store: StreamStore;
  bundles: OutboxStore;
  history: History;
  outbox: Outbox;
  dispatcher: Dispatcher;
};

/** Brings on their way again notifications that are dead, parked or done. */
export class Resend {
  private readonly doors: Doors;

  constructor(doors: Doors) {
    this.doors = doors;
  }

  /** What a dead notification held up in its order goes on. */
  async acknowledge(seq: number, now: Millis): Promise<void> {
    const { bundles, outbox } = this.doors;
    const found = this.find(seq);
    if (found === undefined) return;
    found.notification.acknowledged = true;
    const freed = outbox.letGo(found.notification);
    bundles.save(found.bundle);
    await outbox.moveOn(freed, now);
  }

  /** Sends a notification again. @returns it, and whether it has anywhere to go; undefined when unknown here. */
  async replay(
    seq: number,
    { forced, fallbackId }: { forced: boolean; fallbackId: string | null },
    now: Millis,
  ): Promise<{ view: NotificationView; hasAddress: boolean } | undefined> {
    const { bundles, dispatcher, history } = this.doors;
    const found = this.find(seq);
    if (found === undefined) return undefined;
    const { bundle, notification } = found;
    notification.destinationId ??= fallbackId;
    if (notification.destinationId === null)
      return { view: history.view(bundle.id, notification), hasAddress: false };
    release(notification, now, forced);
    bundles.save(bundle);
    await dispatcher.send([bundle], now);
    return { view: history.view(bundle.id, notification), hasAddress: true };
  }

  /** A page of what was parked for a destination is due now. @returns whether there is more. */
  async resume(resume: Resume, now: Millis): Promise<boolean> {
    const rest = await this.doors.outbox.resume(resume, now);
    this.doors.store.setMeta("resume", rest === null ? null : storedResume.write(rest));
    return rest !== null;
  }

  /** Where to go on with what a `resume` left. */
  get left(): Resume | null {
    const text = this.doors.store.meta("resume");
    return text === null ? null : storedResume.read(text);
  }

  private find(seq: number): { bundle: Bundle; notification: Notification } | undefined {
    const bundle = this.doors.bundles.bundleOf(seq);
    const notification = bundle?.notifications.find((candidate) => candidate.seq === seq);
    return bundle === undefined || notification === undefined
      ? undefined
      : { bundle, notification };
  }
}
