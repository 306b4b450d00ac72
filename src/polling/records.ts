import type { Resource } from "../connectors/definition";
import { digest, eventId } from "../stream/event-id";
import type { NewEvent } from "../stream/event";
import { classify, hashDecision, readId } from "./classify";
import type { DateSource, PolledResource } from "./polled-resource";
import { parseInstant } from "./java-date";
import { parseZone, UTC, type Zone } from "./zone";
import { readPath } from "../values/path";
import { isObject } from "../values/record";

/** How the records of one resource are read in one poll. */
export type Reading = {
  source: string;
  resource: PolledResource;
  deleted: Resource["deleted"];
  after: number;
  startedAt: number;
  templated: boolean;
  firstPoll: boolean;
  updated: DateReader | undefined;
  created: DateReader | undefined;
};

type DateReader = { field: string; format: string | undefined; zone: Zone };

/** A record that tells no usable date: its content hash decides. */
export type Undated = {
  key: string;
  objectId: string;
  hash: string;
  data: string;
  always: "UPDATED" | undefined;
  deleted: boolean;
};

export type PageReading = {
  events: NewEvent[];
  undated: Undated[];
  /** Records inside the window, emitted before or not. */
  candidates: number;
  /** Dates in the order they came, to tell newest-first lists. */
  dates: number[];
};

export function dateReader(source: DateSource | undefined): DateReader | undefined {
  return source === undefined
    ? undefined
    : { field: source.field, format: source.format, zone: parseZone(source.zone) ?? UTC };
}

/** What one page of records says: dated events, records left to their hash, and the dates seen. */
export function readPage(records: readonly unknown[], reading: Reading): PageReading {
  const page: PageReading = { events: [], undated: [], candidates: 0, dates: [] };
  for (const record of records) {
    const objectId = readId(record, reading.resource.idField);
    if (objectId === undefined) continue;
    readRecord(record, objectId, reading, page);
  }
  return page;
}

function readRecord(record: unknown, objectId: string, reading: Reading, page: PageReading): void {
  const { resource, source, after, startedAt } = reading;
  const updated = instantOf(record, reading.updated);
  const created = instantOf(record, reading.created);
  const date = updated ?? created;
  if (date !== undefined) page.dates.push(date);
  const deleted =
    reading.deleted !== undefined &&
    readPath(record, reading.deleted.field) === reading.deleted.equals;
  const verdict = classify(
    { updated, created },
    {
      after,
      upTo: startedAt,
      filterByUpdatedDate: resource.filterByUpdatedDate,
      filterByCurrentDate: resource.filterByCurrentDate,
      toleranceMs: resource.createdCheckToleranceMs,
    },
  );
  const objectType = resource.resource;
  switch (verdict.kind) {
    case "ignored":
      return;
    case "later":
      page.candidates += 1;
      return;
    case "emit":
      page.candidates += 1;
      page.events.push({
        id: eventId(source, objectType, objectId, String(verdict.at)),
        objectType,
        objectId,
        eventType: deleted ? "DELETED" : verdict.eventType,
        date: verdict.at,
        data: JSON.stringify(record),
        to: [0],
      });
      return;
    case "undated": {
      const data = JSON.stringify(record);
      const hasDates = resource.updated !== undefined || resource.created !== undefined;
      const always = hasDates ? verdict.eventType : undefined;
      page.undated.push({
        key: `hash|${objectType}|${objectId}`,
        objectId,
        hash: digest(canonical(record)),
        data,
        always,
        deleted,
      });
    }
  }
}

/**
 * Events of records without dates, against what was kept of them: `known` holds `hash:previous event id`
 * by state key. The id chains to the previous event, so a record that changes back is a new event.
 */
export function readUndated(
  undated: readonly Undated[],
  known: Readonly<Record<string, string>>,
  reading: Reading,
): { events: NewEvent[]; state: { key: string; value: string }[] } {
  const events: NewEvent[] = [];
  const state: { key: string; value: string }[] = [];
  const { source, resource, startedAt, templated, firstPoll } = reading;
  for (const { key, objectId, hash, data, always, deleted } of undated) {
    const [previousHash, previousId = ""] = known[key]?.split(":") ?? [];
    const previous = previousHash === undefined ? undefined : { hash: previousHash };
    const decision = hashDecision(previous, hash, { templated, firstPoll });
    if (decision === "same") continue;
    if (decision === "record-only") {
      state.push({ key, value: `${hash}:` });
      continue;
    }
    const id = eventId(source, resource.resource, objectId, `${hash}:${previousId}`);
    const eventType = deleted ? "DELETED" : (always ?? decision);
    events.push({
      id,
      objectType: resource.resource,
      objectId,
      eventType,
      date: startedAt,
      data,
      to: [0],
    });
    state.push({ key, value: `${hash}:${id}` });
  }
  return { events, state };
}

function instantOf(record: unknown, reader: DateReader | undefined): number | undefined {
  return reader === undefined
    ? undefined
    : parseInstant(readPath(record, reader.field), reader.format, reader.zone);
}

/** JSON with members in key order: the same content has the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
