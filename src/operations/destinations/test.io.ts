import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { Attempt } from "../../delivery/attempt";
import type { DestinationRecord } from "../../delivery/destination";
import { conflict, Refusal } from "../../http/refusal";
import { streamName } from "../../stream/stream-name";
import { sha256 } from "../../values/bytes";
import { isoText } from "../../values/instant";

const DAY_MS = 86_400_000;
/** How long a test waits for the first attempt. */
const WAIT_MS = 20_000;

/**
 * Sends an event (a sample without one) to a destination the way every other goes, through a stream of its own, and
 * answers the first attempt. @throws Refusal `unavailable` when there was none within 20 seconds.
 */
export async function sendTest(
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
  while (Date.now() < now + WAIT_MS) {
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
