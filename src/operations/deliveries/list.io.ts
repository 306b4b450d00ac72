import type { Context } from "hono";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import { listExceptions } from "../../delivery/exceptions.store";
import { parse } from "../../http/body";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { readInstant } from "../../http/instant-field";
import type { NotificationView } from "../../stream/history";
import { parseNotificationId, streamName } from "../../stream/stream-name";
import { reachOf } from "../reach";
import { findStream } from "../streams/lookup.io";
import { holdsEvent, matchesFilter, statusField } from "./filter";
import { deliveryView } from "./view";

const seqCursor = z.strictObject({ seq: z.number().int().nonnegative() });
const timeCursor = z.strictObject({ at: z.number(), id: z.string() });

/** Notifications that one call to a stream reads. */
const READ_AT_ONCE = 200;
/** Calls that one page may take: a filter that hardly anything passes ends with a short page and a cursor. */
const MOST_READS = 20;

/** A page of a stream's deliveries, newest first, filtered by the request's query. */
export async function listOfStream(c: Context<AskerEnv>): Promise<Record<string, unknown>> {
  const query = c.req.query();
  const { name, stub } = await findStream(c, query["source"] ?? "");
  const limit = readLimit(query["limit"]);
  const { destinationId, eventType, objectType, objectId } = query;
  const filter = {
    destinationId,
    eventType,
    objectType,
    objectId,
    status: parse(statusField, query["status"], "status"),
    from: readInstant(query["from"], "from") ?? 0,
    to: readInstant(query["to"], "to") ?? Number.MAX_SAFE_INTEGER,
  };
  let before = readListCursor(query["cursor"], seqCursor)?.seq ?? null;
  const items: NotificationView[] = [];
  for (let reads = 0; items.length < limit && reads < MOST_READS; reads += 1) {
    const page = await stub.notifications({ before, limit: READ_AT_ONCE, withEvents: true });
    for (const view of page) {
      if (items.length === limit) break;
      before = view.notification.seq;
      if (matchesFilter(view, filter)) items.push(view);
    }
    if (page.length < READ_AT_ONCE && (page.at(-1)?.notification.seq ?? before) === before)
      return { items: items.map((view) => deliveryView(name, view)), next: null };
  }
  return {
    items: items.map((view) => deliveryView(name, view)),
    next: writeListCursor({ seq: before ?? 0 }),
  };
}

const TROUBLED = ["retrying", "held", "dead"] as const;

/**
 * A page of the deliveries of all streams that are retrying, held or dead, latest change first. They have a table of
 * their own, so that no stream is searched for them.
 */
export async function listTroubled(c: Context<AskerEnv>): Promise<Record<string, unknown>> {
  const query = c.req.query();
  const limit = readLimit(query["limit"]);
  const status = parse(statusField, query["status"], "status");
  const statuses = TROUBLED.filter((one) => status === undefined || one === status);
  const { asker } = c.var;
  const { organizationId } = asker;
  const reach = reachOf(asker);
  const rows = await listExceptions(
    c.env.DB,
    organizationId,
    {
      statuses,
      destinationId: query["destinationId"],
      from: readInstant(query["from"], "from"),
      to: readInstant(query["to"], "to"),
      of: reach && {
        streams: reach.sources.map((source) => streamName({ organizationId, source })),
        destinations: reach.destinations,
      },
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
