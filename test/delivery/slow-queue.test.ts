import { afterEach, describe, expect, it, vi } from "vitest";
import { commit, events, freshStream, target } from "../stream/build";
import { destination, receiver } from "./build";
import { VirtualTime } from "./virtual";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const NOTIFICATIONS = 120;
const BUNDLES = 12;

describe("a queue that hands its messages over late", () => {
  it.each([
    // Late under its lease; after its lease, which the next one outlasts; and after that one too.
    [28_000, 1],
    [40_000, 1],
    [60_000, 2],
    [150_000, 3],
  ])("by %i ms: all is delivered once, with %i messages a bundle", async (queueMs, messages) => {
    const { id, url } = await destination();
    const received = receiver(
      () => new Response("ok"),
      (one) => one.url === url,
    );
    const stream = freshStream();
    const time = await VirtualTime.over([stream], 3);
    time.queueMs = queueMs;
    await stream.commit(
      commit({
        targets: [target({ destinationId: id, most: 1 })],
        events: events(NOTIFICATIONS, "late-"),
      }),
    );
    await time.until(() => received.length >= NOTIFICATIONS, 10 * 60_000);
    await time.until(async () => {
      const views = await stream.notifications({ before: null, limit: 100, withEvents: false });
      return views.every(({ notification }) => notification.state.kind === "delivered");
    }, 60_000);
    const ids = received.map(({ headers }) => headers.get("webhook-id"));
    expect(ids).toHaveLength(NOTIFICATIONS);
    expect(new Set(ids).size).toBe(NOTIFICATIONS);
    expect(time.sent).toBeLessThanOrEqual(messages * BUNDLES);
  });
});
