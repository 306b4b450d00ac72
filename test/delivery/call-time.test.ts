import { afterEach, expect, it, vi } from "vitest";
import {
  endOfCalls,
  LEAST_LEASE_MS,
  LONGEST_CALL_MS,
  patienceMs,
  SETTLE_MS,
} from "../../src/delivery/call-time";
import { DELIVERY_LEASE_MS } from "../../src/stream/outbox/leases";
import { commit, events, freshStream, target } from "../stream/build";
import { destination, receiver } from "./build";
import { VirtualTime } from "./virtual";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The platform ends an invocation so long after it returned. */
const ENDED_AFTER_MS = 30_000;
/** The starts of calls under a rate lie so far ahead at most. */
const AHEAD_MS = 2_000;

it.each([
  [1_000, 1_000],
  [15_000, 1_000],
  [22_000, 1_000],
  [22_001, 1_001],
  [LONGEST_CALL_MS, 9_000],
])("keeps a queue waiting for a call of %i ms no longer than %i", (ms, patience) => {
  expect(patienceMs(ms)).toBe(patience);
  const end = endOfCalls(0, patience);
  // It may wait for its turn, ends before the invocation does, and is settled under its lease.
  expect(AHEAD_MS + ms + SETTLE_MS).toBeLessThan(end);
  expect(end).toBeLessThan(patience + ENDED_AFTER_MS);
  expect(end).toBeLessThanOrEqual(LEAST_LEASE_MS);
  expect(LEAST_LEASE_MS).toBeLessThan(DELIVERY_LEASE_MS);
});

it("sends nothing again while a call of half a minute runs, and keeps others waiting for no such call", async () => {
  const own = { kind: "endpoint" as const };
  const long = await destination({ ...own, policy: { timeoutMs: LONGEST_CALL_MS } });
  const well = await destination(own);
  const stream = freshStream();
  const time = await VirtualTime.over([stream], 3);
  time.alarmMs = 5_000;
  let isSlow = false;
  const received = receiver(async ({ url }) => {
    if (isSlow && url === long.url) await scheduler.wait(LONGEST_CALL_MS - 1_000);
    return new Response();
  });
  const to = (url: string | null) => received.filter((one) => one.url === url);
  const tell = (id: string, count: number, prefix: string) =>
    stream.commit(
      commit({
        targets: [target({ destinationId: id, most: 1 })],
        events: events(count, prefix),
      }),
    );
  await tell(well.id, 1, "well-first");
  await tell(long.id, 1, "long-first");
  await time.until(() => received.length === 2, 60_000);
  isSlow = true;
  const begunAt = time.now;
  await tell(long.id, 6, "long-");
  for (let round = 0; round < 3; round += 1) {
    await tell(well.id, 4, `well-${round}-`);
    await time.until(() => to(well.url).length === 1 + 4 * (round + 1), 1_500);
  }
  expect(time.now - begunAt).toBeLessThan(LONGEST_CALL_MS / 2);
  await time.until(async () => {
    const views = await stream.notifications({ before: null, limit: 50, withEvents: false });
    return views.every(({ notification }) => notification.state.kind === "delivered");
  }, 300_000);
  expect(to(long.url)).toHaveLength(7);
  const ids = received.map(({ headers }) => headers.get("webhook-id"));
  expect(new Set(ids).size).toBe(ids.length);
});
