import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { endpointName } from "../../src/delivery/endpoint-name";
import type { EventStream } from "../../src/stream/stream.object";
import { commit, event, events, freshStream, target } from "../stream/build";
import { destination, eventually, mine, receiver } from "./build";

/** The promises of the design that deliveries keep, each under its own words. */

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

type Stream = DurableObjectStub<EventStream>;
const ok = (): Response => new Response("ok");
const often = { retrySchedule: Array.from({ length: 40 }, () => 0) };

async function settledAll(stream: Stream, count: number): Promise<void> {
  await eventually(async () => {
    await runDurableObjectAlarm(stream);
    const views = await stream.notifications({ before: null, limit: count + 1, withEvents: false });
    return (
      views.every(
        ({ notification: { state } }) => state.kind === "delivered" || state.kind === "dead",
      ) && true
    );
  });
}

describe("promise 6, ordering when asked for", () => {
  it("brings an object's versions in order, whatever fails in between, and lets other objects pass", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 30, maxLength: 60 }),
        async (failures) => {
          const outcomes = failures.values();
          const arrived: { object: string; version: number }[] = [];
          const { id, url } = await destination({ policy: often });
          receiver(({ url: to, body }) => {
            if (to !== url) return ok();
            if (outcomes.next().value === true) return new Response("no", { status: 400 });
            arrived.push(JSON.parse(body));
            return ok();
          });
          const stream = freshStream();
          const versions = Array.from({ length: 15 }, (_, index) => ({
            object: `o${index % 3}`,
            version: index,
          }));
          await stream.commit(
            commit({
              targets: [target({ destinationId: id, most: 1, ordering: "object" })],
              events: versions.map((one) =>
                event(`${one.object}.${one.version}`, {
                  objectId: one.object,
                  data: JSON.stringify(one),
                }),
              ),
            }),
          );
          await settledAll(stream, 15);
          for (const object of ["o0", "o1", "o2"]) {
            const seen = arrived
              .filter((one) => one.object === object)
              .map(({ version }) => version);
            expect(seen).toEqual(seen.toSorted((a, b) => a - b));
            expect(new Set(seen).size).toBe(5);
          }
        },
      ),
      { numRuns: 3 },
    );
  });

  it("keeps the order of a whole source", async () => {
    const { id, url } = await destination({ policy: often });
    const arrived: string[] = [];
    let calls = 0;
    receiver(({ url: to, body }) => {
      if (to !== url) return ok();
      calls += 1;
      if (calls % 3 === 0) return new Response("no", { status: 400 });
      arrived.push(body);
      return ok();
    });
    const stream = freshStream();
    const all = events(8, "s");
    await stream.commit(
      commit({
        targets: [target({ destinationId: id, most: 1, ordering: "source" })],
        events: all,
      }),
    );
    await settledAll(stream, 8);
    expect(arrived).toEqual(all.map(({ data }) => data));
  });
});

describe("a destination at ten a second with a hundred waiting", () => {
  it("is never called more than ten times in any second, and in the order asked for", async () => {
    const { id, url } = await destination({ policy: { ratePerSecond: 10 } });
    const received = receiver(ok);
    const stream = freshStream();
    const all = events(25, "r");
    await stream.commit(commit({ targets: [target({ destinationId: id, most: 1 })], events: all }));
    await settledAll(stream, 25);
    const starts = received.filter((one) => one.url === url).map(({ at }) => at);
    expect(starts).toHaveLength(25);
    // `size.test.ts` looks at every second, under a clock that no busy machine holds up: here, that it takes its time.
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(2_000);
  });
});

describe("promise 4, every notification ends as delivered or dead, or is held: a destination down for hours, then up", () => {
  it("costs nothing while it waits, and gets everything when it is well, oldest first", async () => {
    let down = true;
    const { id, url } = await destination({
      policy: { retrySchedule: Array.from({ length: 30 }, () => 3600) },
    });
    const received = receiver(
      ({ url: to }) => (down && to === url ? new Response("no", { status: 500 }) : ok()),
      mine,
    );
    const stream = freshStream();
    const targets = [target({ destinationId: id, most: 1 })];
    await stream.commit(commit({ targets, events: events(10, "early") }));
    const endpoint = env.ENDPOINTS.getByName(endpointName(1, url ?? ""));
    await eventually(async () => (await endpoint.view()).state === "open" && true);
    await stream.commit(commit({ targets, events: [event("first-parked")] }));
    await eventually(
      async () => (await stream.notification(11))?.notification.state.kind === "parked" && true,
    );
    const before = await stream.meter();
    const calls = received.length;
    await stream.commit(commit({ targets, events: events(50, "later") }));
    const after = await stream.meter();
    expect(after.messages).toBe(before.messages);
    expect(received.length).toBe(calls);
    down = false;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 120_000 });
    await runDurableObjectAlarm(endpoint);
    await eventually(async () => (await endpoint.view()).state === "closed" && true);
    await runDurableObjectAlarm(endpoint);
    await eventually(
      async () => (await stream.notification(61))?.notification.state.kind === "delivered" && true,
    );
    vi.setSystemTime(Date.now() + 3_600_000 * 2);
    await runDurableObjectAlarm(stream);
    await settledAll(stream, 61);
  });
});

describe("promise 5, one slow, failing or hostile destination delays nobody else", () => {
  it("serves ninety-six of a hundred while four hang, drip, flood and fail", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => destination()));
    const [hangs, drips, floods, fails, ...well] = all;
    // Time stands still: nobody seems slow on a busy machine, and whoever waited for a call that hangs would never be served.
    vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"] });
    const over = Promise.withResolvers<void>();
    onTestFinished(() => over.resolve());
    let hostile: "no" | "failing" | "all" = "no";
    receiver(({ url }) => {
      const bad = [hangs, drips, floods, fails].some((one) => one?.url === url);
      if (!bad || hostile === "no") return ok();
      if (hostile === "failing" || url === fails?.url) return new Response("no", { status: 500 });
      if (url === hangs?.url) return over.promise.then(ok);
      return url === drips?.url ? drip(over.promise) : flood();
    });
    const stream = freshStream("scope:-");
    const to = Array.from({ length: 100 }, (_, index) => index);
    const targets = all.map(({ id }) => target({ destinationId: id, most: 1 }));
    await stream.commit(commit({ targets, events: [event("warm", { to })] }));
    await settledAll(stream, 100);
    // None of the four is taken for healthy any more.
    hostile = "failing";
    const trouble = [0, 1, 2, 3];
    await stream.commit(
      commit({ targets: targets.slice(0, 4), events: [event("first", { to: trouble })] }),
    );
    await eventually(async () => {
      const views = await stream.notifications({ before: null, limit: 4, withEvents: false });
      return views.every(({ notification }) => notification.attempts.length > 0) && true;
    });
    hostile = "all";
    await stream.commit(commit({ targets, events: [event("second", { to })] }));
    const served = await eventually(async () => {
      const views = await stream.notifications({ before: null, limit: 100, withEvents: false });
      const kinds = new Map(
        views.map(({ notification }) => [notification.destinationId, notification.state.kind]),
      );
      return well.every(({ id }) => kinds.get(id) === "delivered") && kinds;
    });
    expect(served.get(hangs?.id ?? "")).toBe("pending");
  });
});

/** An answer that comes to no end before `over`. */
function drip(over: Promise<void>): Response {
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await over;
        controller.close();
      },
    }),
  );
}

function flood(): Response {
  return new Response(
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    }),
  );
}
