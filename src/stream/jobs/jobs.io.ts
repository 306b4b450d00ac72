import type { Cancellation } from "../cancellation.io";
import type { Commits } from "../commit.io";
import type { EventLog } from "../log/store";
import type { Dispatcher } from "../outbox/dispatcher.io";
import type { Outbox } from "../outbox/outbox.io";
import type { OutboxStore } from "../outbox/store";
import type { SearchIndex } from "../search/search-index.io";
import type { StreamStore } from "../store";
import { newJobState, storedJob, type StreamJob } from "./job";
import { runPage } from "./page.io";
import { saveJobPart } from "./store";
import type { Millis } from "../../values/instant";

/** The jobs of a stream. Their progress is stored in the stream, so a restart repeats one page at most. */
export class Jobs {
  private readonly doors: {
    store: StreamStore;
    bundles: OutboxStore;
    log: EventLog;
    commits: Commits;
    search: SearchIndex;
    outbox: Outbox;
    dispatcher: Dispatcher;
    cancellation: Cancellation;
    db: D1Database;
    name: () => string;
  };

  constructor(doors: Jobs["doors"]) {
    this.doors = doors;
  }

  get isAny(): boolean {
    return this.doors.store.metaValues("job|").length > 0;
  }

  start(job: StreamJob): void {
    this.doors.store.setMeta(`job|${job.id}`, storedJob.write(newJobState(job)));
  }

  /**
   * Does one page of each job; of those that send, while less than half the window is in use: live traffic goes first.
   */
  async work(now: Millis): Promise<void> {
    const { store, commits, outbox, dispatcher, cancellation, db, name } = this.doors;
    for (const text of store.metaValues("job|")) {
      const before = storedJob.read(text);
      if (dispatcher.isBusy && before.job.kind !== "cancel") continue;
      const page = runPage(before, this.doors, now);
      const { state, done } = page;
      const { job } = state;
      const added = commits.addNotifications(
        page.withoutNotification.map((event) => ({
          target: {
            destinationId: job.destinationId,
            envelope: { format: "verbatim" },
            most: 1,
            ordering: "none",
          },
          events: [event],
        })),
        now,
      );
      store.setMeta(`job|${job.id}`, done ? null : storedJob.write(state));
      await outbox.sendUnblocked(page.freedKeys, now);
      await cancellation.tell(now);
      await dispatcher.sendFresh(added, now);
      await dispatcher.sendAllDue(now);
      await saveJobPart(db, job.id, name(), { processed: state.processed, done });
    }
  }
}
