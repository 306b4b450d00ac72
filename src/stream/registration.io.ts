import type { StreamStore } from "./store";

const KEY = "registered";

/**
 * That a stream stores something is written down in D1 (`db/objects.ts`) before it first does, so that whoever deletes
 * an organization finds it. This costs one row here and one in D1, once.
 */
export class Registration {
  isDone = false;
  private running: Promise<void> | undefined;
  private readonly store: () => StreamStore;
  private readonly note: () => Promise<void>;

  constructor(store: () => StreamStore, note: () => Promise<void>) {
    this.store = store;
    this.note = note;
  }

  /** @throws when D1 can't be reached: then nothing may be stored. */
  register(): Promise<void> {
    return (this.running ??= this.run().finally(() => {
      this.running = undefined;
    }));
  }

  private async run(): Promise<void> {
    if (this.store().meta(KEY) === null) {
      await this.note();
      this.store().setMeta(KEY, "1");
    }
    this.isDone = true;
  }
}
