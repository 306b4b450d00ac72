import type { Context } from "hono";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { readInstant } from "../../http/instant-field";
import type { StreamHandle } from "./lookup.io";
import { eventView } from "./view";

/** How far a reader of a stream's events has read: `seq` of the last one. */
export const eventCursor = z.strictObject({ seq: z.number().int().nonnegative() });

/** Query parameters of what is about events. */
export const OF_EVENT = {
  objectType: "Of this type of object",
  objectId: "Of this object",
  eventType: "Of this type of event",
  text: "With this text in the data, whatever its case; an answer looks through 2,000 events at most",
} as const;

/** An event as the description of the interface shows it. */
export const EVENT = {
  id: "5f1c…",
  seq: 1,
  objectType: "accounts",
  objectId: "acc_1",
  eventType: "CREATED",
  date: "2026-11-21T20:00:00.000Z",
  receivedAt: "2026-11-21T20:00:01.000Z",
  data: { id: "acc_1" },
  notificationIds: ["27101"],
};

/**
 * A page of a stream's events after `cursor`, oldest first, filtered by the request's query. `next` is a cursor even
 * when no event follows yet: a reader keeps it and comes back. `head` is the `seq` of the newest event.
 */
export async function readEventPage(
  c: Context<AskerEnv>,
  { name, stub }: StreamHandle,
  cursor: string | undefined,
): Promise<Record<string, unknown>> {
  const limit = readLimit(c.req.query("limit"));
  const after = readListCursor(cursor, eventCursor)?.seq ?? 0;
  const { objectType, objectId, eventType, text } = c.req.query();
  const from = readInstant(c.req.query("from"), "from") ?? 0;
  const to = readInstant(c.req.query("to"), "to") ?? Number.MAX_SAFE_INTEGER;
  const filter = { objectType, objectId, eventType, text, from, to };
  const page = await stub.events({ after, limit, filter: JSON.stringify(filter) });
  return {
    items: page.events.map((event) => eventView(name, event)),
    next: writeListCursor({ seq: page.last }),
    head: page.head,
  };
}
