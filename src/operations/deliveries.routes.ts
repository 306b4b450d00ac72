import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { readConfig } from "../config";
import { keyring } from "../db/sealed";
import { callbackHeaders } from "../delivery/callback.client";
import { listExceptions } from "../delivery/exceptions.store";
import { readDestination } from "../delivery/destinations.store";
import { parse } from "../http/body";
import { described, PAGE, SPAN } from "../http/described";
import { readInstant, readLimit, readListCursor, writeListCursor } from "../http/lists";
import { invalid, notFound } from "../http/refusal";
import type { NotificationView } from "../stream/history";
import { type Named, named, OF_EVENT, streamNamed } from "./streams.routes";
import { instanceSource, parseNotificationId, parseStreamName } from "../stream/stream-name";
import {
  attemptView,
  type DeliveryStatus,
  deliveryStatus,
  deliveryView,
  maskedHeaders,
} from "./view";

const seqCursor = z.strictObject({ seq: z.number().int().nonnegative() });
const timeCursor = z.strictObject({ at: z.number(), id: z.string() });

const DELIVERY = {
  id: "27101",
  source: "instance:27",
  destinationId: "instance-27",
  status: "delivered",
  reason: null,
  eventTypes: ["CREATED"],
  objectIds: ["acc_1"],
  attempts: 1,
  nextAttemptAt: null,
  createdAt: "2026-11-21T20:00:01.000Z",
  settledAt: "2026-11-21T20:00:02.000Z",
  warnings: [],
};

/** Deliveries: those of a stream, the troubled ones of all, and their tries (reference v1-api.md). */
export const deliveryRoutes = new Hono<AskerEnv>()
  .use("/deliveries/*", withKey())
  .use("/deliveries", withKey())
  .get(
    "/deliveries",
    described("Deliveries of a stream, or the organization's troubled ones", {
      tag: "deliveries",
      query: {
        ...PAGE,
        ...SPAN,
        ...OF_EVENT,
        source: "A source; absent: all that are retrying, held or dead",
        destinationId: "Of this destination",
        status: "pending, sent, retrying, held, delivered or dead",
      },
      answer: { items: [DELIVERY], next: null },
    }),
    async (c) =>
      c.json(c.req.query("source") === undefined ? await troubled(c) : await ofStream(c)),
  )
  .get(
    "/deliveries/:id",
    described("One delivery with its request and all tries", {
      tag: "deliveries",
      answer: {
        ...DELIVERY,
        request: { url: "https://app.example/hook", headers: {}, body: "{}" },
        attemptLog: [],
      },
    }),
    async (c) => {
      const { name, stub, seq } = await addressed(c, c.req.param("id"));
      const view = await stub.notification(seq);
      if (view === null) throw notFound(`No delivery '${c.req.param("id")}'`);
      return c.json({
        ...deliveryView(name, view),
        request: await requestView(c, view, (await stub.notificationBody(seq)) ?? ""),
        attemptLog: view.notification.attempts.map(attemptView),
      });
    },
  )
  .post(
    "/deliveries/:id/resend",
    described("Send a delivery again, now, whatever its state", {
      tag: "deliveries",
      status: 202,
      answer: DELIVERY,
    }),
    async (c) => {
      const { name, stub, seq } = await addressed(c, c.req.param("id"));
      const view = await stub.replay(seq, { forced: true });
      if (view === null) throw notFound(`No delivery '${c.req.param("id")}'`);
      if (view.notification.destinationId === null)
        throw invalid("The delivery has no destination");
      return c.json(deliveryView(name, view), 202);
    },
  );

async function ofStream(c: Context<AskerEnv>): Promise<Record<string, unknown>> {
  const query = c.req.query();
  const { name, stub } = await streamNamed(c, query["source"] ?? "");
  const limit = readLimit(query["limit"]);
  const status = parse(statusField, query["status"], "status");
  const from = readInstant(query["from"], "from") ?? 0;
  const to = readInstant(query["to"], "to") ?? Number.MAX_SAFE_INTEGER;
  const wanted = ({ notification, events, isSent }: NotificationView): boolean =>
    notification.createdAt >= from &&
    notification.createdAt <= to &&
    (query["destinationId"] === undefined ||
      notification.destinationId === query["destinationId"]) &&
    (status === undefined || deliveryStatus({ notification, isSent }) === status) &&
    holdsEvent(events, query);
  let before = readListCursor(query["cursor"], seqCursor)?.seq ?? null;
  const items: NotificationView[] = [];
  for (let pages = 0; items.length < limit && pages < 20; pages += 1) {
    const page = await stub.notifications({ before, limit: 200, withEvents: true });
    for (const view of page) {
      if (items.length === limit) break;
      before = view.notification.seq;
      if (wanted(view)) items.push(view);
    }
    if (page.length < 200 && (page.at(-1)?.notification.seq ?? before) === before)
      return { items: items.map((view) => deliveryView(name, view)), next: null };
  }
  return {
    items: items.map((view) => deliveryView(name, view)),
    next: writeListCursor({ seq: before ?? 0 }),
  };
}

/** Whether a delivery has an event of the type and object asked for. */
function holdsEvent(
  events: NotificationView["events"],
  query: Readonly<Record<string, string>>,
): boolean {
  const { eventType, objectType, objectId } = query;
  return (
    (eventType === undefined || events.some((event) => event.eventType === eventType)) &&
    (objectType === undefined || events.some((event) => event.objectType === objectType)) &&
    (objectId === undefined || events.some((event) => event.objectId === objectId))
  );
}

const TROUBLED = ["retrying", "held", "dead"] as const;

/** What is not well over all streams: kept apart from them, so that nothing is searched. */
async function troubled(c: Context<AskerEnv>): Promise<Record<string, unknown>> {
  const query = c.req.query();
  const limit = readLimit(query["limit"]);
  const status: DeliveryStatus | undefined = parse(statusField, query["status"], "status");
  const statuses = TROUBLED.filter((one) => status === undefined || one === status);
  const rows = await listExceptions(
    c.env.DB,
    c.var.asker.organizationId,
    {
      statuses,
      destinationId: query["destinationId"],
      from: readInstant(query["from"], "from"),
      to: readInstant(query["to"], "to"),
    },
    { before: readListCursor(query["cursor"], timeCursor), limit },
  );
  const items = await Promise.all(
    rows.map(async ({ id, stream }) => {
      const address = parseNotificationId(id);
      const view =
        address === undefined
          ? null
          : await c.env.EVENT_STREAMS.getByName(stream).notification(address.seq);
      return view === null || !holdsEvent(view.events, query) ? [] : [deliveryView(stream, view)];
    }),
  );
  const last = rows.at(-1);
  return {
    items: items.flat(),
    next:
      last === undefined || rows.length < limit
        ? null
        : writeListCursor({ at: last.updatedAt, id: last.id }),
  };
}

const statusField = z
  .enum(
    ["pending", "sent", "retrying", "held", "delivered", "dead"],
    "Expected pending, sent, retrying, held, delivered or dead",
  )
  .optional();

/** The delivery an id names, always inside the asker's organization. */
export async function addressed(
  c: Context<AskerEnv>,
  id: string,
): Promise<Named & { seq: number }> {
  const address = parseNotificationId(id);
  if (address === undefined) throw notFound(`No delivery '${id.slice(0, 100)}'`);
  if (address.kind === "instance")
    return { ...named(c, instanceSource(address.instanceId)), seq: address.seq };
  const { organizationId, source } = parseStreamName(address.stream);
  if (organizationId !== c.var.asker.organizationId)
    throw notFound(`No delivery '${id.slice(0, 100)}'`);
  return { ...named(c, source), seq: address.seq };
}

/** What a destination is sent, secrets masked. */
export type RequestView = { url: string | null; headers: Record<string, string>; body: string };

/** The request a delivery is made with, as its destination is now; null without one. */
export async function requestView(
  c: Context<AskerEnv>,
  { notification, id }: NotificationView,
  body: string,
): Promise<RequestView | null> {
  if (notification.destinationId === null) return null;
  const ring = keyring(readConfig(c.env).masterKeys);
  const destination = await readDestination(
    c.env.DB,
    ring,
    c.var.asker.organizationId,
    notification.destinationId,
  );
  if (destination === undefined) return null;
  const headers = callbackHeaders(
    destination,
    { id, body },
    notification.attempts.at(-1)?.at ?? Date.now(),
  );
  return { url: destination.url, headers: maskedHeaders(headers), body };
}
