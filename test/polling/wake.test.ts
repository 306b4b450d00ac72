import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import worker from "../../src/index";
import { create, createOrganizations, record } from "../elements/build";
import { emitted, QUIET, streamOf, vendor } from "./build";

beforeAll(createOrganizations);
vi.spyOn(console, "error").mockImplementation(() => undefined);

/** Consumes one message while the streams are out of reach, or not; what becomes of the message. */
async function consumed(body: object, streams: "reachable" | "out of reach") {
  const unreachable: any = {
    getByName: () => ({ open: () => Promise.reject(new Error("Out of reach")) }),
  };
  const bindings = streams === "reachable" ? env : { ...env, EVENT_STREAMS: unreachable };
  const batch = createMessageBatch("tributary-polls", [
    { id: "1", timestamp: new Date(), attempts: 1, body },
  ]);
  const context = createExecutionContext();
  await worker.queue(batch, bindings, context);
  await waitOnExecutionContext(context);
  const { explicitAcks, retryMessages } = await getQueueResult(batch, context);
  return explicitAcks.length === 1 ? "acked" : retryMessages;
}

it.each([
  ["a webhook", { wake: true }],
  ["the rest of an earlier poll", { again: true }],
])("a poll for %s is tried again when it fails on our side", async (_, reason) => {
  const instance = await create(QUIET);
  vendor({ data: [record("a", Date.now() + 5)] });
  const message = { ids: [instance.id], ...reason };
  expect(await consumed(message, "out of reach")).toEqual([{ msgId: "1" }]);
  expect(await consumed(message, "reachable")).toBe("acked");
  expect(await emitted(instance)).toEqual(["CREATED a"]);
});

it("a poll of the schedule that fails on our side is left to the next slot", async () => {
  const instance = await create(QUIET);
  vendor({ data: [] });
  expect(await consumed({ ids: [instance.id] }, "out of reach")).toBe("acked");
});

describe("the lease of a poll that found nothing", () => {
  const next = (instance: { id: number }) => streamOf(instance).open({ holder: "another isolate" });

  it.each([
    [
      "given back where webhooks wake polls: a woken one begins at once, in any isolate",
      "polling,webhook",
      {},
      "opened",
      2,
    ],
    ["given back where somebody had asked for the poll", "polling", { wake: true }, "opened", 3],
    ["kept where only the schedule asks, which spares a request", "polling", {}, "busy", 1],
  ])("is %s", async (_, modes, reason, kind, asked) => {
    const instance = await create({ ...QUIET, "event.vendor.type": modes });
    vendor({ data: [] });
    const before = (await streamOf(instance).meter()).requests;
    expect(await consumed({ ids: [instance.id], ...reason }, "reachable")).toBe("acked");
    const { requests } = await streamOf(instance).meter();
    expect(await next(instance)).toMatchObject({ kind });
    expect(requests - before).toBe(asked);
  });

  it("is given back when the vendor asked to wait, and somebody wants a poll now", async () => {
    const instance = await create({ ...QUIET, "event.vendor.type": "polling,webhook" });
    vendor(() => new Response("", { status: 429, headers: { "retry-after": "60" } }));
    for (let polls = 0; polls < 2; polls += 1)
      expect(await consumed({ ids: [instance.id] }, "reachable")).toBe("acked");
    expect(await next(instance)).toMatchObject({ kind: "opened" });
  });
});
