import { createMessageBatch, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { consumeDeliveries } from "../../src/delivery/deliveries.consumer";
import type { EventStream } from "../../src/stream/stream.object";
import { commit, event, events, freshStream, target } from "../stream/build";
import { keepingQueue } from "../polling/build";
import { destination, eventually, isolate, receiver } from "./build";

afterEach(() => vi.unstubAllGlobals());

type Lane = "fast" | "slow";

/** Two lanes whose batches are brought one by one, and the works that go on after a batch is done with. */
function lanes() {
  const kept = { fast: keepingQueue(), slow: keepingQueue() };
  const doors = isolate();
  const works: Promise<void>[] = [];
  let underWay = 0;
  const bring = async (lane: Lane): Promise<void> => {
    const messages = kept[lane].bodies.splice(0, 10).map((body) => ({
      id: crypto.randomUUID(),
      timestamp: new Date(),
      attempts: 1,
      body,
    }));
    const queue = `tributary-deliveries${lane === "slow" ? "-slow" : ""}`;
    await consumeDeliveries(createMessageBatch(queue, messages), doors, (work) => {
      underWay += 1;
      works.push(work.finally(() => (underWay -= 1)));
    });
  };
  const attach = (stream: DurableObjectStub<EventStream>): Promise<unknown> =>
    runInDurableObject(stream, (object) =>
      Reflect.set(object, "env", {
        ...env,
        DELIVERIES: kept.fast.queue,
        DELIVERIES_SLOW: kept.slow.queue,
      }),
    );
  return {
    bring,
    attach,
    doors,
    isUnderWay: () => underWay > 0,
    waiting: (lane: Lane): number => kept[lane].bodies.length,
    over: () => Promise.all(works),
    /** Until everything of these streams is delivered: a test leaves nothing to its neighbours. */
    emptied: (streams: readonly DurableObjectStub<EventStream>[]): Promise<boolean> =>
      eventually(async () => {
        for (const stream of streams) await runDurableObjectAlarm(stream);
        for (const lane of ["fast", "slow"] as const)
          if (kept[lane].bodies.length > 0) await bring(lane);
        const views = await Promise.all(
          streams.map((stream) =>
            stream.notifications({ before: null, limit: 50, withEvents: false }),
          ),
        );
        return views.flat().every(({ notification }) => notification.state.kind === "delivered");
      }),
  };
}

describe("a destination that begins to hang", () => {
  it("holds up neither the queue nor who waits behind it in the batch, and goes the slow lane before its first timeout", async () => {
    const [hanging, well] = [await destination(), await destination()];
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let hangs = false;
    const received = receiver(async ({ url }) => {
      if (hangs && url === hanging.url) await released;
      return new Response();
    });
    const calls = (): number => received.filter(({ url }) => url === hanging.url).length;
    const stream = freshStream();
    const { bring, attach, isUnderWay, waiting, over, emptied } = lanes();
    await attach(stream);
    const to = (id: string) => [target({ destinationId: id, most: 1 })];
    const stateOf = async (seq: number): Promise<string | undefined> =>
      (await stream.notification(seq))?.notification.state.kind;
    for (const { id } of [hanging, well])
      await stream.commit(commit({ targets: to(id), events: [event(`warm-${id}`)] }));
    await bring("slow");
    await over();
    hangs = true;
    // Twelve calls that would take all six connections, and one that waits for its turn behind them.
    const both = [...to(hanging.id), ...to(well.id)];
    await stream.commit(
      commit({ targets: both, events: [...events(12), event("well", { to: [1] })] }),
    );
    await stream.commit(commit({ targets: to(hanging.id), events: [event("next")] }));
    expect([waiting("fast"), waiting("slow")]).toEqual([3, 0]);
    await bring("fast");
    expect(isUnderWay()).toBe(true);
    expect(calls()).toBe(1 + 6);
    await eventually(async () => {
      await runDurableObjectAlarm(stream);
      return waiting("slow") > 0 && waiting("fast") === 0;
    });
    await bring("slow");
    expect(await stateOf(15)).toBe("delivered");
    expect(await stateOf(3)).toBe("pending");
    await stream.commit(commit({ targets: to(hanging.id), events: [event("later")] }));
    await stream.commit(commit({ targets: to(well.id), events: [event("also-well")] }));
    expect([waiting("slow"), waiting("fast")]).toEqual([1, 1]);
    release();
    await over();
    await emptied([stream]);
  });

  it("is not called from the fast lane again while it hangs, whichever stream asks", async () => {
    const hanging = await destination();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let hangs = false;
    const received = receiver(async () => {
      if (hangs) await released;
      return new Response();
    });
    const streams = [freshStream(), freshStream()];
    const { bring, attach, doors, waiting, over, emptied } = lanes();
    const targets = [target({ destinationId: hanging.id, most: 1 })];
    for (const stream of streams) {
      await attach(stream);
      await stream.commit(commit({ targets, events: [event("warm")] }));
    }
    await bring("slow");
    await over();
    hangs = true;
    for (const stream of streams) {
      await stream.commit(commit({ targets, events: [event("hangs")] }));
      expect(waiting("fast")).toBe(1);
      await bring("fast");
      await eventually(async () => doors.isolate.laggards.has(hanging.id, Date.now()));
    }
    expect(received.filter(({ url }) => url === hanging.url)).toHaveLength(3);
    release();
    await over();
    await eventually(async () => {
      await runDurableObjectAlarm(streams[1] ?? freshStream());
      return waiting("slow") === 1 && true;
    });
    await bring("slow");
    await over();
    expect(received.filter(({ url }) => url === hanging.url)).toHaveLength(4);
    await emptied(streams);
  });
});
