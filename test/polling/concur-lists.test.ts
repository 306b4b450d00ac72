import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { emulate, platform, VENDOR } from "../platform";
import { type ConcurList, type ConcurRecord, ConcurRecords } from "../vendors/concur-lists";
import { connect, HOUR, type On, pollWell, SINCE, told } from "./pitfalls/connect";

/** What of SAP Concur is polled beside expense reports (reference vendors.md §2). */

let on: On;
beforeAll(async () => {
  on = await platform();
});
afterEach(() => vi.unstubAllGlobals());

const TOKENS = {
  token_type: "Bearer",
  scope: "EXPRPT",
  expires_in: "3600",
  geolocation: "https://us.api.concursolutions.com",
  access_token: "access",
  refresh_token: "refresh",
};

/** A company whose lists hold what is put into them. */
function company() {
  const records = new ConcurRecords();
  const refused: string[] = [];
  emulate(({ path, query }) => {
    if (path === "/oauth2/v0/token") return { status: 200, body: TOKENS };
    const answer = records.answer(path, query, VENDOR, Date.now()) ?? { status: 404 };
    if (answer.status !== 200) refused.push(`${path}?${query.toString()}`);
    return answer;
  });
  const created = new Map<string, number>();
  const put = (list: ConcurList, id: string, at: number, fields: ConcurRecord["fields"] = {}) => {
    created.set(id, created.get(id) ?? at);
    records.put(list, { id, created: created.get(id) ?? at, modified: at, fields });
  };
  return { records, refused, put };
}

describe.each<[name: string, list: ConcurList]>([
  ["entries", "entries"],
  ["expenses", "entries"],
  ["itemizations", "itemizations"],
  ["allocations", "allocations"],
  ["attendees", "attendees"],
  ["users", "users"],
  ["vendors", "vendors"],
  ["invoices", "invoices"],
  ["payment-requests", "invoices"],
])("event.objects %s", (name, list) => {
  it("polls every page of that list, and tells what is new in it and what changes", async () => {
    const { put, refused } = company();
    for (let n = 0; n < 120; n += 1) put(list, `OLD${100 + n}`, SINCE - 50 * HOUR);
    const { id } = await connect(on, "concur", { "event.objects": name, "pagination.max": 50 });
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([]);
    put(list, "NEW", Date.now() - 1_000);
    put(list, "OLD219", Date.now() - 1_000, { Custom1: "changed" });
    await pollWell(on, id);
    await pollWell(on, id);
    // Nothing says when an entry was created.
    const isNew = list === "entries" || list === "itemizations" ? "UPDATED" : "CREATED";
    expect(await told(on, id)).toEqual([
      [isNew, name, "NEW"],
      ["UPDATED", name, "OLD219"],
    ]);
    expect(refused).toEqual([]);
  });
});

const COPIED = {
  idField: "ID",
  datesConfiguration: {
    updatedDateField: "LastModifiedDate",
    updatedDateFormat: "yyyy-MM-dd'T'HH:mm:ss.SSS",
    createdDateField: "CreateDate",
    createdDateFormat: "yyyy-MM-dd'T'HH:mm:ss.SSS",
  },
};
const copied = (list: string) => ({
  "event.poller.configuration": {
    [list]: {
      ...COPIED,
      url: `/hubs/expense/${list}?where=modifiedDateAfter='\${date:yyyy-MM-dd'T'HH:mm:ss.SSS}'`,
    },
  },
});

describe("the configuration of reports, copied", () => {
  it.each<ConcurList>(["entries", "itemizations", "invoices"])(
    "polls %s by the date that they have",
    async (list) => {
      const { put, refused } = company();
      put(list, "OLD", SINCE - HOUR);
      const { id } = await connect(on, "concur", copied(list));
      await pollWell(on, id);
      expect(await told(on, id)).toEqual([]);
      put(list, "NEW", Date.now() - 1_000);
      await pollWell(on, id);
      await pollWell(on, id);
      expect((await told(on, id)).map(([, , objectId]) => objectId)).toEqual(["NEW"]);
      expect(refused).toEqual([]);
    },
  );

  it("tells an invoice that was deleted", async () => {
    const { put } = company();
    put("invoices", "I", SINCE + HOUR);
    const { id } = await connect(on, "concur", { "event.objects": "invoices" });
    await pollWell(on, id);
    put("invoices", "I", Date.now() - 1_000, { IsDeleted: true });
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([
      ["CREATED", "invoices", "I"],
      ["DELETED", "invoices", "I"],
    ]);
  });
});

describe("what can't be polled", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["an unknown name", { "event.objects": "reports,trips" }, 'Unknown resource "trips"'],
    ["an unknown list", copied("trips"), "Resource 'trips' cannot be listed"],
    ["a list without dates, by date", copied("users"), 'Unsupported field "modifiedDateAfter"'],
    ["a legacy line of an unknown list", { "event.poller.urls": "trips|/trips" }, "'trips'"],
  ])("%s is 400 where it is set, and says why", async (_, configuration, message) => {
    const element = { key: "concur" };
    const made = await on.call("POST", "/instances", { element, configuration });
    expect([made.status, made.body.message]).toEqual([400, expect.stringContaining(message)]);
    const { body } = await on.call("POST", "/instances", { element, configuration: {} });
    const patched = await on.call("PATCH", `/instances/${body.id}`, { configuration });
    expect([patched.status, patched.body.message]).toEqual([400, expect.stringContaining(message)]);
  });
});
