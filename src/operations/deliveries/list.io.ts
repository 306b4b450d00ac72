import type { Context } from "hono";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import { listExceptions } from "../../delivery/exceptions.store";
import { readStates } from "../../delivery/standing.store";
import {
  readLimit,
  readListCursor,
  type TimePlace,
  timeCursor,
  writeListCursor,
} from "../../http/cursor-page";
import { invalid } from "../../http/refusal";
import { type DeliveryFilter, holdsEvent } from "../../stream/delivery-filter";
import type { NotificationView } from "../../stream/history";
import { parseNotificationId, streamName } from "../../stream/stream-name";
import { reachesSource } from "../reach";
import { reachAsked } from "../reach-asked.io";
import { findStream } from "../streams/lookup.io";
import { readFilter } from "./filter";
import { deliveryView } from "./view";

const seqCursor = z.strictObject({ seq: z.number().int().nonnegative() });

/** A page of a stream's deliveries, newest first, filtered by the request's query. */
export async function listOfStream(c: Context<AskerEnv>): Promise<Record<string, unknown>> {
  const query = c.req.query();
  const { name, stub, source } = await findStream(c, query["source"] ?? "");
  if (!reachesSource(await reachAsked(c), source)) return { items: [], next: null };
  const limit = readLimit(query["limit"]);
  const filter = readFilter(query);
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

export type Found = { stream: string; view: NotificationView };

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
type Troubled = (typeof TROUBLED)[number];

/** Whether deliveries of this status are listed for all streams together. */
export const isTroubled = (status: DeliveryFilter["status"]): status is Troubled =>
  TROUBLED.some((one) => one === status);

/**
 * A page of the deliveries of all streams that are retrying, held or dead, latest change first. They have a table of
 * their own, so that no stream is searched for them. `next`: where the following page begins; null after the last.
 */
export async function findTroubled(
  c: Context<AskerEnv>,
  filter: DeliveryFilter,
  page: { before: TimePlace | null; limit: number },
): Promise<{ found: Found[]; next: TimePlace | null }> {
  const { organizationId } = c.var.asker;
  const { status, destinationId, from, to } = filter;
  const reach = await reachAsked(c);
  const rows = await listExceptions(
    c.env.DB,
    organizationId,
    {
      statuses: TROUBLED.filter((one) => status === undefined || one === status),
      destinationId,
      from,
      to,
      of: reach && {
        streams: reach.sources.map((source) => streamName({ organizationId, source })),
        destinations: reach.destinations,
      },
    },
    page,
  );
  const found = await Promise.all(
    rows.map(async ({ id, stream }) => {
      const address = parseNotificationId(id);
      const view =
        address === undefined
          ? null
          : await c.env.EVENT_STREAMS.getByName(stream).notification(address.seq);
      return view === null || !holdsEvent(view.events, filter) ? [] : [{ stream, view }];
    }),
  );
  const last = rows.at(-1);
  const isAll = last === undefined || rows.length < page.limit;
  return { found: found.flat(), next: isAll ? null : { at: last.updatedAt, id: last.id } };
}

/** The page of them that the request's query asks for. */
export async function listTroubled(c: Context<AskerEnv>): Promise<Record<string, unknown>> {
  const query = c.req.query();
  const limit = readLimit(query["limit"]);
  const filter = readFilter(query);
  const { status } = filter;
  if (status !== undefined && !isTroubled(status))
    throw invalid(
      `status: Expected retrying, held or dead without a source, got '${status}'`,
      "status",
    );
  const before = readListCursor(query["cursor"], timeCursor);
  const { found, next } = await findTroubled(c, filter, { before, limit });
  return {
    items: await withStates(c, found),
    next: next === null ? null : writeListCursor(next),
  };
}
