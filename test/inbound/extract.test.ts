import { describe, expect, it } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import { longId } from "../../src/connectors/sfdc-events";
import type { Extracted } from "../../src/connectors/webhook";
import { extract } from "../../src/inbound/extract";
import { parseContent } from "../../src/inbound/content";
import { eventsOf } from "../../src/inbound/outcome";
import { partsOf, tenantsOf } from "../../src/inbound/tenant-parts";

const webhookOf = (key: string) => {
  const webhook = findConnector(key)?.webhook;
  if (webhook === undefined) throw new Error(`No webhook of ${key}`);
  return webhook;
};

const contentOf = (body: unknown) => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const parsed = parseContent(text, "application/json");
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.content;
};

const extractFrom = (key: string, body: unknown, headers: Record<string, string> = {}) =>
  extract(webhookOf(key).extraction, { ...contentOf(body), headers: new Headers(headers) });

/** `[eventType, objectType, objectId]` of each change. */
const told = (read: Extracted) =>
  read.kind === "extracted"
    ? read.changes.map(({ eventType, objectType, objectId }) => [eventType, objectType, objectId])
    : read.message;
const changes = (read: Extracted) => (read.kind === "extracted" ? read.changes : []);

describe("box", () => {
  const body = (trigger: string, source: object = { id: "7", type: "file", etag: "1" }) => ({
    type: "webhook_event",
    id: "eb0c4e06",
    created_at: "2016-07-11T10:10:32-07:00",
    trigger,
    webhook: { id: "53" },
    source,
    additional_info: [],
  });

  it.each([
    ["FILE.UPLOADED", { id: "7", type: "file", etag: "0" }, [["CREATED", "files", "7"]]],
    ["FILE.UPLOADED", { id: "7", type: "file", etag: "3" }, [["UPDATED", "files", "7"]]],
    ["FOLDER.CREATED", { id: "8", type: "folder" }, [["CREATED", "folders", "8"]]],
    ["FILE.COPIED", { id: "7", type: "file", etag: "0" }, [["CREATED", "files", "7"]]],
    ["FILE.RESTORED", { id: "7", type: "file" }, [["CREATED", "files", "7"]]],
    ["FILE.TRASHED", { id: "7", type: "file" }, [["DELETED", "files", "7"]]],
    ["FOLDER.DELETED", { id: "8", type: "folder" }, [["DELETED", "folders", "8"]]],
    ["FILE.RENAMED", { id: "7", type: "file" }, [["UPDATED", "files", "7"]]],
    ["FILE.PREVIEWED", { id: "7", type: "file" }, []],
    ["FILE.DOWNLOADED", { id: "7", type: "file" }, []],
    ["COMMENT.CREATED", { id: "9", type: "comment" }, [["CREATED", "comment", "9"]]],
  ])("maps %s", async (trigger, source, expected) => {
    expect(told(await extractFrom("box", body(trigger, source)))).toEqual(expected);
  });

  it("BX-3 given one body `id` under two delivery ids, then one event", async () => {
    const [one, two] = [
      changes(await extractFrom("box", body("FILE.RENAMED"), { "box-delivery-id": "1" })),
      changes(await extractFrom("box", body("FILE.RENAMED"), { "box-delivery-id": "2" })),
    ];
    expect(one[0]?.version).toBe("eb0c4e06");
    expect(two[0]?.version).toBe(one[0]?.version);
  });

  it("BX-4 given `NO_ACTIVE_SESSION`, then the instance needs re-authorization; given `WEBHOOK.DELETED` (`additional_info.reason` `auto_cleanup`), then the hook is re-created", async () => {
    expect(await extractFrom("box", body("NO_ACTIVE_SESSION"))).toMatchObject({
      changes: [],
      controls: [{ kind: "reauthorize" }],
    });
    const removed = { ...body("WEBHOOK.DELETED"), additional_info: { reason: "auto_cleanup" } };
    expect(await extractFrom("box", removed)).toMatchObject({
      changes: [],
      controls: [{ kind: "register-again", webhookId: "53" }],
    });
  });
});

describe("concur", () => {
  const body = (eventType: string, change: object = {}) => ({
    id: "bbd64e6f",
    eventType,
    topic: "public.concur.expense.report",
    timeStamp: "2026-03-18T23:11:51.034Z",
    facts: { companyId: "12fc85ee", reportId: "4E6593CB987D459C88FA" },
    ...change,
  });

  it.each([
    ["reportCreated", "CREATED"],
    ["reportUpdated", "UPDATED"],
    ["statusChanged", "UPDATED"],
    ["reportDeleted", "DELETED"],
  ])("maps %s to %s", async (name, eventType) => {
    const read = await extractFrom("concur", body(name));
    expect(told(read)).toEqual([[eventType, "reports", "4E6593CB987D459C88FA"]]);
    expect(changes(read)[0]?.date).toBe(Date.parse("2026-03-18T23:11:51.034Z"));
  });

  it("CO-4 given topic without `public.`, then accepted", async () => {
    const read = await extractFrom(
      "concur",
      body("reportCreated", { topic: "concur.expense.report" }),
    );
    expect(told(read)).toEqual([["CREATED", "reports", "4E6593CB987D459C88FA"]]);
  });

  it("CO-6 given a companyId, then it names the tenant", () => {
    const parts = partsOf(webhookOf("concur"), contentOf(body("reportCreated")));
    expect(parts.map(({ tenant }) => tenant)).toEqual(["12fc85ee"]);
  });
});

describe("dropbox", () => {
  it("DB-3 given two accounts in one message, then each has its own part, no event, and a feed to read", async () => {
    const body = { list_folder: { accounts: ["dbid:a", "dbid:b"] } };
    expect(await extractFrom("dropbox", body)).toMatchObject({
      changes: [],
      controls: [{ kind: "resync" }],
    });
    const parts = partsOf(webhookOf("dropbox"), contentOf(body));
    expect(tenantsOf(webhookOf("dropbox"), contentOf(body))).toEqual(
      parts.map(({ tenant }) => tenant),
    );
    expect(parts.map(({ tenant, content }) => [tenant, content.text])).toEqual([
      ["dbid:a", '{"list_folder":{"accounts":["dbid:a"]}}'],
      ["dbid:b", '{"list_folder":{"accounts":["dbid:b"]}}'],
    ]);
  });
});

describe("sfdc", () => {
  const notification = (id: string, fields: string) =>
    `<Notification><Id>${id}</Id><sObject xsi:type="sf:Case" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>500ak0000000001</sf:Id>${fields}</sObject></Notification>`;
  const message = (...notifications: string[]) =>
    `<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00Dak000000abcdEAA</OrganizationId><SessionId xsi:nil="true"/>${notifications.join("")}</notifications></soapenv:Body></soapenv:Envelope>`;

  it("SF-1 given 3 notifications, `xsi:nil` fields, then 3 events", async () => {
    const body = message(
      notification("04l1", "<sf:Status>New &amp; open</sf:Status>"),
      notification("04l2", '<sf:OwnerId xsi:nil="true"/>'),
      notification("04l3", ""),
    );
    const read = await extractFrom("sfdc", body);
    expect(changes(read).map(({ version }) => version)).toEqual(["04l1", "04l2", "04l3"]);
    expect(changes(read)[0]?.data).toMatchObject({ Status: "New & open" });
    expect(changes(read)[1]?.data).toMatchObject({ OwnerId: null });
    expect(partsOf(webhookOf("sfdc"), contentOf(body))[0]?.tenant).toBe("00Dak000000abcdEAA");
  });

  it.each(['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "<!doctype lol>"])(
    "SF-2 given a DOCTYPE or entity, then 400, nothing expanded: %s",
    async (prefix) => {
      const read = await extractFrom(
        "sfdc",
        message(notification("1", "")).replace("?>", `?>${prefix}`),
      );
      expect(read.kind).toBe("unreadable");
    },
  );

  it("SF-2 given a DOCTYPE or entity, then 400, nothing expanded: an entity of its own", async () => {
    const read = await extractFrom("sfdc", message(notification("1", "<sf:Name>&e;</sf:Name>")));
    expect(read.kind).toBe("unreadable");
  });

  it("SF-3 given CreatedDate = LastModifiedDate in the message, then CREATED; both absent, then UPDATED", async () => {
    const dates = (created: string, modified: string) =>
      `<sf:CreatedDate>${created}</sf:CreatedDate><sf:LastModifiedDate>${modified}</sf:LastModifiedDate>`;
    const read = await extractFrom(
      "sfdc",
      message(
        notification("1", dates("2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z")),
        notification("2", dates("2025-01-01T00:00:00.000Z", "2025-01-01T00:00:01.000Z")),
        notification("3", ""),
      ),
    );
    expect(changes(read).map(({ eventType }) => eventType)).toEqual([
      "CREATED",
      "UPDATED",
      "UPDATED",
    ]);
  });

  const change = (changeType: string, recordIds: string[]) => ({
    ChangeEventHeader: {
      entityName: "Contact",
      changeType,
      recordIds,
      commitTimestamp: 1745500706000,
    },
  });

  it("SF-4 given 3 recordIds, then 3 events, bare or under payload", async () => {
    const ids = ["003ak00000IiFInAAN", "003ak00000IiFInAAO", "003ak00000IiFInAAP"];
    const expected = ids.map((id) => ["UPDATED", "Contact", id]);
    expect(told(await extractFrom("sfdc", change("UPDATE", ids)))).toEqual(expected);
    expect(told(await extractFrom("sfdc", { payload: change("UPDATE", ids) }))).toEqual(expected);
  });

  it.each([
    ["CREATE", "CREATED"],
    ["UNDELETE", "CREATED"],
    ["UPDATE", "UPDATED"],
    ["DELETE", "DELETED"],
  ])("maps %s to %s", async (changeType, eventType) => {
    const read = await extractFrom("sfdc", change(changeType, ["003ak00000IiFInAAN"]));
    expect(told(read)).toEqual([[eventType, "Contact", "003ak00000IiFInAAN"]]);
  });

  it("SF-4 given GAP_*, then refetch; overflow or wildcard, then resync of the entity", async () => {
    const resync = [{ kind: "resync", objectTypes: ["Contact"] }];
    const gap = await extractFrom("sfdc", change("GAP_UPDATE", ["003ak00000IiFInAAN"]));
    expect(gap).toMatchObject({ controls: resync });
    for (const one of [
      change("GAP_OVERFLOW", []),
      change("UPDATE", ["001*"]),
      change("GAP_CREATE", ["000000000000000AAA"]),
    ])
      expect(await extractFrom("sfdc", one)).toMatchObject({ changes: [], controls: resync });
  });

  it("SF-8 given a 15-character id, then 18 out", async () => {
    expect(longId("003ak00000IiFIn")).toBe("003ak00000IiFInAAN");
    expect(longId("500ak0000000001")).toBe("500ak0000000001AAA");
    expect(longId("003ak00000IiFInAAN")).toBe("003ak00000IiFInAAN");
    const read = await extractFrom("sfdc", message(notification("1", "")));
    expect(changes(read)[0]?.objectId).toBe("500ak0000000001AAA");
  });

  it("reads what an Apex trigger sends", async () => {
    const object = {
      attributes: { type: "Contact" },
      Id: "003ak00000IiFInAAN",
      SystemModstamp: "2015-10-13T03:26:48.000+0000",
    };
    expect(told(await extractFrom("sfdc", { objects: [object], action: "update" }))).toEqual([
      ["UPDATED", "Contact", "003ak00000IiFInAAN"],
    ]);
    expect(
      told(
        await extractFrom("sfdc", { objects: [{ ...object, IsDeleted: true }], action: "update" }),
      ),
    ).toEqual([["DELETED", "Contact", "003ak00000IiFInAAN"]]);
  });
});

describe("hubspot", () => {
  const item = (subscriptionType: string, change: object = {}) => ({
    eventId: 1,
    subscriptionId: 2,
    portalId: 62515,
    occurredAt: 1705422467780,
    subscriptionType,
    objectId: 1801,
    ...change,
  });

  it("HS-3 given the batch above, then split by `portalId`, none lost", () => {
    const batch = [
      item("contact.creation", { portalId: 143553137 }),
      item("contact.propertyChange", { portalId: 143553137 }),
      item("contact.deletion"),
    ];
    const parts = partsOf(webhookOf("hubspot"), contentOf(batch));
    expect(tenantsOf(webhookOf("hubspot"), contentOf(batch))).toEqual(
      parts.map(({ tenant }) => tenant),
    );
    expect(
      parts.map(({ tenant, content }) => [tenant, (content.body as unknown[]).length]),
    ).toEqual([
      ["143553137", 2],
      ["62515", 1],
    ]);
    expect(parts[1]?.content.text).not.toContain("143553137");
  });

  it("HS-4 given creation and propertyChange with equal `occurredAt`, any order, then CREATED first and changes coalesced, every property kept", async () => {
    const batch = [
      item("contact.propertyChange", { propertyName: "email", propertyValue: "a@b.c" }),
      item("contact.creation"),
      item("contact.propertyChange", { propertyName: "city", propertyValue: "Ulm", eventId: 3 }),
    ];
    for (const order of [batch, batch.toReversed()]) {
      const read = await extractFrom("hubspot", order);
      expect(told(read)).toEqual([
        ["CREATED", "contacts", "1801"],
        ["UPDATED", "contacts", "1801"],
      ]);
      const { propertyChanges } = changes(read)[1]!.data as {
        propertyChanges: { propertyName: string }[];
      };
      expect(propertyChanges.map(({ propertyName }) => propertyName).toSorted()).toEqual([
        "city",
        "email",
      ]);
    }
    const versions = await Promise.all(
      [batch, batch.toReversed()].map(
        async (order) => changes(await extractFrom("hubspot", order))[1]?.version,
      ),
    );
    expect(versions[0]).toBe(versions[1]);
  });

  it("HS-5 given a merge of two ids, then one UPDATED, two DELETED", async () => {
    const merge = item("contact.merge", {
      objectId: undefined,
      primaryObjectId: 10,
      mergedObjectIds: [10, 11],
      newObjectId: 12,
    });
    expect(told(await extractFrom("hubspot", [merge]))).toEqual([
      ["UPDATED", "contacts", "12"],
      ["DELETED", "contacts", "10"],
      ["DELETED", "contacts", "11"],
    ]);
  });

  it("HS-5 given deletion + privacyDeletion, then one DELETED", async () => {
    const batch = [
      item("contact.deletion"),
      item("contact.privacyDeletion", { eventId: 9, subscriptionId: 8 }),
    ];
    expect(told(await extractFrom("hubspot", batch))).toEqual([["DELETED", "contacts", "1801"]]);
  });

  it.each([
    ["company.restore", {}, ["CREATED", "companies", "1801"]],
    ["deal.propertyChange", {}, ["UPDATED", "deals", "1801"]],
    ["object.creation", { objectTypeId: "0-5" }, ["CREATED", "tickets", "1801"]],
    [
      "contact.associationChange",
      { fromObjectId: 5, objectId: undefined },
      ["UPDATED", "contacts", "5"],
    ],
  ])("maps %s", async (name, change, expected) => {
    expect(told(await extractFrom("hubspot", [item(name, change)]))).toEqual([expected]);
    const old = { ...item(name, change), eventType: name, subscriptionType: undefined };
    expect(told(await extractFrom("hubspot", [old]))).toEqual([expected]);
  });

  it("C-4 given an id or cursor above 2^53, then its digits survive", async () => {
    const text = JSON.stringify([item("contact.creation")]).replace("1801", "9007199254740993");
    expect(told(await extractFrom("hubspot", text))).toEqual([
      ["CREATED", "contacts", "9007199254740993"],
    ]);
  });
});

describe("quickbooks", () => {
  const events = [
    {
      specversion: "1.0",
      id: "88cd",
      type: "qbo.account.created.v1",
      time: "2025-09-10T21:31:25.179851517Z",
      intuitentityid: "1234",
      intuitaccountid: "310687",
      data: {},
    },
    {
      specversion: "1.0",
      id: "a1",
      type: "qbo.customer.merged.v1",
      time: "2025-09-10T21:31:26Z",
      intuitentityid: "26",
      intuitaccountid: "310687",
      data: { deletedid: "27" },
    },
    {
      specversion: "1.0",
      id: "a2",
      type: "qbo.SalesReceipt.VOIDED.v1",
      time: "2025-09-10T21:31:27Z",
      intuitentityid: "34",
      intuitaccountid: "9130350000000000001",
    },
  ];
  const legacy = (realmId: string, ...entities: object[]) => ({
    realmId,
    dataChangeEvent: { entities },
  });
  const entity = (operation: string, change: object = {}) => ({
    id: "1234",
    operation,
    name: "Account",
    lastUpdated: "2025-09-08T20:52:31.657Z",
    ...change,
  });

  it("QB-2 given two realms in an array, or two notifications of one realm, then none dropped", async () => {
    const parts = partsOf(webhookOf("quickbooks"), contentOf(events));
    expect(tenantsOf(webhookOf("quickbooks"), contentOf(events))).toEqual(
      parts.map(({ tenant }) => tenant),
    );
    expect(
      parts.map(({ tenant, content }) => [tenant, (content.body as unknown[]).length]),
    ).toEqual([
      ["310687", 2],
      ["9130350000000000001", 1],
    ]);
    const body = {
      eventNotifications: [legacy("1", entity("Create")), legacy("1", entity("Update"))],
    };
    expect(partsOf(webhookOf("quickbooks"), contentOf(body))).toHaveLength(1);
    expect(told(await extractFrom("quickbooks", body))).toEqual([
      ["CREATED", "Account", "1234"],
      ["UPDATED", "Account", "1234"],
    ]);
  });

  it("QB-3 given 9 fraction digits, no `data`, `qbo.SalesReceipt.VOIDED.v1`, then a change of a `SalesReceipt`", async () => {
    const read = await extractFrom("quickbooks", events);
    expect(told(read)).toEqual([
      ["CREATED", "Account", "1234"],
      ["UPDATED", "Customer", "26"],
      ["DELETED", "Customer", "27"],
      ["UPDATED", "SalesReceipt", "34"],
    ]);
    expect(changes(read)[0]?.date).toBe(Date.parse("2025-09-10T21:31:25.179Z"));
    const lower = [{ ...events[2], type: "qbo.salesreceipt.deleted.v1" }];
    expect(told(await extractFrom("quickbooks", lower))).toEqual([
      ["DELETED", "SalesReceipt", "34"],
    ]);
  });

  it.each([
    ["Create", {}, [["CREATED", "Account", "1234"]]],
    ["Update", {}, [["UPDATED", "Account", "1234"]]],
    ["Delete", {}, [["DELETED", "Account", "1234"]]],
    ["Void", {}, [["UPDATED", "Account", "1234"]]],
    ["Emailed", {}, [["UPDATED", "Account", "1234"]]],
    [
      "Merge",
      { deletedId: "5" },
      [
        ["UPDATED", "Account", "1234"],
        ["DELETED", "Account", "5"],
      ],
    ],
  ])("maps the legacy %s", async (operation, change, expected) => {
    const body = { eventNotifications: [legacy("1", entity(operation, change))] };
    expect(told(await extractFrom("quickbooks", body))).toEqual(expected);
  });

  it("QB-7 given `02:30-08:00` and `03:30-07:00`, then equal instants", async () => {
    const dates = await Promise.all(
      ["2025-03-09T02:30:00-08:00", "2025-03-09T03:30:00-07:00"].map(async (lastUpdated) => {
        const body = { eventNotifications: [legacy("1", entity("Update", { lastUpdated }))] };
        return changes(await extractFrom("quickbooks", body))[0]?.date;
      }),
    );
    expect(dates[0]).toBe(dates[1]);
  });
});

describe("github, the seventh vendor", () => {
  it.each([
    ["opened", "CREATED"],
    ["edited", "UPDATED"],
    ["closed", "UPDATED"],
    ["deleted", "DELETED"],
  ])("maps an issue that was %s to %s, without a line of code", async (action, eventType) => {
    const body = { action, issue: { number: 12, updated_at: "2026-01-02T03:04:05Z" } };
    const read = await extractFrom("github", body, {
      "x-github-event": "issues",
      "x-github-delivery": "d1",
    });
    expect(told(read)).toEqual([[eventType, "issues", "12"]]);
    expect(changes(read)[0]?.version).toBe("d1");
  });
});

describe("C-5 given `Z`, `+0000`, `+hh:mm`, no zone (configured zone, default UTC), 0-9 fraction digits or epoch ms (number/string), then the right instant", () => {
  it.each([
    ["2020-01-01T00:00:00Z", 0],
    ["2020-01-01T00:00:00+0000", 0],
    ["2020-01-01T01:00:00+01:00", 0],
    ["2020-01-01T00:00:00", 0],
    ["2020-01-01T00:00:00.123456789Z", 123],
    ["1577836800000", 0],
    [1577836800000, 0],
  ])("reads %s", async (timeStamp, ms) => {
    const read = await extractFrom("concur", {
      id: "1",
      eventType: "reportCreated",
      topic: "concur.expense.report",
      timeStamp,
      facts: { reportId: "R" },
    });
    expect(changes(read)[0]?.date).toBe(Date.UTC(2020, 0, 1) + ms);
  });
});

describe("jsonata", () => {
  const by = (expression: string, body: unknown) =>
    extract({ by: "jsonata", expression }, { ...contentOf(body), headers: new Headers() });

  it("gives events of any shape", async () => {
    const expression =
      'items.{"objectType": "posts", "objectId": id, "eventType": op = "new" ? "CREATED" : "UPDATED", "date": at}';
    const body = {
      items: [
        { id: 1, op: "new", at: "2026-01-01T00:00:00Z" },
        { id: 2, op: "x" },
      ],
    };
    expect(told(await by(expression, body))).toEqual([
      ["CREATED", "posts", "1"],
      ["UPDATED", "posts", "2"],
    ]);
  });

  it("is stopped when it runs away", async () => {
    const read = await by("($f := function($n) { $f($n + 1) }; $f(1))", {});
    expect(read.kind).toBe("unreadable");
  });
});

describe("a date that is a number", () => {
  const item = (occurredAt: unknown) => ({
    portalId: 1,
    occurredAt,
    subscriptionType: "contact.creation",
    objectId: 7,
  });

  it.each<[unknown, number | undefined]>([
    [1_705_422_467_780, 1_705_422_467_780],
    ["1705422467780", 1_705_422_467_780],
    [8_700_000_000_000_000, undefined],
    [-8_700_000_000_000_000, undefined],
    [1e300, undefined],
    [253_402_300_800_000, undefined],
    [{}, undefined],
  ])("is %o milliseconds for HubSpot: %o", async (occurredAt, date) => {
    const [change] = changes(await extractFrom("hubspot", [item(occurredAt)]));
    expect(change).toMatchObject({ objectId: "7", data: { occurredAt } });
    expect(change?.date).toBe(date);
  });

  it.each<["s" | "ms" | "us" | "ns" | undefined, unknown, number | undefined]>([
    [undefined, 1_705_422_467, 1_705_422_467_000],
    [undefined, "1705422467.780", 1_705_422_467_780],
    [undefined, 1_705_422_467_780, 1_705_422_467_780],
    [undefined, 1_705_422_467_780_000, 1_705_422_467_780],
    [undefined, "1705422467780000000", 1_705_422_467_780],
    ["s", 1_705_422_467, 1_705_422_467_000],
    ["us", 100_000_000_000, 100_000_000],
    ["ns", "100000000000000000", 100_000_000_000],
    ["s", 1_705_422_467_780, undefined],
  ])("is told by the unit %s of the definition, or its size: %o", async (dateUnit, at, date) => {
    const extraction = {
      by: "paths" as const,
      objectType: { value: "things" },
      objectId: { path: "id" },
      eventType: { value: "UPDATED" },
      date: { path: "at" },
      ...(dateUnit === undefined ? {} : { dateUnit }),
    };
    const delivery = { ...contentOf({ id: 7, at }), headers: new Headers() };
    expect(changes(await extract(extraction, delivery))[0]?.date).toBe(date);
    const expression = `{"objectType":"things","objectId":id,"eventType":"UPDATED","date":at}`;
    const by = { by: "jsonata" as const, expression };
    if (dateUnit === undefined) expect(changes(await extract(by, delivery))[0]?.date).toBe(date);
  });
});

describe("a delivery's content", () => {
  it.each<[string, string, unknown]>([
    ['{"a":1.10}', "application/json", { a: 1.1 }],
    ["a=1&b=2", "application/x-www-form-urlencoded", { a: "1", b: "2" }],
    ["{=1&b=2", "application/x-www-form-urlencoded", { "{": "1", b: "2" }],
    ["[a]=1", "application/x-www-form-urlencoded; charset=utf-8", { "[a]": "1" }],
    ["  {", "application/x-www-form-urlencoded", { "  {": "" }],
    ["", "application/json", {}],
    [" \n", "text/plain", {}],
  ])("of %o as %s has JSON of its body for text", (text, type, body) => {
    const parsed = parseContent(text, type);
    expect(parsed).toMatchObject({ ok: true, content: { body } });
    expect(parsed.ok && JSON.parse(parsed.content.text)).toEqual(body);
  });
});

it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
  "takes a type called %s for what it is: a name that is not known",
  async (name) => {
    const item = { portalId: 1, subscriptionType: `${name}.creation`, objectId: 7 };
    expect(told(await extractFrom("hubspot", [item]))).toEqual([["CREATED", name, "7"]]);
    const header = { entityName: "Account", changeType: name, recordIds: ["001000000000001AAA"] };
    expect(told(await extractFrom("sfdc", { ChangeEventHeader: header }))).toEqual([]);
  },
);

describe("many changes that share the whole delivery as their data", () => {
  const ids = Array.from({ length: 5_000 }, (_, index) => index);
  const expression = 'ids.{"objectType": "things", "objectId": $, "eventType": "UPDATED"}';

  it.each<[string, () => Promise<Extracted>]>([
    [
      "of a rule in JSONata",
      () =>
        extract(
          { by: "jsonata", expression },
          { ...contentOf({ ids, more: "x".repeat(400_000) }), headers: new Headers() },
        ),
    ],
    [
      "of a merge of many",
      () =>
        extractFrom("hubspot", [
          {
            subscriptionType: "contact.merge",
            mergedObjectIds: ids.slice(1),
            newObjectId: 0,
            more: "x".repeat(400_000),
          },
        ]),
    ],
  ])("%s are all events, and no more data than a commit holds", async (_, read) => {
    const found = changes(await read());
    expect(found).toHaveLength(ids.length);
    const events = eventsOf("instance:1", found, 7, (type) => type);
    expect(new Set(events.map(({ objectId }) => objectId)).size).toBe(ids.length);
    expect(events.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThan(11_000_000);
    expect(events[0]?.data).toContain("xxx");
    expect(events.at(-1)?.data).toBe("null");
  });
});
