import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Concur, startConcur } from "../../vendors/concur.ts";
import { KILL_WAIT_MS } from "../../patience.ts";
import { connectConcur, eventsOf, poll, type Polled, receive, timesTold } from "../polled.ts";
import { type Stack, startStack } from "../stack.ts";

const CHANGES = 500;

let stack: Stack;
let concur: Concur;
let polled: Polled;

beforeAll(async () => {
  stack = await startStack();
  concur = await startConcur();
  polled = await connectConcur(stack, concur, { "pagination.max": 50 });
});
afterAll(async () => {
  await stack?.stop();
  await polled?.receiver.close();
  await concur?.close();
});

const listRequests = () => concur.requests.filter(({ path }) => path.startsWith("/api")).length;

/** Waits until the history says that every notification was delivered, after leases (45 s) ran out. */
async function settled(id: number): Promise<void> {
  const giveUpAt = Date.now() + KILL_WAIT_MS;
  for (;;) {
    const { body } = await stack.call("GET", `/elements/api-v2/instances/${id}/events`);
    if (body.every(({ status }: { status: string }) => status === "NOTIFIED")) return;
    if (Date.now() > giveUpAt) throw new Error(`Not all delivered in ${KILL_WAIT_MS} ms`);
    await sleep(500);
  }
}

it("promise 1, an accepted event survives a crash of everything at any moment: loses and repeats nothing when everything is killed in the middle of a poll of 500 changes", async () => {
  const { id, receiver } = polled;
  const now = Date.now();
  const ids = Array.from(
    { length: CHANGES },
    () => concur.addReport({ created: now, modified: now }).id,
  );
  receiver.respond = () => ({ status: 200, delayMs: 1_000 });
  concur.delayNext({ delayMs: 300, times: 10, path: "/api" });

  const interrupted = stack
    .call("POST", `/v1/instances/${id}/poll`)
    .then(({ status }) => status)
    .catch(() => "no answer");
  // The first bundle is settled, the second under way, others wait in the queue, pages are to come.
  await receiver.waitFor(8);
  await stack.kill9();
  expect(await interrupted).toBe("no answer");
  expect(listRequests()).toBeGreaterThan(2);
  expect(listRequests()).toBeLessThan(10);
  receiver.respond = () => ({ status: 200, delayMs: 100 });

  await stack.restart();
  const again = await poll(stack, id);
  expect(again).toMatchObject({ fetched: CHANGES, updated: 0 });
  expect(Number(again.created)).toBeGreaterThan(0);
  expect(Number(again.created)).toBeLessThan(CHANGES - 50);
  await settled(id);

  const told = await receive(receiver, CHANGES);
  expect(timesTold(told)).toEqual(Object.fromEntries(ids.map((objectId) => [objectId, 1])));
  const tries = Map.groupBy(receiver.deliveries, ({ webhookId }) => webhookId);
  expect(tries.size).toBeLessThan(receiver.deliveries.length);
  for (const same of tries.values()) expect(new Set(same.map(({ text }) => text)).size).toBe(1);

  expect(await poll(stack, id)).toMatchObject({ created: 0, updated: 0 });
  const { body } = await stack.call("GET", `/elements/api-v2/instances/${id}/events`);
  expect(body).toHaveLength(tries.size);
  expect(eventsOf(receiver.deliveries)).toHaveLength(CHANGES);
});
