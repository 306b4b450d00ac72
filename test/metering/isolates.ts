import { type Entry, Pending, QUIET_MS, WATCH_EVERY_MS } from "../../src/metering/pending";

export type Load = {
  isolates: number;
  /** Events that come in, each delivered once. */
  perSecond: number;
  minutes: number;
  sources: number;
  start: number;
  organizationId?: number;
};

/** A sequence that is the same each time. */
function random(): () => number {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Isolates that get events and deliveries at random, in virtual time: each writes when what it has is due, or when
 * whoever watches finds it quiet (`metering/counter.io.ts`). After the last minute they are left alone for half a minute.
 */
export function simulate(load: Load): {
  rows: { at: number; entries: Entry[] }[];
  deliveries: number;
  counted: number;
  unwritten: number;
  longestWaitMs: number;
} {
  const chance = random();
  const isolates = Array.from({ length: load.isolates }, () => ({
    pending: new Pending(),
    watches: [] as number[],
    since: 0,
  }));
  const ran = { rows: [] as { at: number; entries: Entry[] }[], deliveries: 0, longestWaitMs: 0 };
  const write = (isolate: (typeof isolates)[number], now: number) => {
    ran.longestWaitMs = Math.max(ran.longestWaitMs, now - isolate.since);
    ran.rows.push(...isolate.pending.take().map((entries) => ({ at: now, entries })));
  };
  const somewhere = (now: number, count: (pending: Pending) => void) => {
    const isolate = isolates[Math.floor(chance() * isolates.length)];
    if (isolate === undefined) throw new Error("There is no isolate");
    if (isolate.pending.isEmpty) isolate.since = now;
    count(isolate.pending);
    if (isolate.pending.isDue(now)) write(isolate, now);
    else if (isolate.pending.takeWatch(now)) isolate.watches.push(now + QUIET_MS);
  };
  const seconds = load.minutes * 60;
  let owed = 0;
  for (let second = 0; second < seconds + 30; second += 1) {
    const now = load.start + second * 1_000;
    for (const isolate of isolates)
      while ((isolate.watches[0] ?? Infinity) <= now) {
        const since = (isolate.watches.shift() ?? 0) - QUIET_MS + WATCH_EVERY_MS;
        if (isolate.pending.isQuiet(since)) write(isolate, now);
      }
    owed += second < seconds ? load.perSecond : 0;
    for (; owed >= 1; owed -= 1) {
      const source = `instance:${Math.floor(chance() * load.sources)}`;
      const key = { organizationId: load.organizationId ?? 1, source };
      somewhere(now, (pending) =>
        pending.add({ ...key, destinationId: "" }, { events: 1, rowsWritten: 2 }, now),
      );
      const counts = { attempts: 1, delivered: 1, objectRequests: 1, queueOperations: 3 };
      somewhere(now, (pending) =>
        pending.add({ ...key, destinationId: source.replace(":", "-") }, counts, now),
      );
      ran.deliveries += 1;
    }
  }
  const delivered = (entries: Entry[]) => entries.reduce((sum, entry) => sum + Number(entry[6]), 0);
  const left = isolates.flatMap(({ pending }) => pending.take().flat());
  return {
    ...ran,
    counted: ran.rows.reduce((sum, { entries }) => sum + delivered(entries), 0),
    unwritten: delivered(left),
  };
}
