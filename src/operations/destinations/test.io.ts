import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { Attempt } from "../../delivery/attempt";
import { callMs } from "../../delivery/call-time";
import type { DestinationRecord } from "../../delivery/destination";
import { endpointName } from "../../delivery/endpoint-name";
import { conflict, Refusal } from "../../http/refusal";
import type { NotificationView } from "../../stream/history";
import { dueAt } from "../../stream/settle";
import { streamName } from "../../stream/stream-name";
import { sha256 } from "../../values/bytes";
import { becauseOf, reasonOf } from "../deliveries/because";
import { isoText } from "../../values/instant";

const DAY_MS = 86_400_000;
/** The test is among the latest of its stream, however many others test at the same time. */
const RECENT = 20;
/** A test waits for the first attempt as long as the receiver may take to answer, and so much longer. */
const LONGER_MS = 500;

/**
 * Sends an event (a sample without one) to a destination the way every other goes, through a stream of its own, and
 * answers the first attempt; it goes to a destination that is switched off, too. @throws Refusal `unavailable` that says
 * why there was none within its `timeoutMs` (15 seconds) and half a second.
 */
export async function sendTest(
  c: Context<AskerEnv>,
  { destination }: Pick<DestinationRecord, "destination">,
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
        forced: true,
      },
    ],
    retentionMs: DAY_MS,
  });
  let found: NotificationView | undefined;
  const until = now + callMs(destination.policy) + LONGER_MS;
  while (Date.now() < until) {
    const views = await stub.notifications({ before: null, limit: RECENT, withEvents: true });
    found = views.find(({ events }) => events.some((one) => one.id === id)) ?? found;
    const attempt = found?.notification.attempts.at(-1);
    if (attempt !== undefined) return attempt;
    if (found !== undefined && isPutOff(found, until)) break;
    await scheduler.wait(50);
  }
  throw new Refusal({ kind: "unavailable", message: await whyNot(c, destination.url, found) });
}

/** It will not be tried while the test waits: it ended without a try, or waits for an open circuit. */
function isPutOff({ notification: { state } }: NotificationView, until: number): boolean {
  const due = dueAt(state);
  return due === null ? state.kind !== "waiting" : due > until;
}

/** Why a test was not tried, as far as its own state and the endpoint tell. */
async function whyNot(
  c: Context<AskerEnv>,
  url: string,
  view: NotificationView | undefined,
): Promise<string> {
  if (view === undefined) return "The test is not stored yet; it is on its way";
  const { state } = view.notification;
  if (reasonOf(view.notification) !== null)
    return `The test was not sent: ${becauseOf(view.notification, undefined)}`;
  const { openedAt, nextProbeAt } = await endpointOf(c, url).view();
  if (openedAt !== null) {
    const probe = nextProbeAt === null ? "" : `; the next call is at ${isoText(nextProbeAt)}`;
    const why = `The circuit is open since ${isoText(openedAt)}, after failures in a row`;
    return `${why}${probe}. Enabling the destination closes it; the test is on its way`;
  }
  if (view.isSent)
    return "The receiver has not answered yet, or slow calls are before it; the test is on its way";
  const at = dueAt(state);
  return at === null
    ? "Others of its order are before it; the test is on its way"
    : `The endpoint has room for it at ${isoText(at)} at the earliest; the test is on its way`;
}

const endpointOf = (c: Context<AskerEnv>, url: string) =>
  c.env.ENDPOINTS.getByName(endpointName(c.var.asker.organizationId, url));
