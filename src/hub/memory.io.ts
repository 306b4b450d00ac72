import { ByteBudget } from "../values/byte-budget";

/**
 * Bytes of large answers that an isolate holds at a time, of its 128 MB. Measured with a page of 8.5 MB of JSON: four times its
 * size is held while its records become events (text, records, events), and once to twice until these are committed.
 * Answers of less than a megabyte never wait.
 */
const MOST_BYTES = 12 * 1024 * 1024;
const LOOK_EVERY_MS = 50;

const memory = new ByteBudget(MOST_BYTES);

/** What one answer holds of the isolate's memory; nothing while it is small. */
export class Held {
  private name: symbol | undefined;

  /** Waits until there is room for so many bytes. */
  async makeRoom(bytes: number): Promise<void> {
    for (;;) {
      this.name = memory.take(bytes, Date.now());
      if (this.name !== undefined) return;
      await scheduler.wait(LOOK_EVERY_MS);
    }
  }

  shrink(bytes: number): void {
    if (this.name !== undefined) memory.shrink(this.name, bytes);
  }

  release(): void {
    if (this.name !== undefined) memory.release(this.name);
  }
}
