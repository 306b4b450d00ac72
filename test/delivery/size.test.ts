import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { env } from "cloudflare:workers";
import { endpointName } from "../../src/delivery/endpoint-name";
import { commit, event, events, freshStream, target } from "../stream/build";
import { destination, receiver } from "./build";
import { VirtualTime } from "./virtual";

/** Promises at size, under a clock of their own. */

const WAITING = inject("isLong") ? 1_000 : 240;
const IN_ORDER = inject("isLong") ? 100 : 40;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const ok = (): Response => new Response("ok");

/** The most instants that lie in any one second. */
function mostInASecond(instants: readonly number[]): number {
  let most = 0;
  instants.forEach((at, index) => {
    let last = index;
    while ((instants[last + 1] ?? Infinity) < at + 1_000) last += 1;
    most = Math.max(most, last - index + 1);
  });
  return most;
}

describe("a destination at ten a second with many waiting", () => {
  it("is never called more than ten times in any second, and has got them all after a tenth of their number", async () => {
    const { id, url } = await destination({ policy: { ratePerSecond: 10 } });
    const received = receiver(ok, (one) => one.url === url);
    const streams = Array.from({ length: 2 }, () => freshStream());
    const time = await VirtualTime.over(streams, 3);
    const began = time.now;
    for (const [index, stream] of streams.entries())
      await stream.commit(
        commit({
          targets: [target({ destinationId: id, most: 1 })],
          events: events(WAITING / 2, `w${index}-`),
        }),
      );
    await time.until(() => received.length >= WAITING, WAITING * 100 + 20_000);
    expect(new Set(received.map(({ headers }) => headers.get("webhook-id"))).size).toBe(WAITING);
    expect(mostInASecond(received.map(({ at }) => at))).toBeLessThanOrEqual(10);
    // The last of an even pace, and what alarms are late here.
    expect((received.at(-1)?.at ?? 0) - began).toBeLessThanOrEqual(WAITING * 100 + 3_000);
  });

  it("gets them in order when that is asked for, at the same pace", async () => {
    const { id, url } = await destination({ policy: { ratePerSecond: 10 } });
    const received = receiver(ok, (one) => one.url === url);
    const stream = freshStream();
    const time = await VirtualTime.over([stream], 15);
    const began = time.now;
    const all = events(IN_ORDER, "o");
    await stream.commit(
      commit({
        targets: [target({ destinationId: id, most: 1, ordering: "source" })],
        events: all,
      }),
    );
    await time.until(() => received.length >= IN_ORDER, IN_ORDER * 150);
    expect(received.map(({ body }) => body)).toEqual(all.map(({ data }) => data));
    expect(mostInASecond(received.map(({ at }) => at))).toBeLessThanOrEqual(10);
    expect((received.at(-1)?.at ?? 0) - began).toBeLessThanOrEqual(IN_ORDER * 100 + 1_000);
  });
});

describe("a hundred destinations, of which one answers a hundred megabytes and one fails for three days", () => {
  it("delays none of the other ninety-eight, reads no more of an answer than it keeps, and ends the two as their policies say", async () => {
    const first = await destination();
    const rest = await Promise.all(Array.from({ length: 99 }, () => destination()));
    const all = [first, ...rest];
    const urls = all.map(({ url }) => url);
    const [fails, floods] = urls;
    let warm = true;
    let floodBytes = 0;
    const received = receiver(
      ({ url }) => {
        if (!warm && url === fails) return new Response("no", { status: 500 });
        if (url !== floods) return ok();
        return new Response(
          new ReadableStream({
            pull(controller) {
              floodBytes += 65_536;
              if (floodBytes > 100 * 2 ** 20) controller.close();
              else controller.enqueue(new Uint8Array(65_536));
            },
          }),
        );
      },
      ({ url }) => urls.includes(url),
    );
    const stream = freshStream("scope:hundred/Kind/x");
    const time = await VirtualTime.over([stream], 80);
    const targets = all.map(({ id }) => target({ destinationId: id, most: 1 }));
    const to = all.map((_, index) => index);
    await stream.commit(commit({ targets, events: [event("warm", { to })] }));
    await time.until(() => received.length === 100, 20_000);
    warm = false;
    const delays: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const [from, at] = [received.length, time.now];
      const others = () =>
        received.slice(from).filter(({ url }) => url !== fails && url !== floods);
      await stream.commit(commit({ targets, events: [event(`round-${round}`, { to })] }));
      await time.until(() => others().length === 98, 20_000);
      delays.push(...others().map((one) => one.at - at));
    }
    expect(Math.max(...delays)).toBe(0);
    // Four answers, each dropped after what is kept of it and what a stream reads ahead.
    expect(floodBytes).toBeLessThanOrEqual(4 * 3 * 65_536);
    time.alarmed.push(env.ENDPOINTS.getByName(endpointName(1, fails ?? "")));
    time.alarmMs = 3_600_000;
    const statesOf = async () => {
      const views = await stream.notifications({ before: null, limit: 500, withEvents: false });
      return views
        .filter(({ notification }) => notification.destinationId === first.id)
        .map(({ notification: { state } }) => (state.kind === "dead" ? state.reason : state.kind));
    };
    const failing = time.now;
    await time.until(
      async () => (await statesOf()).filter((end) => end === "exhausted").length === 3,
      4 * 86_400_000,
    );
    expect((time.now - failing) / 86_400_000).toBeGreaterThan(3);
    expect(await statesOf()).toEqual(["exhausted", "exhausted", "exhausted", "delivered"]);
    const told = time.notices.filter(({ notice }) => notice.type === "delivery.dead");
    expect(new Set(told.map(({ destinationId }) => destinationId))).toEqual(new Set([first.id]));
    // The four tries of one that were due in the first minutes, and probes: no herd over three days.
    expect(received.filter(({ url }) => url === fails).length).toBeLessThan(60);
  });
});
