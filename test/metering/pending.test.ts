import { describe, expect, it } from "vitest";
import type { Counts } from "../../src/metering/count";
import { MOST_AGE_MS, Pending, QUIET_MS, WATCH_EVERY_MS } from "../../src/metering/pending";
import { simulate } from "./isolates";

const START = Date.UTC(2026, 0, 1);
const key = (n: number) => ({
  organizationId: 1,
  source: `instance:${n}`,
  destinationId: `instance-${n}`,
});
const event: Partial<Counts> = { events: 1, rowsWritten: 2 };

describe("what an isolate has counted", () => {
  it("is one entry for a source, a destination and five minutes", () => {
    const pending = new Pending();
    for (let second = 0; second < 600; second += 1)
      pending.add(key(second % 2), event, START + second * 1_000);
    const [row, ...more] = pending.take();
    expect(more).toEqual([]);
    expect(row?.map(([, bucket, source, , , events]) => [bucket, source, events])).toEqual([
      [START, "instance:0", 150],
      [START, "instance:1", 150],
      [START + 300_000, "instance:0", 150],
      [START + 300_000, "instance:1", 150],
    ]);
    expect(pending.isEmpty).toBe(true);
  });

  it.each<[string, (pending: Pending) => void, after: number, boolean]>([
    ["nothing", () => undefined, MOST_AGE_MS, false],
    ["one event, a moment ago", (pending) => pending.add(key(1), event, START), 1_000, false],
    [
      "one event, five minutes ago",
      (pending) => pending.add(key(1), event, START),
      MOST_AGE_MS,
      true,
    ],
    [
      "idle polls, five minutes ago",
      (pending) => pending.add({ ...key(1), source: "" }, { polls: 1 }, START),
      MOST_AGE_MS,
      true,
    ],
    ["five hundred events", (pending) => pending.add(key(1), { events: 500 }, START), 0, true],
    [
      "a thousand sources",
      (pending) =>
        Array.from({ length: 1_000 }, (_, n) => pending.add(key(n), { polls: 1 }, START)),
      0,
      true,
    ],
  ])("of %s is due when it is old or much", (_, counted, after, isDue) => {
    const pending = new Pending();
    counted(pending);
    expect(pending.isDue(START + after)).toBe(isDue);
  });

  it("is watched until it is quiet, by one who stands for all who count within five seconds", () => {
    const pending = new Pending();
    pending.add(key(1), event, START);
    expect(pending.takeWatch(START)).toBe(true);
    pending.add(key(1), event, START + 4_000);
    expect(pending.takeWatch(START + 4_000)).toBe(false);
    expect(pending.isQuiet(START + WATCH_EVERY_MS)).toBe(true);
    pending.add(key(1), event, START + 6_000);
    expect(pending.takeWatch(START + 6_000)).toBe(true);
    expect(pending.isQuiet(START + WATCH_EVERY_MS)).toBe(false);
    expect(pending.isQuiet(START + 6_000 + WATCH_EVERY_MS)).toBe(true);
    pending.take();
    expect(pending.isQuiet(START + MOST_AGE_MS)).toBe(false);
  });

  it("is not watched for idle polls alone", () => {
    const pending = new Pending();
    pending.add({ ...key(1), source: "" }, { polls: 1, objectRequests: 1 }, START);
    expect(pending.takeWatch(START)).toBe(false);
  });

  it("has a bound: what is too much to be told apart is counted for the organization", () => {
    const pending = new Pending();
    for (let n = 0; n < 20_000; n += 1) pending.add(key(n), event, START);
    const entries = pending.take().flat();
    expect(entries.length).toBeLessThanOrEqual(5_001);
    expect(entries.reduce((sum, entry) => sum + Number(entry[5]), 0)).toBe(20_000);
  });
});

describe("over all isolates, in virtual time", () => {
  it.each([
    { isolates: 1, perSecond: 0.01, minutes: 60, most: 1 },
    { isolates: 1, perSecond: 10, minutes: 60, most: 0.005 },
    { isolates: 20, perSecond: 10, minutes: 60, most: 0.008 },
    { isolates: 20, perSecond: 100, minutes: 15, most: 0.005 },
    { isolates: 200, perSecond: 100, minutes: 15, most: 0.009 },
  ])("%o: few rows are written, nothing waits long, nothing is forgotten", ({ most, ...load }) => {
    const ran = simulate({ ...load, sources: 40, start: START });
    expect(ran.rows.length / ran.deliveries).toBeLessThanOrEqual(most);
    // An isolate that ends of a sudden loses what waits in it, and no more.
    expect(ran.longestWaitMs).toBeLessThanOrEqual(MOST_AGE_MS + QUIET_MS);
    expect(ran.counted).toBe(ran.deliveries);
    expect(ran.unwritten).toBe(0);
  });
});
