import type { Resource } from "../connectors/definition";
import { readId } from "../hub/field";
import { eventId } from "../stream/event-id";
import type { Happened } from "../stream/event";
import { readPath } from "../values/path";
import { classify, type RecordDates } from "./classify";
import type { DateSource, PolledResource } from "./polled-resource";
import { parseInstant } from "./java-date";
import { type Undated, undatedRecord } from "./undated";
import { parseZone, UTC, type Zone } from "./zone";
import { sha256 } from "../values/bytes";
import type { Millis } from "../values/instant";
import { canonicalJson } from "../values/json";

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
  events: Happened[];
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
        ...versionOf(classified.at, record, (version) =>
          eventId(source, objectType, objectId, version),
        ),
        objectType,
        objectId,
        eventType: deleted ? "DELETED" : classified.eventType,
        date: classified.at,
        data: JSON.stringify(record),
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

/**
 * The id of the version of a record that is dated `at`. Clocks of whole seconds, minutes or days give several versions
 * one date, so where the date has no finer part, the content is part of the version.
 */
function versionOf(
  at: Millis,
  record: unknown,
  id: (version: string) => string,
): { id: string; formerly?: string } {
  if (at % 1000 !== 0) return { id: id(String(at)) };
  const content = sha256(canonicalJson(record), "hex").slice(0, 16);
  return { id: id(`${at}:${content}`), formerly: id(String(at)) };
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
