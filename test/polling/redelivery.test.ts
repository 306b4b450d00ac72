import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import {
  callV1,
  CALLBACK,
  create,
  createOrganizations,
  record,
  type Sent,
  stubOutside,
} from "../elements/build";
import { expireLeases } from "../stream/build";
import { consume, keepDeliveries, streamOf } from "./build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

/** A polled instance with one notification on its way: its queue messages, and the callbacks that leave. */
async function oneOnItsWay() {
  // Its own address: what others left on queues is not counted.
  const address = `${CALLBACK}/${crypto.randomUUID()}`;
  const instance = await create({ "event.notification.callback.url": address });
  const now = Date.now() + 5;
  const sent = stubOutside(({ url }) =>
    url.href === address ? new Response() : Response.json({ data: [record("a", now)] }),
  );
  const messages = await keepDeliveries(streamOf(instance));
  expect((await callV1("POST", `/instances/${instance.id}/poll`)).status).toBe(200);
  await expect.poll(() => messages).toHaveLength(1);
  const callbacks = (): Sent[] => sent.filter(({ url }) => url.href === address);
  return { stream: streamOf(instance), messages, callbacks };
}

const ids = (callbacks: Sent[]) => callbacks.map(({ headers }) => headers.get("webhook-id"));

it("a queue message that is delivered twice is one POST", async () => {
  const { stream, messages, callbacks } = await oneOnItsWay();
  await consume("tributary-deliveries", [messages[0], messages[0]]);
  await consume("tributary-deliveries", messages);
  expect(callbacks()).toHaveLength(1);
  const view = await stream.notification(1);
  expect(view?.notification.state.kind).toBe("delivered");
  expect(view?.notification.attempts).toHaveLength(1);
});

it("a message that comes after its lease ran out is dropped: the stream sends another", async () => {
  const { stream, messages, callbacks } = await oneOnItsWay();
  const [message] = messages;
  await consume("tributary-deliveries", [{ ...message, leaseUntil: Date.now() + 1_000 }]);
  expect(callbacks()).toEqual([]);
  expect((await stream.notification(1))?.notification.state.kind).toBe("pending");
});

it("promise 3, the same notification tried twice carries the same id: a consumer that dies after the POST leaves one notification, which is sent again under the same id", async () => {
  const { stream, messages, callbacks } = await oneOnItsWay();
  const dead: any = {
    getByName: () => ({ settle: () => Promise.reject(new Error("The consumer is dead")) }),
  };
  await consume("tributary-deliveries", messages, { EVENT_STREAMS: dead });
  expect(callbacks()).toHaveLength(1);
  expect((await stream.notification(1))?.notification.state.kind).toBe("pending");

  await expireLeases(stream);
  expect(await runDurableObjectAlarm(stream)).toBe(true);
  expect(messages).toHaveLength(2);
  await consume("tributary-deliveries", messages.slice(1));
  expect(new Set(ids(callbacks())).size).toBe(1);
  expect(callbacks().map(({ text }) => text)).toEqual(Array(2).fill(callbacks()[0]?.text));
  expect((await stream.notification(1))?.notification.state.kind).toBe("delivered");
  expect(await stream.notifications({ before: null, limit: 10, withEvents: false })).toHaveLength(
    1,
  );
});

it("an alarm that fires early sends nothing a second time", async () => {
  const { stream, messages, callbacks } = await oneOnItsWay();
  await runDurableObjectAlarm(stream);
  expect(messages).toHaveLength(1);
  await consume("tributary-deliveries", messages);
  await runDurableObjectAlarm(stream);
  expect(messages).toHaveLength(1);
  expect(callbacks()).toHaveLength(1);
});

it("one message that cannot be read does not fail the others of its batch", async () => {
  const { messages, callbacks } = await oneOnItsWay();
  await consume("tributary-deliveries", ["nonsense", { stream: 1 }, ...messages]);
  expect(callbacks()).toHaveLength(1);
});
