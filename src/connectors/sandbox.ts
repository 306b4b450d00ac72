import { defineConnector } from "./definition";
import type { ConnectorInput } from "./definition";

const DATE_FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";

type ResourceInput = ConnectorInput["resources"][string];

const resource = (name: string, paging: ResourceInput["paging"]): ResourceInput => ({
  list: { path: `/v1/${name}`, root: "data" },
  get: { path: `/v1/${name}/{id}` },
  create: { method: "POST", path: `/v1/${name}` },
  update: { method: "PATCH", path: `/v1/${name}/{id}` },
  delete: { method: "DELETE", path: `/v1/${name}/{id}` },
  paging,
  maxPageSize: 100,
  idField: "id",
  updatedField: "updatedDate",
  createdField: "createdDate",
  deleted: { field: "deleted", equals: true },
  // `updated_since` includes its instant, so `>` gives the records of that instant too.
  where: { updatedDate: { parameter: "updated_since", operators: [">", ">="] } },
});

const polling = (name: string) => ({
  url: `/hubs/crm/${name}?where=updatedDate>='\${date:${DATE_FORMAT}}'`,
  idField: "id",
  datesConfiguration: {
    updatedDateField: "updatedDate",
    updatedDateFormat: DATE_FORMAT,
    updatedDateTimezone: "GMT",
    createdDateField: "createdDate",
    createdDateFormat: DATE_FORMAT,
    createdDateTimezone: "GMT",
  },
});

/** The small CRM of `test/vendors/sandbox.ts`: what the demo and most tests poll. */
export const sandbox = defineConnector({
  key: "sandbox",
  id: 1,
  name: "Sandbox CRM",
  hub: "crm",
  description: "A small CRM on your own machine, to try things out",
  authentication: {
    type: "apiKey",
    name: "Authorization",
    prefix: "Bearer ",
    configurationKey: "sandbox.api.key",
  },
  baseUrl: "http://127.0.0.1:9001",
  headers: { Accept: "application/json" },
  configuration: [{ key: "sandbox.api.key", name: "API key", type: "PASSWORD", required: true }],
  resources: {
    accounts: resource("accounts", {
      style: "page",
      pageParameter: "page",
      sizeParameter: "page_size",
    }),
    contacts: resource("contacts", {
      style: "cursor",
      cursorParameter: "cursor",
      cursorPath: "paging.next",
      sizeParameter: "limit",
    }),
    deals: resource("deals", {
      style: "offset",
      offsetParameter: "offset",
      sizeParameter: "limit",
    }),
  },
  ping: { path: "/v1/me" },
  events: {
    methods: ["polling"],
    defaultMode: "polling",
    polling: {
      accounts: polling("accounts"),
      contacts: polling("contacts"),
      deals: polling("deals"),
    },
    refreshInterval: 1,
  },
});
