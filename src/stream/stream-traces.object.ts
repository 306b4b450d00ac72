import { StreamReads } from "./stream-reads.object";
import {
  type KeptTrace,
  type Trace,
  type Traces,
  type Untaken,
  untakenSince,
} from "./traces/trace";

const DAY_MS = 86_400_000;

/** The requests about what came for a source and became no event. */
export abstract class StreamTraces extends StreamReads {
  /** Keeps a trace, beside `more` others of its outcome of which nothing else is known. */
  async noteTrace(trace: Trace, more: number): Promise<void> {
    await this.registered();
    this.counted().traces.note(trace, more, Date.now());
  }

  traces(): Traces {
    return this.counted().traces.read(Date.now());
  }

  /** What came in the last day and became no event, by reason: small, beside the traces themselves. */
  untaken(): Untaken[] {
    const now = Date.now();
    return untakenSince(this.counted().traces.read(now).kept, now - DAY_MS);
  }

  keptTrace(id: number): KeptTrace | null {
    return this.counted().traces.find(id) ?? null;
  }

  markReplayed(traceId: number): void {
    this.counted().traces.markReplayed(traceId, Date.now());
  }

  /** Ends when this object is written down in D1. @throws when D1 can't be reached: then nothing may be stored. */
  protected abstract registered(): Promise<void>;
}
