import type { Context } from "hono";
import * as z from "zod";
import { readListCursor, timeCursor, writeListCursor } from "../../http/cursor-page";
import { findTroubled, isTroubled } from "../../operations/deliveries/list.io";
import { type StreamHandle, streamOfSource } from "../../operations/streams/lookup.io";
import type { DeliveryFilter } from "../../stream/delivery-filter";
import type { StoredEvent } from "../../stream/event";
import type { NotificationView } from "../../stream/history";
import { parseStreamName } from "../../stream/stream-name";
import type { ConsoleEnv } from "../session/session.io";
import { type Found, ofEvents, ofNotification } from "./found";
import { isOfDeliveries } from "./search";

/** One page has so many events, or notifications with theirs. */
export const PAGE = 50;

/** Where each stream goes on: below which number. */
const positions = z.record(z.string().max(300), z.number().int().positive());

/** A page of what was found, newest first. `next`: the cursor of the following page; null after the last. */
export type Page = { found: Found[]; next: string | null };

type Stream = { source: string; before: number | null };
type Read = { found: Found[]; next: number | null };

/** Looks through streams at once; the pages after the first look through the same ones. */
export async function findIn(
  c: Context<ConsoleEnv>,
  sources: readonly string[],
  filter: DeliveryFilter,
  cursor: string | undefined,
): Promise<Page> {
  const at = readListCursor(cursor, positions);
  const streams = sources.flatMap((source): Stream[] => {
    if (at === null) return [{ source, before: null }];
    const before = Object.hasOwn(at, source) ? at[source] : undefined;
    return before === undefined ? [] : [{ source, before }];
  });
  const reads = await Promise.all(
    streams.map(async (stream) => ({ ...stream, ...(await readStream(c, stream, filter)) })),
  );
  const found = reads
    .flatMap((read) => read.found)
    .toSorted((left, right) => right.at - left.at)
    .slice(0, PAGE);
  const shown = new Set(found);
  const next = Object.fromEntries(
    reads.flatMap((read): [string, number][] => {
      const position = goesOn(read, shown);
      return position === null ? [] : [[read.source, position]];
    }),
  );
  return { found, next: Object.keys(next).length === 0 ? null : writeListCursor(next) };
}

/** The sources of a cursor's streams, in case others are the latest by now. */
export const sourcesOf = (cursor: string): string[] =>
  Object.keys(readListCursor(cursor, positions) ?? {});

/** Below which number a stream goes on after a page that shows some of what was read; null: at its end. */
function goesOn(read: Stream & Read, shown: ReadonlySet<Found>): number | null {
  const mine = read.found.filter((one) => shown.has(one));
  if (mine.length === read.found.length) return read.next;
  return mine.at(-1)?.seq ?? read.before ?? Number.MAX_SAFE_INTEGER;
}

async function readStream(
  c: Context<ConsoleEnv>,
  { source, before }: Stream,
  filter: DeliveryFilter,
): Promise<Read> {
  const { name, stub } = streamOfSource(c, source);
  const asked = { before, limit: PAGE, filter };
  if (isOfDeliveries(filter)) {
    const { views, next } = await stub.deliveries({ ...asked, withEvents: true });
    return { found: views.map((view) => ofNotification(source, view, filter)), next };
  }
  const { events, deliveries, next } = await stub.eventsBefore({ ...asked, withDeliveries: true });
  return { found: ofEvents({ name, source }, events, deliveries, filter), next };
}

/** Whether what is looked for is listed for all sources together, so that none of them is missed. */
export const isListed = ({ status }: DeliveryFilter): boolean => isTroubled(status);

/** Looks through the organization's list of what is retrying, held or dead. */
export async function findListed(
  c: Context<ConsoleEnv>,
  filter: DeliveryFilter,
  cursor: string | undefined,
): Promise<Page> {
  const before = readListCursor(cursor, timeCursor);
  const { found, next } = await findTroubled(c, filter, { before, limit: PAGE / 2 });
  return {
    found: found.map(({ stream, view }) =>
      ofNotification(parseStreamName(stream).source, view, filter),
    ),
    next: next === null ? null : writeListCursor(next),
  };
}

/** What is read of one event: the requests of its stream that this takes. */
type EventReads = Pick<StreamHandle["stub"], "eventAt" | "eventsBefore" | "notification">;
type OneEvent = { event: StoredEvent; deliveries: NotificationView[]; raw: string | null };

/**
 * The event of a number with its notifications, and the vendor's body that it came with; null when there is none. An
 * object of the version before can't be asked for all of it at once, nor for the body.
 */
export async function readEvent(stream: EventReads, seq: number): Promise<OneEvent | null> {
  try {
    return await stream.eventAt(seq);
  } catch (error) {
    if (!isUnknownMethod(error)) throw error;
  }
  const { events } = await stream.eventsBefore({ before: seq + 1, limit: 1 });
  const event = events.find((one) => one.seq === seq);
  if (event === undefined) return null;
  const views = await Promise.all(event.notifications.map((number) => stream.notification(number)));
  return { event, deliveries: views.flatMap((view) => view ?? []), raw: null };
}

/** How the runtime says that an object's code has no such method. */
const isUnknownMethod = (error: unknown): boolean =>
  error instanceof TypeError && error.message.includes("does not implement");
