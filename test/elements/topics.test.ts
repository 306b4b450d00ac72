import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { eventually, type Received, receiver } from "../delivery/build";
import { ownOrganization } from "../organization";
import { platform } from "../platform";
import { call, callV1, createOrganizations, MINE, THEIRS } from "./build";

/** Topics of the connector surface: who publishes, who subscribes, and what they get (reference connector-events-api.md §8). */

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  await createOrganizations();
  on = await platform();
});
afterEach(() => vi.unstubAllGlobals());

const fresh = () => `topic-${crypto.randomUUID()}`;
const address = () => `http://127.0.0.1:9/${crypto.randomUUID()}`;
const subscribe = async (topics: string[], url = address(), authorization = MINE) =>
  call(
    "POST",
    "/notifications/subscriptions",
    { channel: "webhook", topics, config: { url } },
    authorization,
  );
const publish = (topic: string, more: object = {}, authorization = MINE) =>
  call(
    "POST",
    "/notifications",
    { topic, message: "this is a test message", ...more },
    authorization,
  );
const listed = async (topic: string, authorization = MINE) =>
  (await call("GET", `/notifications?topics[]=${topic}`, undefined, authorization)).body;
/** A delivery of the vendor about an issue. */
const hook = async ({ id }: { id: number }, key: string, number: number) => {
  const body = JSON.stringify({ action: "opened", issue: { number } });
  const { status } = await on.deliver(`/events/github/${btoa(String(id))}`, body, {
    "x-hub-signature-256": `sha256=${createHmac("sha256", key).update(body).digest("hex")}`,
    "x-github-event": "issues",
    "x-github-delivery": crypto.randomUUID(),
  });
  expect(status).toBe(200);
};
const at = (received: readonly Received[], url: string) =>
  received.filter((one) => one.url === url);

describe("a notification of a topic of one's own", () => {
  it("is created, read, found by its topic, acknowledged and deleted", async () => {
    const topic = fresh();
    const { status, body } = await publish(topic, { severity: "high", from: "churros" });
    expect([status, body]).toEqual([
      200,
      {
        id: expect.any(Number),
        from: "churros",
        topic,
        severity: "high",
        message: "this is a test message",
        createdDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        active: true,
        acknowledged: false,
      },
    ]);
    const path = `/notifications/${body.id}`;
    expect((await call("GET", path)).body).toEqual(body);
    expect(await listed(topic)).toEqual([body]);
    expect(await listed(fresh())).toEqual([]);
    const acknowledged = { ...body, active: false, acknowledged: true };
    expect((await call("PUT", `${path}/acknowledge`)).body).toEqual(acknowledged);
    expect((await call("GET", path)).body).toEqual(acknowledged);
    expect(await call("DELETE", path)).toMatchObject({ status: 200, body: undefined });
    for (const method of ["GET", "DELETE"]) expect((await call(method, path)).status).toBe(404);
    expect((await call("PUT", `${path}/acknowledge`)).status).toBe(404);
    expect(await listed(topic)).toEqual([]);
  });

  it("is nobody else's", async () => {
    const own = await ownOrganization();
    const topic = fresh();
    const { url, received } = { url: address(), received: receiver(() => new Response()) };
    const theirs = await subscribe([topic], url, own.authorization);
    const { body } = await publish(topic);
    expect(
      (await call("GET", `/notifications/${body.id}`, undefined, own.authorization)).status,
    ).toBe(404);
    expect(
      (await call("DELETE", `/notifications/${body.id}`, undefined, own.authorization)).status,
    ).toBe(404);
    expect(await listed(topic, own.authorization)).toEqual([]);
    const path = `/notifications/subscriptions/${theirs.body.id}`;
    for (const method of ["GET", "DELETE"]) expect((await call(method, path)).status).toBe(404);
    const mine = await publish(topic, {}, own.authorization);
    await eventually(async () => at(received, url).length > 0);
    expect(at(received, url)).toHaveLength(1);
    expect(
      (await call("GET", `/notifications/${mine.body.id}`, undefined, own.authorization)).status,
    ).toBe(200);
  });

  it.each<[string, unknown, string]>([
    ["nothing", {}, "topic"],
    ["no topic", { topic: null, message: "m" }, "topic"],
    ["an empty topic", { topic: "", message: "m" }, "topic"],
    ["a long topic", { topic: "t".repeat(257), message: "m" }, "topic"],
    ["no message", { topic: "t" }, "message"],
    ["an object for a message", { topic: "t", message: {} }, "message"],
    ["another severity", { topic: "t", message: "m", severity: "worst" }, "severity"],
    ["a number for a sender", { topic: "t", message: "m", from: 5 }, "from"],
    ["a list", [], "object"],
  ])("with %s is 400, naming it", async (_, body, named) => {
    const answer = await call("POST", "/notifications", body);
    expect(answer).toMatchObject({
      status: 400,
      body: { requestId: expect.any(String), message: expect.stringContaining(named) },
    });
  });
});

describe("several subscriptions on a topic", () => {
  it("get one notification each, of which the deliveries tell", async () => {
    const [topic, more] = [fresh(), fresh()];
    const received = receiver(() => new Response());
    const urls = [address(), address()];
    const subs = [
      (await subscribe([topic], urls[0])).body,
      (await subscribe([more, topic, more], urls[1])).body,
    ];
    expect(subs).toEqual([
      {
        id: expect.any(Number),
        channel: "webhook",
        topics: [topic],
        config: { url: urls[0] },
        active: true,
      },
      {
        id: expect.any(Number),
        channel: "webhook",
        topics: [more, topic],
        config: { url: urls[1] },
        active: true,
      },
    ]);
    const { body } = await publish(topic, { from: "churros" });
    await eventually(async () => urls.every((url) => at(received, url).length > 0));
    const sent = at(received, urls[0] ?? "")[0];
    expect(JSON.parse(sent?.body ?? "")).toEqual({
      eventId: expect.any(String),
      topic,
      severity: "low",
      createdDateTime: body.createdDate,
      from: "churros",
      message: "this is a test message",
    });
    expect([...(sent?.headers.keys() ?? [])]).toEqual(
      expect.arrayContaining(["webhook-signature", "elements-webhook-id"]),
    );
    const path = `/notifications/${body.id}/subscriptions`;
    const delivered = await eventually(async () => {
      const all = (await call("GET", `${path}/deliveries`)).body;
      return all.every((one: any) => one.status === "delivered") && all;
    });
    expect(delivered).toEqual(
      subs.map(({ id }) => ({
        notificationId: body.id,
        subscriptionId: id,
        status: "delivered",
        createdDate: expect.any(String),
        updatedDate: expect.any(String),
      })),
    );
    const whole = (await call("GET", `${path}/${subs[1].id}/deliveries?hydrate=true`)).body;
    expect(whole).toEqual({ ...delivered[1], notification: body, subscription: subs[1] });
    expect((await call("GET", `${path}/${subs[1].id}/deliveries`)).body).toEqual([delivered[1]]);
    expect((await call("GET", `${path}/deliveries?hydrate=true`)).body[0]).toEqual({
      ...delivered[0],
      notification: body,
      subscription: subs[0],
    });
    expect((await call("GET", `${path}/999999999/deliveries`)).status).toBe(404);
    expect(await listed(topic)).toEqual([body]);
    await publish(more);
    await eventually(async () => at(received, urls[1] ?? "").length === 2);
    expect(at(received, urls[0] ?? "")).toHaveLength(1);
  });

  it("are listed, read and deleted, and get nothing from then on", async () => {
    const [topic, url, other] = [fresh(), address(), address()];
    const received = receiver(() => new Response());
    const { body } = await subscribe([topic], url);
    await subscribe([topic], other);
    const path = `/notifications/subscriptions/${body.id}`;
    expect((await call("GET", path)).body).toEqual(body);
    expect((await call("GET", "/notifications/subscriptions")).body).toContainEqual(body);
    expect((await call("DELETE", path)).status).toBe(200);
    for (const method of ["GET", "DELETE"]) expect((await call(method, path)).status).toBe(404);
    await publish(topic);
    await eventually(async () => at(received, other).length > 0);
    expect(at(received, url)).toEqual([]);
  });

  it("are queued when they can't be reached, and released by their URL", async () => {
    const own = await ownOrganization();
    const [topic, url] = [fresh(), address()];
    const ask = (method: string, path: string, body?: unknown) =>
      call(method, path, body, own.authorization);
    await ask("PATCH", "/accounts/settings", { "notification.webhook.failure.policy": "queue" });
    let status = 503;
    const received = receiver(() => new Response("", { status }));
    const { body: sub } = await subscribe([topic], url, own.authorization);
    const { body } = await publish(topic, {}, own.authorization);
    const path = `/notifications/${body.id}/subscriptions/${sub.id}/deliveries?hydrate=true`;
    await eventually(async () => (await ask("GET", path)).body.status === "queued");
    const where = encodeURIComponent(
      `channel='webhook' and status='queued' and config.url='${url}'`,
    );
    const queue = `/notifications/subscriptions/deliveries?where=${where}`;
    const [queued] = await eventually(async () => {
      const all = (await ask("GET", `${queue}&hydrate=true`)).body;
      return all.length > 0 && all;
    });
    expect(queued).toMatchObject({
      notificationId: body.id,
      subscription: { id: sub.id },
      notification: { topic },
    });
    status = 200;
    expect((await ask("PUT", queue)).body).toMatchObject([{ subscriptionId: sub.id }]);
    await eventually(async () => (await ask("GET", path)).body.status === "delivered");
    expect(at(received, url).length).toBeGreaterThan(1);
    expect((await ask("GET", `/notifications/subscriptions/${sub.id}`)).body.active).toBe(true);
  });

  it.each<[string, object, string]>([
    ["another channel", { channel: "email" }, "channel"],
    ["no topics", { topics: [] }, "topics"],
    ["too many topics", { topics: Array.from({ length: 21 }, fresh) }, "topics"],
    ["an empty topic", { topics: [""] }, "topics"],
    ["no URL", { config: { url: null } }, "config.url"],
    ["a private address", { config: { url: "http://10.0.0.1/" } }, "config.url"],
    ["what is no URL", { config: { url: "x" } }, "config.url"],
  ])("with %s are 400", async (_, change, named) => {
    const body = { channel: "webhook", topics: [fresh()], config: { url: address() }, ...change };
    const answer = await call("POST", "/notifications/subscriptions", body);
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining(named)]);
  });
});

describe("further subscriptions on an instance's topic", () => {
  it("get its events beside its callback, and are released from it when they are deleted", async () => {
    const received = receiver(() => new Response());
    const [callback, second] = [address(), address()];
    const instance = await on.instance("github", {
      "event.vendor.signature.key": "key-of-topics",
      "event.notification.callback.url": callback,
    });
    const topic = `instance-${instance.id}-github-events`;
    const { body: sub } = await subscribe([topic, fresh()], second);
    expect(sub.id).not.toBe(instance.id);
    await hook(instance, "key-of-topics", 1);
    await eventually(
      async () => at(received, second).length > 0 && at(received, callback).length > 0,
    );
    const [toCallback, toSecond] = [callback, second].map((url) =>
      JSON.parse(at(received, url)[0]?.body ?? "{}"),
    );
    expect(toSecond.message.events).toEqual(toCallback.message.events);
    expect(toSecond.topic).toBe(topic);
    const [notification, ...others] = await listed(topic);
    expect(others).toEqual([]);
    const path = `/notifications/${notification.id}/subscriptions`;
    const deliveries = (await call("GET", `${path}/deliveries`)).body;
    expect(deliveries.map((one: any) => one.subscriptionId)).toEqual([instance.id, sub.id]);
    expect(deliveries.every((one: any) => one.notificationId === notification.id)).toBe(true);
    const { body } = await call("GET", `${path}/${sub.id}/deliveries?hydrate=true`);
    expect(body).toMatchObject({
      notification: { topic },
      subscription: { config: { url: second } },
    });
    await call("DELETE", `/notifications/subscriptions/${sub.id}`);
    await hook(instance, "key-of-topics", 2);
    await eventually(async () => at(received, callback).length === 2);
    expect(at(received, second)).toHaveLength(1);
    const { configuration } = (await call("GET", `/instances/${instance.id}`)).body;
    expect(configuration["event.notification.subscription.id"] ?? null).toBeNull();
    expect((await call("DELETE", `/notifications/${notification.id}`)).status).toBe(200);
    expect((await call("GET", `/notifications/${notification.id}`)).status).toBe(404);
    expect((await listed(topic)).map((one: any) => one.id)).not.toContain(notification.id);
  });

  it("are refused for another organization's instance, and can't be named by a number in its configuration", async () => {
    const instance = await on.instance("github", {});
    const topic = `instance-${instance.id}-github-events`;
    expect((await subscribe([topic, fresh()], address(), THEIRS)).status).toBe(403);
    const received = receiver(() => new Response());
    const url = address();
    const { body: theirs } = await subscribe([fresh()], url, THEIRS);
    const key = "key-of-topics";
    await call("PATCH", `/instances/${instance.id}`, {
      configuration: {
        "event.vendor.signature.key": key,
        "event.notification.subscription.id": `${theirs.id}, nonsense`,
        "event.notification.callback.url": address(),
      },
    });
    await hook(instance, key, 1);
    await eventually(async () => received.length > 0);
    const deliveries = async () =>
      (await callV1("GET", `/deliveries?source=instance:${instance.id}`)).body.items;
    await eventually(async () =>
      (await deliveries()).every((one: any) => one.status !== "pending"),
    );
    expect(at(received, url)).toEqual([]);
  });
});
