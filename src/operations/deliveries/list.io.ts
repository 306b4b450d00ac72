import type { Context } from "hono";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import { listExceptions } from "../../delivery/exceptions.store";
import { readStates } from "../../delivery/standing.store";
import { parse } from "../../http/body";
import { readLimit, readListCursor, writeListCursor } from "../../http/cursor-page";
import { invalid } from "../../http/refusal";
import { readInstant } from "../../http/instant-field";
import { holdsEvent, statusField } from "../../stream/delivery-filter";
import type { NotificationView } from "../../stream/history";
import { parseNotificationId, streamName } from "../../stream/stream-name";
import { reachOf } from "../reach";
import { findStream } from "../streams/lookup.io";
import { deliveryView } from "./view";

const seqCursor = z.strictObject({ seq: z.number().int().nonnegative() });
const timeCursor = z.strictObject({ at: z.number(), id: z.string() });

/** A page of a stream's deliveries, newest first, filtered by the request's query. */
export async function listOfStream(c: Context<AskerEnv>): Promise<Record<string, unknown>> {
  const query = c.req.query();
  const { name, stub } = await findStream(c, query["source"] ?? "");
  const limit = readLimit(query["limit"]);
  const { destinationId, eventType, objectType, objectId } = query;
  const named = { destinationId, eventType, objectType, objectId };
  const filter = {
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    status: parse(statusField, query["status"], "status"),
    from: readInstant(query["from"], "from"),
    to: readInstant(query["to"], "to"),
  };
  const before = readListCursor(query["cursor"], seqCursor)?.seq ?? null;
  const { views, next } = await stub.deliveries({ before, limit, filter, withEvents: true });
  return {
    items: await withStates(
      c,
      views.map((view) => ({ stream: name, view })),
    ),
    next: next === null ? null : writeListCursor({ seq: next }),
  };
}

type Found = { stream: string; view: NotificationView };

/** Deliveries as `/v1` prints them, each with the state of its destination: one query for all. */
export async function withStates(
  c: Context<AskerEnv>,
  found: readonly Found[],
): Promise<Record<string, unknown>[]> {
  const states = await readStates(
    c.env.DB,
    c.var.asker.organizationId,
    found.flatMap(({ view }) => view.notification.destinationId ?? []),
  );
  return found.map(({ stream, view }) =>
    deliveryView(stream, view, states.get(view.notification.destinationId ?? "")),
  );
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
  if (statuses.length === 0)
    throw invalid(
      `status: Expected retrying, held or dead without a source, got '${status}'`,
      "status",
    );
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
  const found = await Promise.all(
    rows.map(async ({ id, stream }) => {
      const address = parseNotificationId(id);
      const view =
        address === undefined
          ? null
          : await c.env.EVENT_STREAMS.getByName(stream).notification(address.seq);
      return view === null || !holdsEvent(view.events, query) ? [] : [{ stream, view }];
    }),
  );
  const last = rows.at(-1);
  return {
    items: await withStates(c, found.flat()),
    next:
      last === undefined || rows.length < limit
        ? null
        : writeListCursor({ at: last.updatedAt, id: last.id }),
  };
}
