import { isoText } from "../values/instant";
import { memberJson } from "../values/digits";
import { parseStored } from "../values/json";
import { isObject } from "../values/record";
import type { Envelope, StoredEvent } from "./event";
import { eventTypeOf } from "./event-type";

/**
 * What an endpoint gets of events (reference v1-api.md, "Tenants, destinations, publishing"): `{id, type, timestamp, tenant,
 * data}` of a published event, with `payload` where its data lies in the bucket, and of all others also `source` and
 * `object: {type, id}`; a list of them where the endpoint takes several at a time. Other formats are made of this one when it is sent (`delivery/format.ts`).
 */
export function endpointBody(
  { tenant, isList }: Extract<Envelope, { format: "endpoint" }>,
  source: string,
  events: readonly StoredEvent[],
): string {
  const bodies = events.map((event) => eventBody(source, tenant, event));
  return isList === true ? `[${bodies.join(",")}]` : bodies.join("");
}

/**
 * `data`, `payload`: JSON text; `payload`: where the data is to be fetched. `object`: what changed; absent: nothing did, the
 * event was published.
 */
export type Told = {
  id: string;
  data: string;
  payload?: string;
  object?: { type: string; id: string };
  /** Of the event's type, which has a schema. */
  version?: number;
};

function eventBody(source: string, tenant: string | null, event: StoredEvent): string {
  const { data, payload, ...told } = toldOf(source, event);
  const head = JSON.stringify({
    id: told.id,
    type: eventTypeOf(source, event),
    timestamp: isoText(event.date),
    ...(told.object === undefined ? {} : { source }),
    tenant,
    ...(told.version === undefined ? {} : { version: told.version }),
    ...(told.object === undefined ? {} : { object: told.object }),
  });
  const lying = payload === undefined ? "" : `,"payload":${payload}`;
  return `${head.slice(0, -1)},"data":${data}${lying}}`;
}

/** What an event tells, out of what its source stores with it: the record of an app event, or of a published one. */
export function toldOf(
  source: string,
  { id, objectType, objectId, data }: Pick<StoredEvent, "id" | "objectType" | "objectId" | "data">,
): Told {
  const record = /^(user|tenant):/.test(source) ? parseStored(data) : undefined;
  if (source.startsWith("tenant:") && isObject(record))
    return {
      id: String(record["id"]),
      data: memberJson(record, "data"),
      ...(isObject(record["payload"]) ? { payload: memberJson(record, "payload") } : {}),
      ...(typeof record["version"] === "number" ? { version: record["version"] } : {}),
    };
  const content = isObject(record) ? record["content"] : undefined;
  const own = isObject(content) ? memberJson(content, "data") : data;
  return { id, data: own, object: { type: objectType, id: objectId } };
}
