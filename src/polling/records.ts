import type { Resource } from "../connectors/definition";
import { eventId } from "../stream/event-id";
import type { NewEvent } from "../stream/event";
import { readPath } from "../values/path";
import { classify, type RecordDates, readId } from "./classify";
import type { DateSource, PolledResource } from "./polled-resource";
import { parseInstant } from "./java-date";
import { type Undated, undatedRecord } from "./undated";
import { parseZone, UTC, type Zone } from "./zone";

/** How the records of one resource are read in one poll. Instants in epoch ms. */
export type Reading = {
  source: string;
  resource: PolledResource;
  /** Which field says that a record is deleted, and the value it has then. */
  deleted: Resource["deleted"];
  /** Records changed at or before this instant are not looked at. */
  after: number;
  startedAt: number;
  /** The URL has a date template: the vendor itself leaves out what is old. */
  templated: boolean;
  firstPoll: boolean;
  updated: DateReader | undefined;
  created: DateReader | undefined;
};

type DateReader = { field: string; format: string | undefined; zone: Zone };

export type PageReading = {
  events: NewEvent[];
  undated: Undated[];
  /** Records inside the window, emitted before or not. */
  candidates: number;
  /** Dates in the order they came, which show whether a list comes newest first. */
  dates: number[];
};

export function dateReader(source: DateSource | undefined): DateReader | undefined {
  return source === undefined
    ? undefined
    : { field: source.field, format: source.format, zone: parseZone(source.zone) ?? UTC };
}

/** What one page of records says: dated events, records left to their content hash, and the dates seen. */
export function readPage(records: readonly unknown[], reading: Reading): PageReading {
  const page: PageReading = { events: [], undated: [], candidates: 0, dates: [] };
  for (const record of records) {
    const objectId = readId(record, reading.resource.idField);
    if (objectId !== undefined) readRecord(record, objectId, reading, page);
  }
  return page;
}

function readRecord(record: unknown, objectId: string, reading: Reading, page: PageReading): void {
  const { resource, source } = reading;
  const objectType = resource.resource;
  const dates = readDates(record, reading);
  const date = dates.updated ?? dates.created;
  if (date !== undefined) page.dates.push(date);
  const deleted = isDeleted(record, reading.deleted);
  const classified = classify(dates, {
    after: reading.after,
    upTo: reading.startedAt,
    filterByUpdatedDate: resource.filterByUpdatedDate,
    filterByCurrentDate: resource.filterByCurrentDate,
    toleranceMs: resource.createdCheckToleranceMs,
  });
  switch (classified.kind) {
    case "ignored":
      return;
    case "later":
      page.candidates += 1;
      return;
    case "emit":
      page.candidates += 1;
      page.events.push({
        id: eventId(source, objectType, objectId, String(classified.at)),
        objectType,
        objectId,
        eventType: deleted ? "DELETED" : classified.eventType,
        date: classified.at,
        data: JSON.stringify(record),
        to: [0],
      });
      return;
    case "undated": {
      // A resource that is configured without any date has only hashes: they say whether a record is new or changed.
      const hasDates = resource.updated !== undefined || resource.created !== undefined;
      const always = hasDates ? classified.eventType : undefined;
      page.undated.push(undatedRecord(record, objectType, objectId, { always, deleted }));
    }
  }
}

function readDates(record: unknown, { updated, created }: Reading): RecordDates {
  return { updated: dateOf(record, updated), created: dateOf(record, created) };
}

function dateOf(record: unknown, reader: DateReader | undefined): number | undefined {
  return reader === undefined
    ? undefined
    : parseInstant(readPath(record, reader.field), reader.format, reader.zone);
}

export function isDeleted(record: unknown, deleted: Resource["deleted"]): boolean {
  return deleted !== undefined && readPath(record, deleted.field) === deleted.equals;
}
