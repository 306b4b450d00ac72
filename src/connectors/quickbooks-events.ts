import { listOf, textOf } from "./read";
import type { BulkFeed } from "./feed";
import type { Change, Delivery, Extracted } from "./webhook";
import { isObject } from "../values/record";
import { readPath } from "../values/path";
import { toInstant, isoSeconds } from "../values/instant";

/** Hub resource → the entity's name at QuickBooks. */
export const ENTITIES: Readonly<Record<string, string>> = {
  "bill-payments": "BillPayment",
  bills: "Bill",
  classes: "Class",
  "credit-memos": "CreditMemo",
  "credit-terms": "Term",
  currencies: "CompanyCurrency",
  customers: "Customer",
  employees: "Employee",
  invoices: "Invoice",
  "journal-entries": "JournalEntry",
  "ledger-accounts": "Account",
  "payment-methods": "PaymentMethod",
  payments: "Payment",
  products: "Item",
  "purchase-orders": "PurchaseOrder",
  "refund-receipts": "RefundReceipt",
  "sales-receipts": "SalesReceipt",
  "tax-codes": "TaxCode",
  "tax-rates": "TaxRate",
  "time-activities": "TimeActivity",
  "vendor-credits": "VendorCredit",
  vendors: "Vendor",
};

/** CloudEvents write entities in lower case. */
const NAMES = new Map(Object.values(ENTITIES).map((name) => [name.toLowerCase(), name]));

/** CloudEvents, and the legacy `eventNotifications` (reference vendors.md §6); one realm's part. */
export function readQuickbooksWebhook({ body }: Delivery): Extracted {
  if (Array.isArray(body)) return extracted(body.flatMap(readCloudEvent));
  const notifications = readPath(body, "eventNotifications");
  if (Array.isArray(notifications)) return extracted(notifications.flatMap(readNotification));
  return isObject(body) && "specversion" in body
    ? extracted(readCloudEvent(body))
    : { kind: "unreadable", message: "Expected CloudEvents or eventNotifications" };
}

const extracted = (changes: Change[]): Extracted => ({ kind: "extracted", changes, controls: [] });

function readCloudEvent(event: unknown): Change[] {
  const [, entity = "", verb = ""] = (textOf(readPath(event, "type")) ?? "").split(".");
  const time = textOf(readPath(event, "time"));
  const version = textOf(readPath(event, "id")) ?? `${verb.toLowerCase()}|${time}`;
  return changesOf(
    { entity, verb, id: textOf(readPath(event, "intuitentityid")), version, time },
    textOf(readPath(event, "data.deletedid")) ?? textOf(readPath(event, "data.deletedId")),
    event,
  );
}

function readNotification(notification: unknown): Change[] {
  return listOf(readPath(notification, "dataChangeEvent.entities")).flatMap((entity) => {
    const time = textOf(readPath(entity, "lastUpdated"));
    const verb = textOf(readPath(entity, "operation")) ?? "";
    const name = textOf(readPath(entity, "name")) ?? "";
    const version = `${verb.toLowerCase()}|${time}`;
    return changesOf(
      { entity: name, verb, id: textOf(readPath(entity, "id")), version, time },
      textOf(readPath(entity, "deletedId")) ?? textOf(readPath(entity, "deletedID")),
      entity,
    );
  });
}

type Report = {
  entity: string;
  verb: string;
  id: string | undefined;
  version: string;
  time: string | undefined;
};

function changesOf(report: Report, deletedId: string | undefined, data: unknown): Change[] {
  const { entity, verb, id, version, time } = report;
  const objectType = NAMES.get(entity.toLowerCase()) ?? entity;
  const change = (objectId: string, eventType: Change["eventType"]): Change => ({
    objectType,
    objectId,
    eventType,
    date: toInstant(time),
    version,
    data,
  });
  const eventType = eventTypeOf(verb.toLowerCase());
  if (id === undefined || eventType === undefined || entity === "") return [];
  const merged = deletedId === undefined ? [] : [change(deletedId, "DELETED")];
  return [change(id, eventType), ...merged];
}

function eventTypeOf(verb: string): Change["eventType"] | undefined {
  switch (verb) {
    case "create":
    case "created":
      return "CREATED";
    case "update":
    case "updated":
    case "emailed":
    case "void":
    case "voided":
    case "merge":
    case "merged":
      return "UPDATED";
    case "delete":
    case "deleted":
      return "DELETED";
    default:
      return undefined;
  }
}

/** Entities that `/cdc` leaves out. */
const NOT_IN_CDC = new Set(["JournalCode", "TaxAgency", "TimeActivity", "TaxCode", "TaxRate"]);

/** `/cdc`: what changed in many entities, deleted ones included; at most 1000 objects and 30 days. */
export const quickbooksFeed: BulkFeed = {
  kind: "bulk",
  ask: (entities, since) => ({
    method: "GET",
    path: "/v3/company/${quickbooks.realm.id}/cdc",
    query: {
      entities: entities.join(","),
      changedSince: isoSeconds(since),
      minorversion: "75",
    },
  }),
  read: (answer, entities) => {
    const responses = readPath(answer, "CDCResponse");
    if (!Array.isArray(responses)) return undefined;
    const blocks = responses.flatMap((response) => listOf(readPath(response, "QueryResponse")));
    return new Map(
      entities.map((entity) => [
        entity,
        blocks.flatMap((block) => listOf(readPath(block, entity))),
      ]),
    );
  },
  covers: (entity) => !NOT_IN_CDC.has(entity),
  most: 1000,
  maxAgeMs: 29 * 86_400_000,
};
