import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { findConnector } from "../../../src/connectors/catalog";
import { parseInstant } from "../../../src/polling/java-date";
import { UTC } from "../../../src/polling/zone";
import { emulate, platform, stored, VENDOR } from "../../platform";
import { boxEmulator } from "../../vendors/box";
import { dropboxEmulator } from "../../vendors/dropbox";
import { hubspotEmulator } from "../../vendors/hubspot";
import { quickbooksEmulator } from "../../vendors/quickbooks";
import type { Answer, Incoming } from "../../vendors/server";
import { sfdcEmulator } from "../../vendors/sfdc";
import { connect, DAY, HOUR, later, type On, pollWell, SINCE, told } from "./connect";

/** The pitfalls of reference vendors.md, as far as they concern polling: given … then …. */

let on: On;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

describe("box", () => {
  const upload = (name: string, at: number) => ({
    event_id: name,
    event_type: "ITEM_UPLOAD",
    created_at: new Date(at).toISOString(),
    source: { type: "file", id: `f-${name}`, etag: "0" },
  });
  const chunk = (entries: object[], position: string): Answer => ({
    status: 200,
    body: `{"chunk_size":${entries.length},"next_stream_position":${position},"entries":${JSON.stringify(entries)}}`,
  });
  /** The stream answers by `page`; everything else is the emulator's. */
  const stream = (page: (position: string) => Answer) => {
    const box = boxEmulator();
    emulate((request) =>
      request.path === "/2.0/events"
        ? page(request.query.get("stream_position") ?? "")
        : box.answer(request),
    );
  };

  it("BX-6: given the numeric position 1152922976252290886, then exactly those digits are sent next", async () => {
    const asked: string[] = [];
    stream((position) => {
      asked.push(position);
      return chunk([], "1152922976252290886");
    });
    const { id } = await connect(on, "box");
    await pollWell(on, id);
    await pollWell(on, id);
    expect(asked).toEqual(["now", "1152922976252290886"]);
  });

  it("BX-7: given repeated or unordered event_ids, then each once, 5000 of them remembered", async () => {
    const at = Date.now();
    const names = Array.from({ length: 5_000 }, (_, index) => `e${index}`);
    const shuffled = names.toSorted(
      (a, b) => ((Number(a.slice(1)) * 7919) % 5_000) - ((Number(b.slice(1)) * 7919) % 5_000),
    );
    const all = [...names, ...shuffled].map((name, index) =>
      upload(name, at - (index % 60) * 1_000),
    );
    stream((position) => {
      const from = position === "now" ? 0 : Number(position);
      const entries = position === "now" ? [] : all.slice(from, from + 500);
      return chunk(entries, String(from + entries.length));
    });
    const { id } = await connect(on, "box");
    await pollWell(on, id);
    const { resources } = await pollWell(on, id);
    expect(resources).toMatchObject([{ fetched: 10_000, created: 5_000 }]);
  });

  it("BX-7: given a short page, then paging goes on; an empty chunk with unchanged position ends it", async () => {
    const asked: string[] = [];
    const short = [[upload("a", Date.now())], [], [upload("b", Date.now())]];
    stream((position) => {
      asked.push(position);
      const at = position === "now" ? -1 : Number(position);
      return chunk(short[at] ?? [], String(Math.min(at + 1, short.length)));
    });
    const { id } = await connect(on, "box");
    await pollWell(on, id);
    await pollWell(on, id);
    expect(asked).toEqual(["now", "0", "1", "2", "3"]);
    expect(await told(on, id)).toHaveLength(2);
  });
});

describe("concur", () => {
  const TOKENS = {
    token_type: "Bearer",
    scope: "EXPRPT",
    expires_in: "3600",
    geolocation: "https://us.api.concursolutions.com",
  };
  const report = (ID: string, LastModifiedDate: string, CreateDate = LastModifiedDate) => ({
    ID,
    LastModifiedDate,
    CreateDate,
  });
  const text = (at: number) => new Date(at).toISOString().slice(0, 23);
  /** A company's reports, page by page; `token` answers the token endpoint. */
  const company = (
    page: (request: Incoming) => Answer,
    token: (form: URLSearchParams) => object = () => ({
      ...TOKENS,
      access_token: "access",
      refresh_token: "refresh",
    }),
  ) => {
    const seen: Incoming[] = [];
    emulate((request) => {
      seen.push(request);
      return request.path === "/oauth2/v0/token"
        ? { status: 200, body: token(new URLSearchParams(request.text)) }
        : page(request);
    });
    return seen;
  };
  const items = (Items: object[], NextPage: string | null = null): Answer => ({
    status: 200,
    body: { Items, NextPage },
  });

  it("CO-1: given 2013-09-02T19:46:01.98 on a host in any zone, then 19:46:01.980Z", async () => {
    const updatedDateFormat = "yyyy-MM-dd'T'HH:mm:ss.SSS";
    const expected = Date.UTC(2013, 8, 2, 19, 46, 1, 980);
    expect(parseInstant("2013-09-02T19:46:01.98", updatedDateFormat, UTC)).toBe(expected);
    company(() => items([report("R", "2026-11-20T19:46:01.98")]));
    const since = { "event.poller.since": "2026-11-20T19:46:01.979Z" };
    const { id } = await connect(on, "concur", since);
    await pollWell(on, id);
    expect((await stored(on, id)).map(({ date }) => date)).toEqual([
      Date.UTC(2026, 10, 20, 19, 46, 1, 980),
    ]);
    company(() => items([report("R", "2026-11-20T19:46:01.98")]));
    const equal = await connect(on, "concur", { "event.poller.since": "2026-11-20T19:46:01.980Z" });
    await pollWell(on, equal.id);
    expect(await told(on, equal.id)).toEqual([]);
  });

  it("CO-2: given NextPage, then followed; given a report modified during paging, then the overlap window finds it and (ID, LastModifiedDate) is emitted once", async () => {
    const at = Date.now() - HOUR;
    let modified = text(at);
    const list = ["A", "B", "C"];
    const seen = company(({ query }) => {
      const offset = Number(query.get("offset") ?? 0);
      const after = Date.parse(`${query.get("modifiedDateAfter") ?? "1970-01-01T00:00:00.000"}Z`);
      const found = list
        .map((ID) => (ID === "A" ? report("A", modified, text(at)) : report(ID, text(at))))
        .filter(({ LastModifiedDate }) => Date.parse(`${LastModifiedDate}Z`) >= after);
      // A changes while the second page is read.
      if (offset === 2) modified = text(Date.now());
      const next = new URL(`${VENDOR}/api/v3.0/expense/reports?offset=${offset + 2}`);
      next.searchParams.set("modifiedDateAfter", query.get("modifiedDateAfter") ?? "");
      return items(found.slice(offset, offset + 2), offset + 2 < found.length ? next.href : null);
    });
    const { id } = await connect(on, "concur");
    await pollWell(on, id);
    expect(seen.filter(({ query }) => query.get("offset") === "2")).toHaveLength(1);
    expect(await told(on, id)).toHaveLength(3);
    await pollWell(on, id);
    await pollWell(on, id);
    const events = await stored(on, id);
    expect(events.map(({ objectId, eventType }) => [objectId, eventType])).toEqual([
      ["A", "CREATED"],
      ["B", "CREATED"],
      ["C", "CREATED"],
      ["A", "UPDATED"],
    ]);
    const asked = seen.at(-1)?.query.get("modifiedDateAfter") ?? "";
    expect(asked).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/);
  });

  it("CO-3: given refresh returns a new geolocation and token, then both are stored and used; text expires_in is parsed", async () => {
    const seen = company(
      () => items([]),
      (form) =>
        form.get("grant_type") === "refresh_token"
          ? {
              ...TOKENS,
              access_token: "second",
              refresh_token: "refresh-2",
              geolocation: "https://eu.api.concursolutions.com",
            }
          : { ...TOKENS, expires_in: "1", access_token: "first", refresh_token: "refresh-1" },
    );
    // Without `base.url` the vendor's own word decides where requests go.
    const hosts: string[] = [];
    const { id } = await connect(on, "concur");
    await pollWell(on, id);
    const lists = seen.filter(({ path }) => path.endsWith("/reports"));
    expect(lists.map(({ headers }) => headers["authorization"])).toEqual(["Bearer second"]);
    const { body } = await on.call("GET", `/instances/${id}/configuration`);
    const value = (key: string) => body.find((entry: any) => entry.key === key)?.propertyValue;
    expect(value("oauth.geolocation")).toBe("https://eu.api.concursolutions.com");
    const refreshes = seen.filter(({ text: form }) => form.includes("refresh-1"));
    expect(refreshes).toHaveLength(1);
    await on.call("PATCH", `/instances/${id}`, { configuration: { "base.url": null } });
    vi.stubGlobal("fetch", async (input: URL | string) => {
      hosts.push(new URL(input).host);
      return Response.json({ Items: [], NextPage: null });
    });
    await pollWell(on, id);
    expect(new Set(hosts)).toEqual(new Set(["eu.api.concursolutions.com"]));
  });

  it("CO-7: given a report deleted while only polling, then no event; connector metadata states this limit", async () => {
    const at = text(Date.now() - HOUR);
    let list = [report("A", at), report("B", at)];
    company(() => items(list));
    const { id } = await connect(on, "concur");
    await pollWell(on, id);
    list = list.slice(1);
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([
      ["CREATED", "reports", "A"],
      ["CREATED", "reports", "B"],
    ]);
    const { body } = await on.call("GET", "/elements/concur/metadata?expand=true");
    const [reports] = body.resources;
    expect(reports.events.eventTypes).toEqual(["CREATED", "UPDATED"]);
    expect(body.description).toMatch(/deleted/i);
  });
});

describe("dropbox", () => {
  const start = async (names: string[], pageSize = 50) => {
    const dropbox = dropboxEmulator({ pageSize });
    for (const name of names) dropbox.put(`id:${name}`, `/${name}`, "file", SINCE - HOUR);
    emulate(dropbox.answer);
    const { id } = await connect(on, "dropbox");
    await pollWell(on, id);
    return { dropbox, id };
  };

  it("DB-3: given one account on three instances, then three syncs, each told all", async () => {
    const { dropbox, id } = await start([]);
    const grant = { "oauth.user.refresh_token": "the-refresh-token" };
    const others = [];
    for (let made = 0; made < 2; made += 1)
      others.push(await connect(on, "dropbox", grant, { code: undefined }));
    for (const other of others) await pollWell(on, other.id);
    dropbox.put("id:x", "/x");
    await Promise.all([id, ...others.map((other) => other.id)].map((one) => pollWell(on, one)));
    for (const one of [id, ...others.map((other) => other.id)])
      expect(await told(on, one)).toEqual([["CREATED", "files", "id:x"]]);
  });

  it("DB-3: given syncs of one instance at the same time, then they never overlap and tell nothing twice", async () => {
    const { dropbox, id } = await start(["a"], 1);
    for (const name of ["b", "c", "d"]) dropbox.put(`id:${name}`, `/${name}`);
    await Promise.all([on.poll(id), on.poll(id), on.poll(id)]);
    expect(await told(on, id)).toHaveLength(3);
  });

  it("DB-4: given new id, then CREATED; known id, new rev, then UPDATED; deleted path, then DELETED with the indexed id", async () => {
    const { dropbox, id } = await start(["known", "gone"]);
    dropbox.put("id:new", "/new");
    dropbox.put("id:known", "/known");
    dropbox.remove("/gone");
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([
      ["CREATED", "files", "id:new"],
      ["UPDATED", "files", "id:known"],
      ["DELETED", "files", "id:gone"],
    ]);
  });

  it("DB-5: given deleted A then file B with one id in one read, then one UPDATED", async () => {
    const { dropbox, id } = await start(["a"]);
    dropbox.move("id:a", "/a", "/b");
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([["UPDATED", "files", "id:a"]]);
  });

  it("DB-6: given a deleted id back within 30 days, then UPDATED; later, then CREATED, and its tombstone is forgotten", async () => {
    const { dropbox, id } = await start(["a", "b", "c"]);
    for (const name of ["a", "b", "c"]) dropbox.remove(`/${name}`);
    await pollWell(on, id);
    later(29 * DAY);
    dropbox.put("id:a", "/a");
    await pollWell(on, id);
    later(2 * DAY);
    dropbox.put("id:b", "/b");
    await pollWell(on, id);
    expect((await told(on, id)).slice(3)).toEqual([
      ["UPDATED", "files", "id:a"],
      ["CREATED", "files", "id:b"],
    ]);
    expect(await on.streamOf(id).readStatePage("t|", "", 10)).toEqual([]);
    const nodes = await on.streamOf(id).readStatePage("i|", "", 10);
    expect(nodes.map(({ key }) => key)).toEqual(["i|id:a", "i|id:b"]);
  });

  it("DB-7: given reset, then a full list is diffed against the index; only differences are emitted", async () => {
    const { dropbox, id } = await start(["a", "b", "c"]);
    dropbox.silently(() => {
      dropbox.remove("/a");
      dropbox.put("id:b", "/b");
      dropbox.put("id:n", "/n");
    });
    dropbox.reset();
    await pollWell(on, id);
    const all = (await told(on, id)).map((one) => one.join(" ")).toSorted();
    expect(all).toEqual(["CREATED files id:n", "DELETED files id:a", "UPDATED files id:b"]);
  });

  it("DB-8: given has_more, then continue; given a crash after a page, then cursor and its events were saved together", async () => {
    const { dropbox, id } = await start([], 2);
    for (const name of ["a", "b", "c", "d", "e"]) dropbox.put(`id:${name}`, `/${name}`);
    let pages = 0;
    emulate((request) => {
      pages += 1;
      return pages === 2 ? { status: 500 } : dropbox.answer(request);
    });
    expect((await on.poll(id)).status).toBe(502);
    expect(await told(on, id)).toHaveLength(2);
    await pollWell(on, id);
    expect((await told(on, id)).map(([, , objectId]) => objectId)).toEqual(
      ["a", "b", "c", "d", "e"].map((name) => `id:${name}`),
    );
  });
});

describe("sfdc", () => {
  const idOf = (index: number) => `003ak${String(index).padStart(10, "0")}AAA`;

  it("SF-6: given a row visible minutes late with an older stamp, then lookback finds it", async () => {
    const sfdc = sfdcEmulator();
    emulate(sfdc.answer);
    const { id } = await connect(on, "sfdc", { "event.objects": "Contact" });
    sfdc.put(idOf(1), Date.now());
    await pollWell(on, id);
    sfdc.put(idOf(2), Date.now() - 5 * 60_000);
    await pollWell(on, id);
    expect((await told(on, id)).map(([, , objectId]) => objectId)).toEqual([idOf(1), idOf(2)]);
  });

  const withList = {
    "event.poller.configuration": {
      Contact: {
        ...findConnector("sfdc")?.events.polling["Contact"],
        deletion: { strategy: "list", everyMinutes: 1, maxRatio: 0.5 },
      },
    },
  };
  const covering = (deletedRecords: object[], earliest: number): Answer => ({
    status: 200,
    body: {
      deletedRecords,
      earliestDateAvailable: new Date(earliest).toISOString().replace("Z", "+0000"),
      latestDateCovered: new Date(Date.now()).toISOString().replace("Z", "+0000"),
    },
  });

  it.each<[string, () => Answer]>([
    [
      "INVALID_REPLICATION_DATE",
      () => ({
        status: 400,
        body: [{ message: "startDate before org creation", errorCode: "INVALID_REPLICATION_DATE" }],
      }),
    ],
    ["earliestDateAvailable > start", () => covering([], Date.now())],
  ])("SF-7: given %s, then full resync", async (_, tooOld) => {
    const sfdc = sfdcEmulator();
    for (let index = 1; index <= 6; index += 1) sfdc.put(idOf(index), SINCE - HOUR);
    let deleted = (): Answer => covering([], SINCE - DAY);
    const asked: URLSearchParams[] = [];
    emulate((request) => {
      if (!request.path.endsWith("/sobjects/Contact/deleted/")) return sfdc.answer(request);
      asked.push(request.query);
      return deleted();
    });
    const { id } = await connect(on, "sfdc", withList);
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([]);
    // Gone for good: no query shows it, and the list reaches not back far enough.
    sfdc.purge(idOf(2));
    later(120_000);
    deleted = tooOld;
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([["DELETED", "Contact", idOf(2)]]);
    deleted = () => covering([], SINCE - DAY);
    later(120_000);
    await pollWell(on, id);
    expect(await told(on, id)).toHaveLength(1);
    for (const query of asked) {
      const [start, end] = [query.get("start") ?? "", query.get("end") ?? ""];
      expect(Date.parse(end) - Date.parse(start)).toBeGreaterThan(60_000);
      expect(start).toMatch(/^[\d-]+T[\d:]+Z$/);
    }
  });

  it("SF-7: a row that getDeleted names is told once, and the next window begins at latestDateCovered", async () => {
    const sfdc = sfdcEmulator();
    sfdc.put(idOf(1), SINCE - HOUR);
    let list: object[] = [];
    const starts: string[] = [];
    emulate((request) => {
      if (!request.path.endsWith("/deleted/")) return sfdc.answer(request);
      starts.push(request.query.get("start") ?? "");
      return covering(list, SINCE - DAY);
    });
    const { id } = await connect(on, "sfdc", withList);
    await pollWell(on, id);
    sfdc.purge(idOf(1));
    list = [{ id: idOf(1), deletedDate: new Date(Date.now()).toISOString().replace("Z", "+0000") }];
    for (let times = 0; times < 3; times += 1) {
      later(120_000);
      await pollWell(on, id);
    }
    expect(await told(on, id)).toEqual([["DELETED", "Contact", idOf(1)]]);
    expect(Date.parse(starts.at(-1) ?? "")).toBeGreaterThan(Date.parse(starts[0] ?? "") + DAY);
  });

  it("polls any sObject that event.objects names, by its own name, and refuses what is none", async () => {
    const sfdc = sfdcEmulator();
    sfdc.put(idOf(1), Date.now());
    emulate(sfdc.answer);
    const { id } = await connect(on, "sfdc", { "event.objects": "Invoice__c, Case" });
    await pollWell(on, id);
    expect(sfdc.queries.map((query) => /FROM (\w+)/.exec(query)?.[1])).toEqual([
      "Invoice__c",
      "Case",
    ]);
    expect((await told(on, id)).map(([, objectType]) => objectType)).toEqual([
      "Invoice__c",
      "Case",
    ]);
    await expect(connect(on, "sfdc", { "event.objects": "Con-tact" })).rejects.toThrow(
      /Unknown resource .*Con-tact/,
    );
  });

  it("waits for all instances of the organization when REQUEST_LIMIT_EXCEEDED comes without Retry-After", async () => {
    const sfdc = sfdcEmulator();
    emulate(sfdc.answer);
    const { id } = await connect(on, "sfdc", { "event.objects": "Contact" });
    await pollWell(on, id);
    emulate(() => ({
      status: 403,
      body: [{ message: "TotalRequests Limit exceeded.", errorCode: "REQUEST_LIMIT_EXCEEDED" }],
    }));
    expect((await on.poll(id)).status).toBe(502);
    const cursor = JSON.parse((await on.streamOf(id).inspect()).cursor ?? "");
    expect(cursor.notBefore).toBeGreaterThan(Date.now() + 50_000);
    expect(cursor.resources.Contact?.failures ?? 0).toBe(0);
  });
});

describe("hubspot", () => {
  const search = (row: (at: string) => Answer) => {
    const hubspot = hubspotEmulator();
    emulate((request) => {
      if (!request.path.endsWith("/search")) return hubspot.answer(request);
      const body = JSON.parse(request.text);
      return row(body.after ?? "0");
    });
    return hubspot;
  };
  const row = (id: string, at: number) => ({
    id,
    properties: {},
    createdAt: new Date(at).toISOString(),
    updatedAt: new Date(at).toISOString(),
    archived: false,
  });

  it("HS-7: given an empty page with paging.next.after, then paging goes on", async () => {
    const at = Date.now() - HOUR;
    const asked: string[] = [];
    search((after) => {
      asked.push(after);
      const results = after === "0" ? [] : [row("1", at)];
      const paging = after === "0" ? { paging: { next: { after: "100" } } } : {};
      return { status: 200, body: { total: 1, results, ...paging } };
    });
    const { id } = await connect(on, "hubspot", { "event.objects": "contacts" });
    await pollWell(on, id);
    expect(asked).toEqual(["0", "100"]);
    expect(await told(on, id)).toEqual([["CREATED", "contacts", "1"]]);
  });

  /** Reference connector-events-api.md §12. */
  it("takes the configuration that was written for the former API, with vid and properties", async () => {
    const at = Date.now() - HOUR;
    const filters: unknown[] = [];
    const hubspot = hubspotEmulator();
    emulate((request) => {
      if (!request.path.endsWith("/search")) return hubspot.answer(request);
      filters.push(JSON.parse(request.text).filterGroups[0].filters[0]);
      const properties = {
        lastmodifieddate: new Date(at + 5_000).toISOString(),
        createdate: new Date(at).toISOString(),
      };
      return { status: 200, body: { results: [{ ...row("501", at), properties }] } };
    });
    const { id } = await connect(on, "hubspot", {
      "event.poller.configuration": {
        accounts: {
          url: "/hubs/crm/contacts?where=lastmodifieddate='${date}'",
          idField: "vid",
          datesConfiguration: {
            updatedDateField: "properties.lastmodifieddate",
            updatedDateFormat: "milliseconds",
            createdDateField: "properties.createdate",
            createdDateFormat: "milliseconds",
          },
          createdCheckTolerance: 10,
        },
      },
    });
    await pollWell(on, id);
    expect(filters).toEqual([
      {
        propertyName: "lastmodifieddate",
        operator: "GTE",
        value: expect.stringMatching(/^\d{13}$/),
      },
    ]);
    expect(await told(on, id)).toEqual([["CREATED", "accounts", "501"]]);
  });

  it("tells what ?archived=true lists where deletions are asked for, later than the baseline, each once", async () => {
    const hubspot = hubspotEmulator();
    let archived: object[] = [];
    emulate((request) => {
      if (request.query.get("archived") !== "true") return hubspot.answer(request);
      const from = Number(request.query.get("after") ?? 0);
      const next = from + 1 < archived.length ? { next: { after: String(from + 1) } } : {};
      return { status: 200, body: { results: archived.slice(from, from + 1), paging: next } };
    });
    const { id } = await connect(on, "hubspot", {
      "event.poller.configuration": {
        contacts: {
          ...findConnector("hubspot")?.events.polling["contacts"],
          deletion: { strategy: "list", everyMinutes: 1 },
        },
      },
    });
    const gone = (one: string, at: number) => ({
      ...row(one, SINCE),
      archived: true,
      archivedAt: new Date(at).toISOString(),
    });
    archived = [gone("1", SINCE - HOUR), gone("2", Date.now() - HOUR), gone("3", Date.now())];
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([
      ["DELETED", "contacts", "2"],
      ["DELETED", "contacts", "3"],
    ]);
    later(120_000);
    archived.push(gone("4", Date.now()));
    await pollWell(on, id);
    await pollWell(on, id);
    expect((await told(on, id)).slice(2)).toEqual([["DELETED", "contacts", "4"]]);
  });
});

describe("quickbooks", () => {
  it("QB-5: given entity blocks in any order or {}, then found by key; Deleted, then DELETED even if never seen", async () => {
    const quickbooks = quickbooksEmulator();
    emulate(quickbooks.answer);
    const { id } = await connect(
      on,
      "quickbooks",
      {
        "event.objects": "customers,invoices,bills",
        "event.poller.since": new Date(Date.now() - DAY).toISOString(),
      },
      { realmId: "310687" },
    );
    // The emulator answers blocks in reverse, {} for what has none.
    quickbooks.put("Customer", "63", Date.now() - HOUR);
    quickbooks.remove("Bill", "34", Date.now() - HOUR);
    await pollWell(on, id);
    expect((await told(on, id)).toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1))).toEqual([
      ["CREATED", "customers", "63"],
      ["DELETED", "bills", "34"],
    ]);
  });

  /** Reference connector-events-api.md §12. */
  it("takes the field names that the connectors of old had", async () => {
    const quickbooks = quickbooksEmulator();
    emulate(quickbooks.answer);
    const since = { "event.poller.since": new Date(Date.now() - DAY).toISOString() };
    const { id } = await connect(
      on,
      "quickbooks",
      {
        ...since,
        "event.poller.configuration": {
          invoices: {
            url: "/hubs/finance/invoices?where=metaData.lastUpdatedTime>='${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}'",
            idField: "id",
            datesConfiguration: {
              updatedDateField: "metaData.lastUpdatedTime",
              updatedDateFormat: "yyyy-MM-dd'T'HH:mm:ssXXX",
              createdDateField: "metaData.createTime",
            },
          },
        },
      },
      { realmId: "310687" },
    );
    quickbooks.put("Invoice", "7", Date.now() - 60_000, Date.now() - HOUR);
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([["UPDATED", "invoices", "7"]]);
  });

  it("QB-7: given 02:30-08:00 and 03:30-07:00, then equal instants", () => {
    const format = "yyyy-MM-dd'T'HH:mm:ssXXX";
    const [a, b] = ["2026-03-08T02:30:00-08:00", "2026-03-08T03:30:00-07:00"].map((text) =>
      parseInstant(text, format, UTC),
    );
    expect(a).toBe(b);
    expect(a).toBe(Date.UTC(2026, 2, 8, 10, 30));
  });
});
