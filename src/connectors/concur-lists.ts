import type { ConnectorInput } from "./definition";

/**
 * What of SAP Concur can be polled beside expense reports (reference vendors.md §2): expense entries with their
 * itemizations, allocations and attendees, users, and vendors and invoices of Concur Invoice. Only invoices can be asked
 * for by date; entries and itemizations are compared here, and the others have no date at all.
 */

type ResourceInput = ConnectorInput["resources"][string];

export const DATE_FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSS";
export const PAGING = { style: "nextUrl", urlPath: "NextPage", sizeParameter: "limit" } as const;

/** Conditions that are request parameters of the same name. */
export const parametersOf = (...names: string[]): NonNullable<ResourceInput["where"]> =>
  Object.fromEntries(names.map((parameter) => [parameter, { parameter }]));

/** Whose records are listed without this is the caller's own. */
const OF_ALL = { user: "ALL" };

const list = (
  path: string,
  { root = "Items", query = {}, maxPageSize = 100, ...rest }: Given,
): ResourceInput => ({
  list: { path, query, root },
  paging: PAGING,
  maxPageSize,
  idField: "ID",
  ...rest,
});
type Given = Partial<ResourceInput> & { root?: string; query?: Record<string, string> };

/** The vendor can't leave out what is old: both names of a bound compare the records' date here. */
const comparedHere: NonNullable<ResourceInput["where"]> = {
  modifiedDateAfter: { checks: { field: "LastModified", operator: ">=" } },
  modifiedDateBefore: { checks: { field: "LastModified", operator: "<=" } },
};

/** Parameters of whole days. `name` is what the vendor calls them, `LastModifiedDate` where it keeps the date. */
const days = (names: string[], name: string, field: string) =>
  Object.fromEntries(
    names.flatMap((written) => [
      [
        `${written}After`,
        {
          parameter: `${name}After`,
          day: "before" as const,
          checks: { field, operator: ">=" as const },
        },
      ],
      [
        `${written}Before`,
        {
          parameter: `${name}Before`,
          day: "after" as const,
          checks: { field, operator: "<=" as const },
        },
      ],
    ]),
  );

/** Reports call it so; a configuration that was copied from theirs is understood. */
const formerly = { LastModifiedDate: "LastModified" };

const entries = list("/api/v3.0/expense/entries", {
  query: OF_ALL,
  get: { path: "/api/v3.0/expense/entries/{id}" },
  updatedField: "LastModified",
  formerly,
  where: {
    ...parametersOf(
      "user",
      "reportID",
      "paymentTypeID",
      "batchID",
      "isBillable",
      "attendeeTypeCode",
      "hasAttendees",
      "hasVAT",
      "expenseTypeCode",
      "attendeeID",
    ),
    ...comparedHere,
  },
});

const invoices = list("/api/v3.0/invoice/paymentrequestdigests", {
  root: "PaymentRequestDigest",
  maxPageSize: 1000,
  get: { path: "/api/v3.0/invoice/paymentrequestdigests/{id}" },
  updatedField: "LastModifiedDate",
  createdField: "CreateDate",
  deleted: { field: "IsDeleted", equals: true },
  where: {
    ...parametersOf("approvalStatus", "paymentStatus", "vendorInvoiceNumber", "payMethodType"),
    ...days(["lastModifiedDate", "modifiedDate"], "lastModifiedDate", "LastModifiedDate"),
    ...days(["createDate"], "createDate", "CreateDate"),
  },
});

export const otherResources: Record<string, ResourceInput> = {
  entries,
  expenses: entries,
  itemizations: list("/api/v3.0/expense/itemizations", {
    query: OF_ALL,
    get: { path: "/api/v3.0/expense/itemizations/{id}" },
    updatedField: "LastModified",
    formerly,
    where: { ...parametersOf("user", "reportID", "entryID", "expenseTypeCode"), ...comparedHere },
  }),
  // The one list of expenses that takes no user.
  allocations: list("/api/v3.0/expense/allocations", {
    get: { path: "/api/v3.0/expense/allocations/{id}" },
    where: parametersOf("reportID", "entryID", "itemizationID"),
  }),
  attendees: list("/api/v3.0/expense/attendees", {
    query: OF_ALL,
    get: { path: "/api/v3.0/expense/attendees/{id}" },
    where: parametersOf("user", "externalID", "attendeeTypeID"),
  }),
  users: list("/api/v3.0/common/users", {
    where: parametersOf("loginID", "primaryEmail", "employeeID", "lastName", "active"),
  }),
  vendors: list("/api/v3.0/invoice/vendors", {
    root: "Vendor",
    maxPageSize: 1000,
    where: parametersOf("searchType", "vendorCode", "vendorName", "taxID", "approved", "country"),
  }),
  invoices,
  "payment-requests": invoices,
};

const undated = (name: string) => ({ url: `/hubs/expense/${name}`, idField: "ID" });
const dated = (name: string) => ({
  url: `/hubs/expense/${name}?where=modifiedDateAfter='\${date:${DATE_FORMAT}}'`,
  idField: "ID",
  datesConfiguration: {
    updatedDateField: "LastModified",
    updatedDateFormat: DATE_FORMAT,
    updatedDateTimezone: "GMT",
  },
});
const invoiced = (name: string) => ({
  ...dated(name),
  datesConfiguration: {
    updatedDateField: "LastModifiedDate",
    updatedDateFormat: "yyyy-MM-dd HH:mm:ss.S",
    updatedDateTimezone: "GMT",
    createdDateField: "CreateDate",
    createdDateFormat: "yyyy-MM-dd HH:mm:ss.S",
  },
});

/** By resource, in the shape of `event.poller.configuration`. */
export const otherPolling: Record<string, Record<string, unknown>> = Object.fromEntries(
  Object.keys(otherResources).map((name) => {
    const { updatedField, createdField } = otherResources[name] ?? {};
    if (updatedField === undefined) return [name, undated(name)];
    return [name, createdField === undefined ? dated(name) : invoiced(name)];
  }),
);
