import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  call,
  CALLBACK,
  callV1,
  create,
  createOrganizations,
  MINE,
  record,
  stubOutside,
  withToken,
} from "./build";
import { ownOrganization } from "../organization";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

const HOUR = 3_600_000;

/** An instance that polled so many new records, its callbacks answered with `status`; the callbacks. */
async function polled(
  records: number,
  status = 200,
  change: Record<string, unknown> = {},
  who = MINE,
) {
  // An address of its own: what other tests left behind is tried again at theirs.
  const callback = `${CALLBACK}/${crypto.randomUUID()}`;
  const instance = await create(
    { "event.notification.callback.url": callback, ...change },
    {},
    who,
  );
  const now = Date.now() + 5;
  const data = Array.from({ length: records }, (_, index) => record(`r${index}`, now));
  const answers = { status };
  const sent = stubOutside(({ url }) =>
    url.href === callback
      ? new Response(null, { status: answers.status })
      : Response.json({ data }),
  );
  expect((await callV1("POST", `/instances/${instance.id}/poll`, who)).status).toBe(200);
  return { instance, answers, callbacks: () => sent.filter(({ url }) => url.href === callback) };
}

const history = async ({ id }: { id: number }, query = "", who = MINE) =>
  (await call("GET", `/instances/${id}/events${query}`, undefined, who)).body;

/** The history once every notification has this status. */
async function settled(instance: { id: number }, status: string, who = MINE) {
  let events: any[] = [];
  await expect
    .poll(async () => {
      events = await history(instance, "", who);
      return new Set(events.map((event: any) => event.status));
    })
    .toEqual(new Set([status]));
  return events;
}

describe("GET /instances/{id}/events", () => {
  it("is an empty list before anything happened", async () => {
    expect(await history(await create())).toEqual([]);
  });

  it("tells what was received and notified, newest first, one by one and page by page", async () => {
    const { instance, callbacks } = await polled(25);
    const events = await settled(instance, "NOTIFIED");
    expect(events.map((event: any) => event.notifiedData.length)).toEqual([5, 10, 10]);
    const [newest] = events;
    const body = callbacks()
      .map(({ text }) => JSON.parse(text))
      .find(({ eventId }) => eventId === newest.id);
    expect(newest).toEqual({
      id: expect.stringMatching(new RegExp(`^${instance.id}\\d+$`)),
      eventDate: expect.any(String),
      status: "NOTIFIED",
      providerData: JSON.stringify(body.message.raw),
      notifiedData: body.message.events,
    });
    for (const path of [
      `/instances/${instance.id}/events/${newest.id}`,
      `/instances/events/${newest.id}`,
    ])
      expect((await call("GET", path)).body).toEqual(newest);
    const first = await call("GET", `/instances/${instance.id}/events?pageSize=2`);
    expect(first.body).toEqual(events.slice(0, 2));
    const token = first.headers.get("Elements-Next-Page-Token");
    expect(await history(instance, `?pageSize=2&nextPage=${token}`)).toEqual(events.slice(2));
  });

  it("is one list over all instances, and the instance's own with its Element token", async () => {
    const { authorization } = await ownOrganization();
    const one = await polled(1, 200, {}, authorization);
    const other = await polled(1, 200, {}, authorization);
    const first = await settled(one.instance, "NOTIFIED", authorization);
    const second = await settled(other.instance, "NOTIFIED", authorization);
    const all = await call("GET", "/instances/events?pageSize=2", undefined, authorization);
    expect(all.body.map(({ id }: any) => id)).toEqual([second[0].id, first[0].id]);
    const [user = ""] = authorization.split(",");
    const element = `${user}, Element ${one.instance.token}`;
    const its = await call("GET", "/instances/events", undefined, element);
    expect(its.body).toEqual(first);
  });

  it("says DISPATCHED of what is tried again, and RECEIVED of what goes nowhere", async () => {
    const failing = await polled(1, 500);
    await settled(failing.instance, "DISPATCHED");
    const { body } = await call(
      "GET",
      "/instances/events/dispositions",
      undefined,
      withToken(failing.instance),
    );
    expect(body).toMatchObject([
      {
        eventId: expect.any(String),
        elementInstanceId: failing.instance.id,
        notificationData: [{ message: expect.stringContaining("Error delivering event") }],
      },
    ]);
    const kept = await polled(1, 200, { "event.notification.callback.url": "" });
    expect(await history(kept.instance)).toMatchObject([{ status: "RECEIVED" }]);
    expect(kept.callbacks()).toEqual([]);
  });

  it.each(["1", "0", "abc", "99999999901", "-1", "1101x"])(
    "answers 404 to the unknown event %s",
    async (eventId) => {
      const { id } = await create();
      for (const [method, path] of [
        ["GET", ""],
        ["PUT", "/replay"],
      ])
        for (const base of [`/instances/${id}/events`, "/instances/events"])
          expect(await call(String(method), `${base}/${eventId}${path}`)).toMatchObject({
            status: 404,
            body: { message: `No event '${eventId}'` },
          });
    },
  );

  it("answers 404 to another instance's event under this one", async () => {
    const [one, other] = [await polled(1), await create()];
    const [event] = await history(one.instance);
    expect((await call("GET", `/instances/${other.id}/events/${event.id}`)).status).toBe(404);
  });
});

describe("PUT …/replay", () => {
  it("sends the same bytes under the same ids again", async () => {
    const { instance, callbacks } = await polled(1);
    const [event] = await settled(instance, "NOTIFIED");
    const { status, body } = await call(
      "PUT",
      `/instances/${instance.id}/events/${event.id}/replay`,
    );
    expect({ status, id: body.id }).toEqual({ status: 200, id: event.id });
    await expect.poll(callbacks).toHaveLength(2);
    await settled(instance, "NOTIFIED");
    const [first, again] = callbacks();
    expect(again?.text).toBe(first?.text);
    for (const name of ["webhook-id", "elements-webhook-id"])
      expect(again?.headers.get(name)).toBe(event.id);
  });

  it("answers 400 when there is no callback URL to send to", async () => {
    const { instance } = await polled(1, 200, { "event.notification.callback.url": null });
    const [event] = await history(instance);
    const path = `/instances/${instance.id}/events/${event.id}/replay`;
    expect(await call("PUT", path)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("callback URL") },
    });
  });

  it("answers 400 when the callback URL was taken away since", async () => {
    const { instance, callbacks } = await polled(1);
    const [event] = await settled(instance, "NOTIFIED");
    const configuration = { "event.notification.callback.url": "" };
    await call("PATCH", `/instances/${instance.id}`, { configuration });
    const path = `/instances/${instance.id}/events/${event.id}/replay`;
    expect((await call("PUT", path)).status).toBe(400);
    expect(callbacks()).toHaveLength(1);
  });
});

describe("GET /instances/events/analytics", () => {
  const from = new Date(Date.UTC(2026, 0, 1, 10)).toISOString();
  const to = new Date(Date.UTC(2026, 0, 1, 11)).toISOString();
  const analytics = (query: string, kind = "", authorization?: string) =>
    call("GET", `/instances/events/analytics${kind}?${query}`, undefined, authorization);

  it.each([
    ["minute", 61],
    ["hour", 2],
    ["day", 1],
  ])("fills an hour by the %s with %i buckets, the empty ones too", async (interval, count) => {
    const { body } = await analytics(`from=${from}&to=${to}&interval=${interval}`);
    expect(body).toHaveLength(count);
    for (const bucket of body) expect(bucket).toEqual({ count: 0, timestamp: expect.any(String) });
  });

  it("counts events, and by instance and account what became of them", async () => {
    const { instance } = await polled(3);
    await settled(instance, "NOTIFIED");
    const token = withToken(instance);
    const window = `from=${new Date(Date.now() - HOUR).toISOString()}&interval=hour`;
    const last = async (kind: string) => (await analytics(window, kind, token)).body.at(-1);
    expect(await last("")).toMatchObject({ count: 3 });
    const record = { count: 3, success: 3, failed: 0 };
    expect(await last("/instances")).toMatchObject({
      total: 3,
      records: [{ ...record, instanceId: instance.id }],
    });
    expect(await last("/accounts")).toMatchObject({
      total: 3,
      records: [{ ...record, accountId: 1 }],
    });
    expect((await analytics("", "", token)).body).toHaveLength(2);
  });

  it.each<[string, number, string]>([
    ["interval=second", 400, "interval: "],
    [`from=${to}&to=${from}`, 400, "to: "],
    ["from=yesterday", 400, "from: "],
    [`from=2020-01-01&to=${to}&interval=minute`, 400, "interval: "],
    ["accountIds[]=2", 403, "Access denied"],
  ])("refuses ?%s with %i", async (query, status, message) => {
    for (const kind of ["", "/instances", "/accounts"]) {
      const answer = await analytics(query, kind);
      expect(answer.status).toBe(status);
      expect(answer.body.message).toContain(message);
    }
  });
});
