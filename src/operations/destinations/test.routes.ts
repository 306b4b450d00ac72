import { type Context, Hono } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { Attempt } from "../../delivery/attempt";
import type { DestinationRecord } from "../../delivery/destination";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/described";
import { conflict, Refusal } from "../../http/refusal";
import { streamName } from "../../stream/stream-name";
import { attemptView } from "../view";
import { BODY_BYTES, found } from "./lookup.io";
import { sample } from "./fields";
import { isoText } from "../../values/instant";
import { sha256 } from "../../values/bytes";

const DAY_MS = 86_400_000;
/** A test is answered when its try is over, or given up after this long. */
const TEST_MS = 20_000;

/** Whether a destination takes what it is sent. */
export const trialRoutes = new Hono<AskerEnv>().post(
  "/destinations/:id/test",
  described("Send a sample event through the very same path", {
    tag: "destinations",
    body: sample,
    bodyExample: { event: { hello: "world" } },
    answer: {
      n: 1,
      at: "2026-11-21T20:00:00.000Z",
      status: 200,
      durationMs: 12,
      error: null,
      responseHeaders: {},
      responseBody: "ok",
      truncated: false,
    },
  }),
  async (c) =>
    c.json(
      attemptView(
        await test(c, await found(c), parse(sample, (await readJson(c, BODY_BYTES)) ?? {}).event),
      ),
    ),
);

/** One event, committed to a stream of its own and delivered like any other. */
export async function test(
  c: Context<AskerEnv>,
  { destination }: DestinationRecord,
  event: unknown,
): Promise<Attempt> {
  if (destination.url === null) throw conflict("The destination has no URL");
  const now = Date.now();
  const stub = c.env.EVENT_STREAMS.getByName(
    streamName({ organizationId: c.var.asker.organizationId, source: `test:${destination.id}` }),
  );
  const data = JSON.stringify(event ?? { type: "test", timestamp: isoText(now) });
  const id = sha256(`${destination.id} ${now} ${crypto.randomUUID()}`, "hex").slice(0, 32);
  await stub.commit({
    events: [
      {
        id,
        objectType: "test",
        objectId: destination.id,
        eventType: "test",
        date: now,
        data,
        to: [0],
      },
    ],
    targets: [
      {
        destinationId: destination.id,
        envelope: { format: "verbatim" },
        most: 1,
        ordering: "none",
      },
    ],
    retentionMs: DAY_MS,
  });
  while (Date.now() < now + TEST_MS) {
    const [view] = await stub.notifications({ before: null, limit: 1, withEvents: true });
    const attempt =
      view?.events.some((one) => one.id === id) === true
        ? view.notification.attempts.at(-1)
        : undefined;
    if (attempt !== undefined) return attempt;
    await scheduler.wait(50);
  }
  throw new Refusal({
    kind: "unavailable",
    message: "The destination's circuit is open, or others are before it; the test is on its way",
  });
}
