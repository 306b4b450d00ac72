import { listOf, textOf } from "./read";
import type { Change, Delivery, Extracted } from "./webhook";
import { isObject } from "../values/record";
import { readPath } from "../values/path";
import { toInstant } from "../values/instant";

/** HubSpot's names of object types, and its numbers for them. */
const TYPES = new Map([
  ["contact", "contacts"],
  ["company", "companies"],
  ["deal", "deals"],
  ["ticket", "tickets"],
  ["product", "products"],
  ["line_item", "line_items"],
  ["0-1", "contacts"],
  ["0-2", "companies"],
  ["0-3", "deals"],
  ["0-5", "tickets"],
]);

type Item = Record<string, unknown>;
type Read = { change: Change; item: Item; isPropertyChange: boolean };

/**
 * One portal's part of a batch (reference vendors.md §5): unordered, so created objects come first;
 * property changes of one object at one instant are one event that keeps every property.
 */
export function readHubspotWebhook({ body }: Delivery): Extracted {
  const items = Array.isArray(body) ? body : [body];
  if (!items.every(isObject))
    return { kind: "unreadable", message: "Expected a list of notifications" };
  const read = items.flatMap(readItem);
  const changes = [...coalesced(read)].toSorted(
    (a, b) => (a.date ?? 0) - (b.date ?? 0) || rank(a) - rank(b),
  );
  return { kind: "extracted", changes: onceDeleted(changes), controls: [] };
}

const rank = ({ eventType }: Change): number =>
  ["CREATED", "UPDATED", "DELETED"].indexOf(eventType);

function readItem(item: Item): Read[] {
  const name = textOf(item["subscriptionType"]) ?? textOf(item["eventType"]) ?? "";
  const [kind = "", verb = ""] = name.split(".");
  const objectType = TYPES.get(textOf(item["objectTypeId"]) ?? kind) ?? TYPES.get(kind) ?? kind;
  const one = (objectId: unknown, eventType: Change["eventType"]): Read[] => {
    const id = textOf(objectId);
    if (id === undefined) return [];
    const change: Change = {
      objectType,
      objectId: id,
      eventType,
      date: toInstant(item["occurredAt"], "ms"),
      version: eventType === "DELETED" ? `deleted|${textOf(item["occurredAt"])}` : key(item),
      data: item,
    };
    return [{ change, item, isPropertyChange: verb === "propertyChange" }];
  };
  switch (verb) {
    case "creation":
    case "restore":
      return one(item["objectId"], "CREATED");
    case "propertyChange":
      return one(item["objectId"], "UPDATED");
    case "associationChange":
      return one(item["fromObjectId"] ?? item["objectId"], "UPDATED");
    case "deletion":
    case "privacyDeletion":
      return one(item["objectId"], "DELETED");
    case "merge": {
      const winner = textOf(item["newObjectId"]) ?? textOf(item["primaryObjectId"]);
      const gone = listOf(item["mergedObjectIds"]).map(textOf);
      return [
        ...one(winner ?? item["objectId"], "UPDATED"),
        ...gone.flatMap((id) => (id === winner ? [] : one(id, "DELETED"))),
      ];
    }
    default:
      return [];
  }
}

/** `eventId` alone is not unique. */
function key(item: Item): string {
  const fields = [
    "portalId",
    "subscriptionId",
    "objectId",
    "occurredAt",
    "propertyName",
    "eventId",
    "primaryObjectId",
    "fromObjectId",
    "toObjectId",
  ];
  return fields.map((field) => textOf(readPath(item, field)) ?? "").join("|");
}

function coalesced(read: readonly Read[]): Change[] {
  const groups = Map.groupBy(read, ({ change, isPropertyChange }) =>
    isPropertyChange ? JSON.stringify([change.objectType, change.objectId, change.date]) : change,
  );
  return groups
    .values()
    .toArray()
    .flatMap((group) => {
      const first = group[0];
      if (first === undefined) return [];
      if (group.length === 1) return [first.change];
      const versions = [...new Set(group.map(({ change }) => change.version))].toSorted();
      return [
        {
          ...first.change,
          version: versions.join(";"),
          data: {
            ...first.item,
            propertyChanges: group.map(({ item }) => ({
              propertyName: item["propertyName"],
              propertyValue: item["propertyValue"],
            })),
          },
        },
      ];
    });
}

/** A deletion and a privacy deletion of one object are one. */
function onceDeleted(changes: readonly Change[]): Change[] {
  const gone = new Set<string>();
  return changes.filter(({ objectType, objectId, eventType }) => {
    if (eventType !== "DELETED") return true;
    const name = JSON.stringify([objectType, objectId]);
    if (gone.has(name)) return false;
    gone.add(name);
    return true;
  });
}
