import { listOf, textOf } from "./read";
import { readXml } from "./xml";
import type { Change, Control, Delivery, Extracted } from "./webhook";
import { isObject } from "../values/record";
import { readPath } from "../values/path";
import { toInstant } from "../values/instant";

/** Outbound Messages (SOAP), relayed change events and Apex JSON (reference vendors.md §4). */
export function readSfdcWebhook({ body, text }: Delivery): Extracted {
  if (typeof body === "string") return readOutboundMessage(text);
  const messages = Array.isArray(body) ? body : [body];
  const read = messages.map((message) => {
    const event = readPath(message, "payload") ?? message;
    if (readPath(event, "ChangeEventHeader") !== undefined) return readChangeEvent(event);
    return Array.isArray(readPath(message, "objects")) ? readApex(message) : undefined;
  });
  if (read.length === 0 || read.includes(undefined))
    return {
      kind: "unreadable",
      message: "Expected an Outbound Message, a change event or objects",
    };
  return {
    kind: "extracted",
    changes: read.flatMap((one) => one?.changes ?? []),
    controls: read.flatMap((one) => one?.controls ?? []),
  };
}

function readOutboundMessage(text: string): Extracted {
  const envelope = readXml(text, ["Notification"]);
  if (!envelope.ok) return { kind: "unreadable", message: envelope.message };
  const notifications = readPath(envelope.value, "Envelope.Body.notifications");
  const list = listOf(readPath(notifications, "Notification"));
  if (list.length === 0) return { kind: "unreadable", message: "Expected an Outbound Message" };
  return { kind: "extracted", changes: list.flatMap(readNotification), controls: [] };
}

function readNotification(notification: unknown): Change[] {
  const fields = fieldsOf(readPath(notification, "sObject"));
  const type = textOf(readPath(notification, "sObject.@type")) ?? "";
  const id = textOf(fields["Id"]);
  const version = textOf(readPath(notification, "Id"));
  if (id === undefined || version === undefined) return [];
  const [created, modified] = [fields["CreatedDate"], fields["LastModifiedDate"]].map((date) =>
    toInstant(date),
  );
  return [
    {
      objectType: type.slice(type.indexOf(":") + 1),
      objectId: longId(id),
      eventType: created !== undefined && created === modified ? "CREATED" : "UPDATED",
      date: modified ?? toInstant(fields["SystemModstamp"]),
      version,
      data: { attributes: { type: type.slice(type.indexOf(":") + 1) }, ...fields },
    },
  ];
}

/** Elements as fields; `xsi:nil` ones are null. */
function fieldsOf(object: unknown): Record<string, unknown> {
  if (!isObject(object)) return {};
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
      if (name.startsWith("@") || name === "#text") return [];
      return [
        [name, readPath(value, "@nil") === "true" ? null : (readPath(value, "#text") ?? value)],
      ];
    }),
  );
}

type Read = { changes: Change[]; controls: Control[] };

function readChangeEvent(event: unknown): Read {
  const header = readPath(event, "ChangeEventHeader");
  const entity = textOf(readPath(header, "entityName")) ?? "";
  const changeType = (textOf(readPath(header, "changeType")) ?? "").replace(/^GAP_/, "");
  const committed = textOf(readPath(header, "commitTimestamp"));
  const ids = listOf(readPath(header, "recordIds")).flatMap((id) => textOf(id) ?? []);
  const transaction = textOf(readPath(header, "transactionKey"));
  const sequence = textOf(readPath(header, "sequenceNumber"));
  // An overflow, and ids like 001* or all zeros, name no record: the whole entity is polled again.
  if (changeType === "OVERFLOW" || ids.some((id) => id.includes("*") || /^0+A*$/.test(id)))
    return { changes: [], controls: [{ kind: "resync", objectTypes: [entity] }] };
  const eventType = CHANGE_TYPES.get(changeType);
  if (eventType === undefined) return { changes: [], controls: [] };
  const changes = ids.map((id): Change => ({
    objectType: entity,
    objectId: longId(id),
    eventType,
    date: toInstant(committed) ?? toInstant(readPath(event, "LastModifiedDate")),
    version:
      transaction === undefined
        ? `${changeType}|${committed}`
        : `${transaction}|${sequence ?? ""}|${changeType}`,
    data: event,
  }));
  const isGap = (textOf(readPath(header, "changeType")) ?? "").startsWith("GAP_");
  return { changes, controls: isGap ? [{ kind: "resync", objectTypes: [entity] }] : [] };
}

const CHANGE_TYPES = new Map<string, Change["eventType"]>([
  ["CREATE", "CREATED"],
  ["UNDELETE", "CREATED"],
  ["UPDATE", "UPDATED"],
  ["DELETE", "DELETED"],
]);

function readApex(message: unknown): Read {
  const action = (textOf(readPath(message, "action")) ?? "update").toLowerCase();
  const changes = listOf(readPath(message, "objects")).flatMap((object): Change[] => {
    const id = textOf(readPath(object, "Id"));
    const type = textOf(readPath(object, "attributes.type"));
    if (id === undefined || type === undefined) return [];
    const modified =
      textOf(readPath(object, "SystemModstamp")) ?? textOf(readPath(object, "LastModifiedDate"));
    const isDeleted = readPath(object, "IsDeleted") === true || action === "delete";
    const eventType = isDeleted ? "DELETED" : action === "create" ? "CREATED" : "UPDATED";
    return [
      {
        objectType: type,
        objectId: longId(id),
        eventType,
        date: toInstant(modified),
        version: `${eventType}|${modified ?? JSON.stringify(object)}`,
        data: object,
      },
    ];
  });
  return { changes, controls: [] };
}

const SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/** A 15-character id as its 18-character form: the last three letters encode which characters are upper case. */
export function longId(id: string): string {
  if (!/^[A-Za-z0-9]{15}$/.test(id)) return id;
  const letters = [0, 5, 10].map((from) => {
    const bits = id
      .slice(from, from + 5)
      .split("")
      .reduce((sum, letter, index) => sum + (/[A-Z]/.test(letter) ? 1 << index : 0), 0);
    return SUFFIX.charAt(bits);
  });
  return `${id}${letters.join("")}`;
}
