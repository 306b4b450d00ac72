import { type Answer, Index, wrongParameter } from "./server.ts";

/**
 * The other lists of SAP Concur's v3 API (reference vendors.md §2), strict: each takes its own parameters and no others,
 * answers under its own name, and shows no date that the real one lacks. Invoices are asked for by whole days, and those
 * of the very day named are left out.
 */

export interface ConcurRecord {
  id: string;
  /** Epoch milliseconds; shown only by lists that have such a date. */
  created: number;
  modified: number;
  fields: Record<string, unknown>;
}

interface ListRules {
  path: string;
  /** Where the answer has the records. */
  root: string;
  parameters: readonly string[];
  defaultLimit: number;
  mostLimit: number;
  /** Without `user=ALL` only the caller's own are listed, which are none. */
  ofUser?: boolean;
  dates?: (record: ConcurRecord) => Record<string, string>;
  byDay?: Readonly<Record<string, "created" | "modified">>;
  hasOne?: boolean;
}

const cut = (at: number) => new Date(at).toISOString().replace(/\.?0*Z$/, "");
const spaced = (at: number) =>
  new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/0{0,2}Z$/, "");

export const CONCUR_LISTS = {
  entries: {
    path: "/api/v3.0/expense/entries",
    root: "Items",
    parameters: [
      "reportID",
      "paymentTypeID",
      "batchID",
      "isBillable",
      "attendeeTypeCode",
      "hasAttendees",
      "hasVAT",
      "expenseTypeCode",
      "attendeeID",
      "user",
    ],
    defaultLimit: 25,
    mostLimit: 100,
    ofUser: true,
    hasOne: true,
    dates: ({ modified }) => ({ LastModified: cut(modified) }),
  },
  itemizations: {
    path: "/api/v3.0/expense/itemizations",
    root: "Items",
    parameters: ["reportID", "entryID", "expenseTypeCode", "user"],
    defaultLimit: 25,
    mostLimit: 100,
    ofUser: true,
    hasOne: true,
    dates: ({ modified }) => ({ LastModified: cut(modified) }),
  },
  allocations: {
    path: "/api/v3.0/expense/allocations",
    root: "Items",
    parameters: ["reportID", "entryID", "itemizationID"],
    defaultLimit: 25,
    mostLimit: 100,
    hasOne: true,
  },
  attendees: {
    path: "/api/v3.0/expense/attendees",
    root: "Items",
    parameters: ["externalID", "attendeeTypeID", "user"],
    defaultLimit: 25,
    mostLimit: 100,
    ofUser: true,
    hasOne: true,
  },
  users: {
    path: "/api/v3.0/common/users",
    root: "Items",
    parameters: ["active", "employeeID", "lastName", "loginID", "primaryEmail"],
    defaultLimit: 25,
    mostLimit: 100,
  },
  vendors: {
    path: "/api/v3.0/invoice/vendors",
    root: "Vendor",
    parameters: [
      "sortDirection",
      "sortBy",
      "searchType",
      "vendorCode",
      "vendorName",
      "taxID",
      "approved",
      "country",
    ],
    defaultLimit: 25,
    mostLimit: 1000,
  },
  invoices: {
    path: "/api/v3.0/invoice/paymentrequestdigests",
    root: "PaymentRequestDigest",
    parameters: [
      "approvalStatus",
      "paymentStatus",
      "vendorInvoiceNumber",
      "payMethodType",
      "createDateBefore",
      "createDateAfter",
      "lastModifiedDateBefore",
      "lastModifiedDateAfter",
    ],
    defaultLimit: 1000,
    mostLimit: 1000,
    hasOne: true,
    byDay: { createDate: "created", lastModifiedDate: "modified" },
    dates: ({ created, modified }) => ({
      CreateDate: spaced(created),
      LastModifiedDate: spaced(modified),
    }),
  },
} as const satisfies Record<string, ListRules>;
export type ConcurList = keyof typeof CONCUR_LISTS;

const rulesOf = (name: ConcurList): ListRules => CONCUR_LISTS[name];
const refuse = (status: number, message: string): Answer => ({
  status,
  body: { Message: message },
});

/** The records of all lists, and their answers. */
export class ConcurRecords {
  readonly #lists = new Map<ConcurList, Index<ConcurRecord>>();

  put(list: ConcurList, record: ConcurRecord): void {
    const index =
      this.#lists.get(list) ?? new Index<ConcurRecord>((a, b) => (a.id < b.id ? -1 : 1));
    index.put(record);
    this.#lists.set(list, index);
  }

  /** Undefined for a path that isn't one of these lists. */
  answer(path: string, query: URLSearchParams, home: string, now: number): Answer | undefined {
    const names = Object.keys(CONCUR_LISTS) as ConcurList[];
    const name = names.find((one) => `${path}/`.startsWith(`${CONCUR_LISTS[one].path}/`));
    if (name === undefined) return undefined;
    const rules = rulesOf(name);
    const index = this.#lists.get(name);
    if (path === rules.path) return listOf(rules, query, index?.visible(now) ?? [], home);
    if (rules.hasOne !== true) return refuse(404, "No HTTP resource was found");
    const record = index?.latest(decodeURIComponent(path.slice(rules.path.length + 1)));
    return record === undefined
      ? refuse(404, "No data found")
      : { status: 200, body: print(rules, record, home) };
  }
}

function listOf(
  rules: ListRules,
  query: URLSearchParams,
  records: ConcurRecord[],
  home: string,
): Answer {
  const wrong = wrongParameter(query, [...rules.parameters, "limit", "offset"]);
  if (wrong !== undefined) return refuse(400, `Unknown or repeated parameter "${wrong}"`);
  const limit = Number(query.get("limit") ?? rules.defaultLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > rules.mostLimit)
    return refuse(400, `Expected limit from 1 to ${rules.mostLimit}`);
  const days = [...query].filter(([name]) => /Date(?:After|Before)$/.test(name));
  if (days.some(([, value]) => !/^\d{4}-\d\d-\d\d$/.test(value)))
    return refuse(400, "Expected days as YYYY-MM-DD");
  const afterId = query.get("offset") ?? "";
  const dayOf = (record: ConcurRecord, name: string) =>
    new Date(record[rules.byDay?.[name.replace(/(?:After|Before)$/, "")] ?? "created"])
      .toISOString()
      .slice(0, 10);
  const found = records.filter(
    (record) =>
      record.id > afterId &&
      (rules.ofUser !== true || query.get("user") === "ALL") &&
      days.every(([name, value]) =>
        name.endsWith("After") ? dayOf(record, name) > value : dayOf(record, name) < value,
      ),
  );
  const page = found.slice(0, limit);
  let NextPage: string | null = null;
  if (found.length > limit) {
    const url = new URL(rules.path, home);
    url.search = String(query);
    url.searchParams.set("offset", page.at(-1)!.id);
    NextPage = url.href;
  }
  return {
    status: 200,
    body: { [rules.root]: page.map((record) => print(rules, record, home)), NextPage },
  };
}

const print = (rules: ListRules, record: ConcurRecord, home: string) => ({
  ID: record.id,
  URI: `${home}${rules.path}/${record.id}`,
  ...rules.dates?.(record),
  ...record.fields,
});
