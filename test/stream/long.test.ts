import { describe, expect, it } from "vitest";
import type { Stream } from "./build";
import { BEGAN, caughtUp, longStream, rowsRead, STEP_MS } from "./long";

const SHORT = 1_000;
/** How many more rows than a short history a long one may take: thirty runs of the index, two rows each at most. */
const ALMOST = 60;

const made = async (count: number, isApart: boolean): Promise<Stream> => {
  const stream = await longStream(count, isApart);
  await caughtUp(stream);
  return stream;
};

const numbersOf = (views: { notification: { seq: number } }[]): number[] =>
  views.map(({ notification }) => notification.seq);

type Read = (stream: Stream, count: number) => Promise<unknown>;

const deliveries =
  (filter: object, before: number | null = null): Read =>
  (stream) =>
    stream.deliveries({ before, limit: 8, filter, withEvents: true });
const eventsOf =
  (filter: object): Read =>
  (stream) =>
    stream.events({ after: 0, limit: 8, filter: JSON.stringify(filter) });
const instant = (count: number): number => BEGAN + (count / 2) * STEP_MS;

const READS: [string, Read][] = [
  ["the total", (stream) => stream.total()],
  ["the newest", (stream) => stream.notificationsAt({ offset: 0, limit: 200 })],
  ["a page by place", (stream, count) => stream.notificationsAt({ offset: count / 2, limit: 200 })],
  ["the last page", (stream, count) => stream.notificationsAt({ offset: count - 9, limit: 200 })],
  ["when some were made", (stream, count) => stream.createdAt([0, count / 4, count - 1])],
  ["a notification", (stream, count) => stream.notification(count / 2)],
  ["bodies", (stream, count) => stream.notificationBodies([1, count / 2, count])],
  ["events after a number", (stream, count) => stream.events({ after: count / 2, limit: 200 })],
  ["events before one", (stream, count) => stream.eventsBefore({ before: count / 2, limit: 100 })],
  [
    "the latest events, with what became of them",
    (stream) => stream.eventsBefore({ before: null, limit: 50, withDeliveries: true }),
  ],
  ["one event, with what became of it", (stream, count) => stream.eventAt(count / 2)],
  ["events of an object", eventsOf({ objectId: "o77" })],
  ["events of an object that is not there", eventsOf({ objectId: "x" })],
  ["events of an object that changes often", eventsOf({ objectId: "often" })],
  ["events of a rare type", eventsOf({ objectType: "rare", eventType: "DELETED" })],
  ["events of a usual type", eventsOf({ objectType: "accounts" })],
  [
    "the last events of an object",
    (stream) => stream.eventsBefore({ before: null, limit: 3, filter: { objectId: "often" } }),
  ],
  [
    "events of a time",
    (stream, count) =>
      eventsOf({ from: instant(count), to: instant(count) + 9_000 })(stream, count),
  ],
  ["deliveries of an object", deliveries({ objectId: "o77" })],
  ["deliveries of an object that is not there", deliveries({ objectId: "x" })],
  ["deliveries of an object that changes often", deliveries({ objectId: "often" })],
  ["deliveries of a rare type", deliveries({ objectType: "rare", eventType: "DELETED" })],
  ["deliveries to a destination", deliveries({ destinationId: "seldom" })],
  ["deliveries of a flow", deliveries({ flowId: "f" })],
  ["deliveries of a usual status", deliveries({ status: "held" })],
  [
    "deliveries of a time",
    (stream, count) =>
      deliveries({ from: instant(count), to: instant(count) + 9_000 })(stream, count),
  ],
  [
    "the figures of a minute",
    (stream, count) =>
      stream.tally({ from: instant(count), to: instant(count) + 60_000, intervalMs: 60_000 }),
  ],
  ["an object's data taken out", (stream) => stream.expunge("accounts", "o78")],
];

describe.each([
  [100_000, "beside their notifications", false],
  [20_000, "in rows of their own", true],
])("of %i events %s", (LONG, _, isApart) => {
  const short = made(SHORT, isApart);
  const long = made(LONG, isApart);

  it.each(READS)("takes as many rows as of 1,000: %s", async (__, read) => {
    const [few, many] = [await short, await long];
    const least = await rowsRead(few, () => read(few, SHORT));
    expect(await rowsRead(many, () => read(many, LONG))).toBeLessThanOrEqual(least + ALMOST);
  });

  it("looks for a text in 2,000 at a time, and goes on from there", async () => {
    const stream = await long;
    const filter = { text: `"N":${LONG - 2_500}}` };
    let before: number | null = null;
    const pages: [number[], number | null][] = [];
    for (let page = 0; page < 2; page += 1) {
      const read = async () => {
        const { events, next } = await stream.eventsBefore({ before, limit: 1, filter });
        pages.push([events.map(({ seq }) => seq), next]);
        before = next;
      };
      expect(await rowsRead(stream, read)).toBeLessThan(1_000);
    }
    expect(pages).toEqual([
      [[], LONG - 1_999],
      [[LONG - 2_500], LONG - 2_500],
    ]);
    const found = await stream.deliveries({
      before: LONG - 2_400,
      limit: 1,
      filter,
      withEvents: false,
    });
    expect(numbersOf(found.views)).toEqual([LONG - 2_500]);
  });

  it("finds what there is, the same", async () => {
    const stream = await long;
    const page = await stream.notificationsAt({ offset: LONG - 10_200, limit: 3 });
    expect(numbersOf(page.views)).toEqual([10_200, 10_199, 10_198]);
    expect(page.total).toBe(LONG);
    const { views: none } = await stream.notificationsAt({ offset: LONG, limit: 3 });
    expect(none).toEqual([]);
    const filter = { objectId: "often", from: BEGAN + 10_000 * STEP_MS };
    const events = await stream.events({ after: 0, limit: 3, filter: JSON.stringify(filter) });
    expect(events.events.map(({ seq }) => seq)).toEqual([10_100, 10_200, 10_300]);
    const last = await stream.deliveries({ before: 19_500, limit: 2, filter, withEvents: true });
    expect(numbersOf(last.views)).toEqual([19_400, 19_300]);
    expect(last.next).toBe(19_300);
    const seldom = { destinationId: "seldom", objectType: "rare" };
    const found = await stream.deliveries({
      before: null,
      limit: 2,
      filter: seldom,
      withEvents: false,
    });
    expect([numbersOf(found.views), found.next]).toEqual([[1], null]);
  });
});
