import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it, vi } from "vitest";
import worker from "../../src/index";
import { create, createOrganizations, record } from "../elements/build";
import { emitted, QUIET, vendor } from "./build";

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
