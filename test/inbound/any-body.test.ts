import { createHmac } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { cases } from "../cases";
import { eventually, receiver } from "../delivery/build";
import { call, callV1 } from "../elements/build";
import { platform, PUBLIC_URL } from "../platform";

/** Whatever body a vendor's address is sent, signed as it should be: no 5xx, no lost neighbour, no list that fails. */

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

const SECRET = "app-secret-of-any-body";
/** So many bodies go to an instance together, one of them a good one. */
const TOGETHER = 10;

const settings: Record<string, string>[] = [
  {},
  { "event.notification.transform": "message.raw" },
  {
    "event.notification.transform": '{"ids": message.events.objectId, "raw": $string(message.raw)}',
  },
  { "event.notification.filter": 'data.subscriptionType = "contact.creation" or $exists(date)' },
  {
    "event.notification.filter": "$toMillis(date) > 0",
    "event.notification.transform": "message.events[0]",
  },
  { "event.notification.ordering": "object", "event.notification.transform": "$keys(message.raw)" },
];

const number = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.constant(8_700_000_000_000_000));
const text = fc.oneof(
  fc.string(),
  fc.constantFrom("", "\0", "\ud83d", "__proto__", "toJSON", "0001-01-01", "x".repeat(5_000)),
);
const value = fc.oneof(number, text, fc.jsonValue({ maxDepth: 3 }));
const item = fc.record(
  {
    objectId: value,
    portalId: value,
    occurredAt: value,
    eventId: value,
    propertyName: value,
    mergedObjectIds: value,
    subscriptionType: fc.oneof(
      fc.constantFrom(
        "contact.creation",
        "contact.propertyChange",
        "deal.deletion",
        "company.merge",
        "__proto__.creation",
      ),
      text,
    ),
    more: fc.dictionary(text, value),
  },
  { requiredKeys: ["subscriptionType", "objectId"] },
);
const numbers = fc.constantFrom("1e400", "-0", "1.10", "9130350000000000001", `${"9".repeat(400)}`);
const body = fc.oneof(
  { weight: 6, arbitrary: fc.array(item, { maxLength: 4 }).map((items) => JSON.stringify(items)) },
  { weight: 2, arbitrary: item.map((one) => JSON.stringify(one)) },
  {
    weight: 2,
    arbitrary: numbers.map(
      (one) => `[{"subscriptionType":"contact.creation","objectId":${one},"occurredAt":${one}}]`,
    ),
  },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "{",
      "[{]",
      "<a>",
      "payload=%7B%7D",
      "{=1",
      `[{"subscriptionType":"contact.creation","objectId":1,"a":${"[".repeat(498)}${"]".repeat(498)}}]`,
      "[".repeat(2_000),
    ),
  },
);
const type = fc.constantFrom("application/json", "application/x-www-form-urlencoded", "text/plain");

it("promise 12: no 5xx and no lost neighbour, whatever bodies come, under transforms and filters", async () => {
  const received = receiver(() => new Response());
  const instances = await Promise.all(
    settings.map(async (configuration) => {
      const url = `http://127.0.0.1:9/any-body-${crypto.randomUUID()}`;
      const { id } = await on.instance("hubspot", {
        "oauth.api.secret": SECRET,
        "event.notification.callback.url": url,
        ...configuration,
      });
      return { id, url, goods: new Set<string>() };
    }),
  );
  let count = 0;
  const send = async (id: number, content: string, contentType: string) => {
    const path = `/events/hubspot/${btoa(String(id))}`;
    const timestamp = String(Date.now());
    const signed = `POST${PUBLIC_URL}/elements/api-v2${path}${content}${timestamp}`;
    const { status } = await on.deliver(path, content, {
      "content-type": contentType,
      "x-hubspot-signature-v3": createHmac("sha256", SECRET).update(signed).digest("base64"),
      "x-hubspot-request-timestamp": timestamp,
    });
    return status;
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(body, type), { minLength: TOGETHER - 1, maxLength: TOGETHER - 1 }),
      async (bodies) => {
        count += 1;
        const { id, goods } = instances[count % instances.length] ?? instances[0]!;
        const good = `good-${count}`;
        const about = { subscriptionType: "contact.creation", occurredAt: Date.now() };
        goods.add(good);
        const statuses = await Promise.all([
          ...bodies.map(([content, contentType]) => send(id, content, contentType)),
          send(id, JSON.stringify([{ ...about, objectId: good }]), "application/json"),
        ]);
        expect(statuses.filter((status) => status >= 500)).toEqual([]);
        expect(statuses.at(-1)).toBe(200);
      },
    ),
    { numRuns: cases(500, 20_000) / TOGETHER },
  );
  for (const { id, url, goods } of instances) {
    const stream = on.streamOf(id);
    const views = await eventually(async () => {
      const all = [];
      for (let before: number | null = null; ;) {
        const page = await stream.notifications({ before, limit: 200, withEvents: true });
        all.push(...page);
        before = page.at(-1)?.notification.seq ?? null;
        if (before === null) break;
      }
      const kinds = new Set(all.map(({ notification }) => notification.state.kind));
      return kinds.isSubsetOf(new Set(["delivered", "dead"])) && all;
    });
    for (const { notification } of views)
      if (notification.state.kind === "dead")
        expect(["transform-failed", "unrenderable"]).toContain(notification.state.reason);
    const idsOfGoods = views.flatMap(({ id: notificationId, events, notification }) =>
      events.some(({ objectId }) => goods.has(objectId)) && notification.state.kind === "delivered"
        ? notificationId
        : [],
    );
    expect(idsOfGoods).toHaveLength(goods.size);
    const ids = received.flatMap((one) =>
      one.url === url ? (one.headers.get("webhook-id") ?? "") : [],
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(idsOfGoods).isSubsetOf(new Set(ids))).toBe(true);
    for (const path of [
      `/streams/instance:${id}/events?limit=200`,
      `/deliveries?source=instance:${id}`,
    ])
      expect([path, (await callV1("GET", path)).status]).toEqual([path, 200]);
    for (const path of [
      `/instances/${id}/events`,
      `/notifications?topics[]=instance-${id}-hubspot-events`,
    ])
      expect([path, (await call("GET", path)).status]).toEqual([path, 200]);
  }
  expect((await call("GET", "/instances/events")).status).toBe(200);
});
