import { expect, it } from "vitest";
import { BEGAN, longStream, rowsRead, STEP_MS, type Stream } from "./long";

const SHORT = 1_000;
const LONG = 100_000;
/** How many more rows than a short history a long one may take: a search for a key is a little longer in it. */
const ALMOST = 30;

const shortStream = longStream(SHORT);
const longOne = longStream(LONG);

const numbersOf = (views: { notification: { seq: number } }[]): number[] =>
  views.map(({ notification }) => notification.seq);

type Read = (stream: Stream, count: number) => Promise<unknown>;

it.each<[string, Read]>([
  ["the total", (stream) => stream.total()],
  ["the newest", (stream) => stream.notificationsAt({ offset: 0, limit: 200 })],
  ["a page by place", (stream, count) => stream.notificationsAt({ offset: count / 2, limit: 200 })],
  ["the last page", (stream, count) => stream.notificationsAt({ offset: count - 9, limit: 200 })],
  ["when some were made", (stream, count) => stream.createdAt([0, count / 3, count - 1])],
  ["a notification", (stream, count) => stream.notification(count / 2)],
  ["bodies", (stream, count) => stream.notificationBodies([1, count / 2, count])],
  ["events after a number", (stream, count) => stream.events({ after: count / 2, limit: 200 })],
  ["events before one", (stream, count) => stream.eventsBefore({ before: count / 2, limit: 100 })],
  [
    "the figures of a minute",
    (stream, count) =>
      stream.tally({
        from: BEGAN + (count / 2) * STEP_MS,
        to: BEGAN + (count / 2 + 60) * STEP_MS,
        intervalMs: 60_000,
      }),
  ],
])("reads as many rows of a history of 100,000 as of 1,000: %s", async (_, read) => {
  const [short, long] = [await shortStream, await longOne];
  const few = await rowsRead(short, () => read(short, SHORT));
  const many = await rowsRead(long, () => read(long, LONG));
  expect(many).toBeLessThanOrEqual(few + ALMOST);
});

it("finds notifications by place, and says how many there are", async () => {
  const stream = await longOne;
  const page = await stream.notificationsAt({ offset: 79_800, limit: 3 });
  expect(numbersOf(page.views)).toEqual([20_200, 20_199, 20_198]);
  expect(page.total).toBe(LONG);
  expect(await stream.notificationsAt({ offset: LONG, limit: 3 })).toEqual({
    views: [],
    total: LONG,
  });
});
