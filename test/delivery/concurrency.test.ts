import { createMessageBatch, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { EventStream } from "../../src/stream/stream.object";
import { commit, events, freshStream, target } from "../stream/build";
import { consumeWhole, destination, eventually, isolate, receiver } from "./build";

afterEach(() => vi.unstubAllGlobals());

/** Lets a stream's messages come here instead of on the queues. */
async function intercept(stream: DurableObjectStub<EventStream>, into: unknown[]) {
  const queue = {
    sendBatch: (batch: { body: unknown }[]) => {
      into.push(...batch.map(({ body }) => body));
      return Promise.resolve();
    },
  };
  await runInDurableObject(stream, (object) => {
    Reflect.set(object, "env", { ...env, DELIVERIES: queue, DELIVERIES_SLOW: queue });
  });
}

const batchOf = (body: unknown, id: number): MessageBatch =>
  createMessageBatch("tributary-deliveries", [
    { id: `m${id}`, timestamp: new Date(), attempts: 1, body },
  ]);

describe("an endpoint's concurrency", () => {
  it("stays at a hundred connections when three hundred notifications of several streams meet one hanging receiver", async () => {
    let open = 0;
    let most = 0;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { id, url: own } = await destination();
    const received = receiver(async ({ url }) => {
      // What a neighbour left behind is none of this.
      if (url !== own) return new Response();
      open += 1;
      most = Math.max(most, open);
      await released;
      open -= 1;
      return new Response("ok");
    });
    const streams = Array.from({ length: 6 }, () => freshStream());
    const messages: unknown[] = [];
    await Promise.all(streams.map((stream) => intercept(stream, messages)));
    for (const [index, stream] of streams.entries())
      await stream.commit(
        commit({
          targets: [target({ destinationId: id, most: 1 })],
          events: events(50, `c${index}-`),
        }),
      );
    expect(messages).toHaveLength(30);
    const isolates = [isolate(), isolate(), isolate()];
    let taken = 0;
    const consumed: Promise<void>[] = [];
    const consumeAll = (): void => {
      for (; taken < messages.length; taken += 1)
        consumed.push(
          consumeWhole(batchOf(messages[taken], taken), isolates[taken % 3] ?? isolate()),
        );
    };
    consumeAll();
    await eventually(async () => open > 60 && true);
    // Longer than a grant lasts, so that every isolate has asked again.
    await scheduler.wait(2_500);
    expect(most).toBeGreaterThan(90);
    expect(most).toBeLessThanOrEqual(100);
    release();
    await eventually(async () => {
      consumeAll();
      await Promise.all(streams.map((stream) => runDurableObjectAlarm(stream)));
      const views = await Promise.all(
        streams.map((stream) =>
          stream.notifications({ before: null, limit: 50, withEvents: false }),
        ),
      );
      return (
        views.flat().every(({ notification }) => notification.state.kind === "delivered") && true
      );
    });
    await Promise.all(consumed);
    expect(most).toBeLessThanOrEqual(100);
    const mine = received.filter(({ url }) => url === own);
    expect(new Set(mine.map(({ headers }) => headers.get("webhook-id"))).size).toBe(300);
  });

  it("is a destination's own, over all isolates and streams, and takes nothing from others at the same address", async () => {
    const url = `http://127.0.0.1:9/own-${crypto.randomUUID()}`;
    const kind = "endpoint" as const;
    const own = await destination({
      kind,
      url,
      policy: { concurrency: 3 },
      headers: { "x-own": "1" },
    });
    const other = await destination({ kind, url });
    let open = 0;
    let most = 0;
    const received = receiver(
      async ({ headers }) => {
        if (headers.get("x-own") === null) return new Response();
        open += 1;
        most = Math.max(most, open);
        await scheduler.wait(20);
        open -= 1;
        return new Response();
      },
      (one) => one.url === url,
    );
    const streams = [freshStream(), freshStream(), freshStream()];
    const messages: unknown[] = [];
    for (const stream of streams) {
      await intercept(stream, messages);
      await stream.commit(
        commit({
          targets: [target({ destinationId: own.id, most: 1 })],
          events: events(5, "own-"),
        }),
      );
    }
    await streams[0]!.commit(
      commit({
        targets: [target({ destinationId: other.id, most: 1 })],
        events: events(1, "other-"),
      }),
    );
    const isolates = [isolate(), isolate(), isolate()];
    let taken = 0;
    const consumed: Promise<void>[] = [];
    await eventually(async () => {
      for (; taken < messages.length; taken += 1)
        consumed.push(consumeWhole(batchOf(messages[taken], taken), isolates[taken % 3]!));
      await Promise.all(streams.map((stream) => runDurableObjectAlarm(stream)));
      return received.length >= 16;
    });
    await Promise.all(consumed);
    expect(most).toBe(3);
    expect(new Set(received.map(({ headers }) => headers.get("webhook-id"))).size).toBe(16);
    expect(received).toHaveLength(16);
  });

  it("is given back with each report, so that calls that ended crowd nobody out", async () => {
    const endpoint = env.ENDPOINTS.getByName(`1/https://app.example/${crypto.randomUUID()}`);
    const request = {
      wanted: 60,
      stream: "1/user:1",
      destinationId: "webhook-1",
      waits: true,
      ratePerSecond: 10_000,
      holder: { id: "isolate", busy: 0 },
    };
    const startsOf = async (): Promise<number> => {
      const admission = await endpoint.admit(request);
      return admission.kind === "granted" ? 0 : admission.starts.length;
    };
    for (let round = 0; round < 10; round += 1) {
      expect(await startsOf()).toBe(60);
      await endpoint.report({
        results: Array.from({ length: 59 }, () => ({ status: 200 })),
        ended: 60,
        unreported: 0,
      });
    }
    await startsOf();
    expect(await startsOf()).toBe(40);
  });
});
