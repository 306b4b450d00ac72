import { parse } from "../../http/body";
import { readInstant } from "../../http/instant-field";
import { type DeliveryFilter, statusField } from "../../stream/delivery-filter";

/** What a list of deliveries is narrowed down by. @throws Refusal naming the first parameter that is none of its kind. */
export function readFilter(query: Record<string, string>): DeliveryFilter {
  const { destinationId, eventType, objectType, objectId, text } = query;
  const named = { destinationId, eventType, objectType, objectId, text };
  return {
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    status: parse(statusField, query["status"], "status"),
    from: readInstant(query["from"], "from"),
    to: readInstant(query["to"], "to"),
  };
}
