import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { startConcur } from "../vendors/concur.ts";
import { connectConcur, createInstance, poll, type Polled, receive, timesTold } from "./polled.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const PATTERN = "yyyy-MM-dd'T'HH:mm:ss.SSS";
const reports = {
  url: `/hubs/expense/reports?where=modifiedDateAfter='\${date:${PATTERN}}'`,
  idField: "ID",
  datesConfiguration: {
    updatedDateField: "LastModifiedDate",
    updatedDateFormat: PATTERN,
    createdDateField: "CreateDate",
    createdDateFormat: PATTERN,
  },
};

let stack: Platform;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  stack = await sharedStack();
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const closing = <T extends { close(): Promise<void> }>(server: T): T => {
  open.push(server);
  return server;
};

const receiving = (polled: Polled): Polled => {
  open.push(polled.receiver);
  return polled;
};

const concurInstance = async (configuration: Record<string, unknown> = {}) => {
  const concur = closing(await startConcur());
  return { concur, ...receiving(await connectConcur(stack, concur, configuration)) };
};

describe("the Concur body of the documents, as printed", () => {
  const printed = {
    element: { key: "concur" },
    configuration: {
      "event.vendor.type": "polling",
      "event.notification.callback.url": "",
      "event.notification.signature.key": "123456",
      "event.poller.configuration": { reports },
    },
    tags: ["Docs"],
    name: "ConcurForDocs",
  };

  it("makes an instance without credentials that is invalid, has no callback and is not polled", async () => {
    const made = await createInstance(stack, printed);
    expect(made).toMatchObject({
      valid: false,
      tags: ["Docs"],
      name: "ConcurForDocs",
      eventsEnabled: true,
      eventsNotificationCallbackUrl: null,
      configuration: {
        "event.notification.callback.url": null,
        "event.notification.signature.key": "********",
        "event.poller.configuration": JSON.stringify({ reports }),
      },
    });
    expect((await stack.call("POST", `/v1/instances/${made.id}/poll`)).status).toBe(409);
  });

  it("keeps events and sends nothing once it has credentials, as it has no callback", async () => {
    const concur = closing(await startConcur());
    const { id } = receiving(
      await connectConcur(stack, concur, { ...printed.configuration, "base.url": concur.url }),
    );
    concur.addReport({ created: Date.now(), modified: Date.now() });
    expect(await poll(stack, id)).toMatchObject({ created: 1 });
    const { body } = await stack.call("GET", `/elements/api-v2/instances/${id}/events`);
    expect(body).toMatchObject([{ status: "RECEIVED", notifiedData: [{ eventType: "CREATED" }] }]);
  });
});

describe("a poll of Concur", () => {
  it("tells 25 changes, 3 of them new, in notifications of 10, 10 and 5, and then nothing", async () => {
    const concur = closing(await startConcur());
    const before = Date.now() - DAY;
    const old = Array.from({ length: 30 }, () =>
      concur.addReport({ created: before, modified: before }),
    );
    const { id, receiver } = receiving(
      await connectConcur(stack, concur, { "event.poller.configuration": { reports } }),
    );
    const now = Date.now();
    for (const [index, report] of old.slice(0, 22).entries()) concur.touch(report.id, now + index);
    const created = Array.from({ length: 3 }, () =>
      concur.addReport({ created: now, modified: now }),
    );

    const pollBegins = Math.floor(Date.now() / 1000) * 1000;
    expect(await poll(stack, id)).toEqual({
      objectType: "reports",
      fetched: 25,
      created: 3,
      updated: 22,
      deleted: 0,
      error: null,
    });
    const events = await receive(receiver, 25);
    const sizes = receiver.deliveries.map(({ body }) => body.message.events.length);
    expect(sizes.toSorted((a, b) => b - a)).toEqual([10, 10, 5]);
    const news = events.filter(({ eventType }) => eventType === "CREATED");
    expect(timesTold(news)).toEqual(Object.fromEntries(created.map((report) => [report.id, 1])));
    expect(events.filter(({ eventType }) => eventType === "UPDATED")).toHaveLength(22);

    for (const { body, headers } of receiver.deliveries) {
      const { eventId, message } = body;
      expect(headers).toMatchObject({ "elements-webhook-id": eventId, "webhook-id": eventId });
      expect(body).toEqual({
        eventId: expect.stringMatching(/^\d+$/),
        topic: `instance-${id}-concur-events`,
        severity: "low",
        createdDateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        message: {
          eventId,
          elementKey: "concur",
          instanceId: id,
          instanceName: "ConcurForDocs",
          events: message.events,
          raw: {
            instance_id: id,
            objectType: "reports",
            eventId,
            events: message.events,
            reports: message.events.map(({ objectId }: { objectId: string }) =>
              expect.objectContaining({ ID: objectId, Name: "Trip to Denver", Total: 120.5 }),
            ),
          },
        },
      });
      for (const event of message.events) {
        const modified = concur.reports().find((report) => report.id === event.objectId)?.modified;
        expect(event).toEqual({
          objectType: "reports",
          objectId: expect.any(String),
          date: `${new Date(modified ?? 0).toISOString().slice(0, 19)}Z`,
          pollDate: expect.any(String),
          eventType: expect.any(String),
          elementKey: "concur",
          hubKey: "expense",
        });
        expect(Date.parse(event.pollDate)).toBeGreaterThanOrEqual(pollBegins);
      }
    }

    expect(await poll(stack, id)).toMatchObject({ created: 0, updated: 0 });
    expect(receiver.deliveries).toHaveLength(3);
  });

  it("tells two reports of one instant on two pages once each, one of them indexed two minutes late", async () => {
    let ahead = 0;
    const concur = closing(await startConcur({ now: () => Date.now() + ahead }));
    const { id, receiver } = receiving(
      await connectConcur(stack, concur, {
        "event.poller.since": new Date(Date.now() - 10 * MINUTE).toISOString(),
        "event.poller.configuration": { reports: { ...reports, pageSize: 1 } },
      }),
    );
    const instant = Date.now() - 100_000;
    const [early, late] = [instant + 1, instant + 120_000].map((visibleAt) =>
      concur.addReport({ created: instant, modified: instant, visibleAt }),
    );
    expect(await poll(stack, id)).toMatchObject({ created: 1 });
    ahead = 120_000;
    expect(await poll(stack, id)).toMatchObject({ fetched: 2, created: 1 });
    expect(await poll(stack, id)).toMatchObject({ created: 0, updated: 0 });
    expect(timesTold(await receive(receiver, 2))).toEqual({ [early!.id]: 1, [late!.id]: 1 });
  });

  it("reads more rows of one instant than a page holds, each once", async () => {
    const { concur, id, receiver } = await concurInstance({ "pagination.max": 2 });
    const instant = Date.now();
    for (let count = 0; count < 7; count += 1)
      concur.addReport({ created: instant, modified: instant });
    expect(await poll(stack, id)).toMatchObject({ fetched: 7, created: 7 });
    expect(await poll(stack, id)).toMatchObject({ created: 0 });
    expect(Object.values(timesTold(await receive(receiver, 7)))).toEqual(Array(7).fill(1));
  });

  it("renews a token that ended in the middle, and goes on", async () => {
    const { concur, id, receiver } = await concurInstance();
    concur.addReport({ created: Date.now(), modified: Date.now() });
    concur.expireTokens();
    expect(await poll(stack, id)).toMatchObject({ created: 1 });
    expect(await receive(receiver, 1)).toHaveLength(1);
    expect(concur.tokenRequests).toBe(2);
  });
});

it("a poll whose caller hangs up stands in nobody's way, and tells nothing twice", async () => {
  const { concur, id, receiver } = await concurInstance();
  concur.addReport({ created: Date.now(), modified: Date.now() });
  concur.delayNext({ delayMs: 1_000, path: "/api" });
  const { userSecret, organizationSecret } = stack.local;
  const signal = AbortSignal.timeout(300);
  const hungUp = fetch(`${stack.baseUrl}/v1/instances/${id}/poll`, {
    method: "POST",
    headers: { authorization: `User ${userSecret}, Organization ${organizationSecret}` },
    signal,
  });
  await expect(hungUp).rejects.toThrow();
  await poll(stack, id);
  expect(timesTold(await receive(receiver, 1))).toEqual({ [concur.reports()[0]!.id]: 1 });
  expect(await poll(stack, id)).toMatchObject({ created: 0 });
});
