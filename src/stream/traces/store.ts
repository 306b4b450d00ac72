import { type Bucket, taken } from "../../values/bucket";
import type { Millis } from "../../values/instant";
import type { StreamStore } from "../store";
import { type KeptTrace, storedCounts, storedTrace, type Trace, type Traces } from "./trace";

/** So many are kept of those whose sender was proved, and of the others; none longer than the time. */
const MOST_KEPT = 50;
const KEPT_MS = 7 * 86_400_000;
/** How many of each are written: strangers can send as many as they like. The rest are only counted. */
const WRITTEN = { burst: 100, perMinute: 10 };

type Row = { id: number; proved: number; at: number; body: string };

/**
 * What came for this source and became no event. A trace writes three rows; those beyond the bound write none, and their
 * number is written with the next one.
 */
export class TraceStore {
  private readonly store: StreamStore;
  private readonly buckets: (Bucket | undefined)[] = [];
  private counts: Traces["counts"] | undefined;

  constructor(store: StreamStore) {
    this.store = store;
  }

  /** `more`: how many others of its outcome came with it, of which nothing else is known. */
  note({ at, outcome, reason, isProved, request }: Trace, more: number, now: Millis): void {
    const counts = this.counted();
    counts[outcome] = (counts[outcome] ?? 0) + 1 + more;
    const kind = isProved ? 1 : 0;
    const bucket = taken(this.buckets[kind], WRITTEN, now);
    if (bucket === undefined) return;
    this.buckets[kind] = bucket;
    this.store.setMeta("traces", JSON.stringify(counts));
    const body = JSON.stringify({ outcome, reason, request, replayedAt: null });
    this.store.run("INSERT INTO traces (proved, at, body) VALUES (?, ?, ?)", kind, at, body);
    this.store.run(
      "DELETE FROM traces WHERE at < ?1 OR (proved = ?2 AND id <= (SELECT id FROM traces WHERE proved = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3))",
      now - KEPT_MS,
      kind,
      MOST_KEPT,
    );
  }

  /** Newest first. */
  read(now: Millis): Traces {
    const rows = this.store.run<Row>(
      "SELECT * FROM traces WHERE at >= ? ORDER BY id DESC",
      now - KEPT_MS,
    );
    return { counts: this.counted(), kept: rows.map(keptOf) };
  }

  find(id: number): KeptTrace | undefined {
    const row = this.store.first<Row>("SELECT * FROM traces WHERE id = ?", id);
    return row && keptOf(row);
  }

  markReplayed(id: number, now: Millis): void {
    const found = this.find(id);
    if (found === undefined) return;
    const { outcome, reason, request } = found;
    const body = JSON.stringify({ outcome, reason, request, replayedAt: now });
    this.store.run("UPDATE traces SET body = ? WHERE id = ?", body, id);
  }

  /** Forgets what was sent; how much came is still known. */
  clear(): void {
    this.store.run("DELETE FROM traces");
  }

  private counted(): Traces["counts"] {
    return (this.counts ??= storedCounts.read(this.store.meta("traces") ?? "{}"));
  }
}

const keptOf = ({ id, proved, at, body }: Row): KeptTrace => ({
  id,
  at,
  isProved: proved === 1,
  ...storedTrace.read(body),
});
