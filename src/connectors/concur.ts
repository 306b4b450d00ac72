import { DATE_FORMAT, otherPolling, otherResources, PAGING, parametersOf } from "./concur-lists";
import { defineConnector } from "./definition";

/** SAP Concur expense reports v3, and what else of it can be polled (reference vendors.md §2). */
export const concur = defineConnector({
  key: "concur",
  id: 3129,
  name: "Concur",
  hub: "expense",
  description:
    "SAP Concur expense reports; polling can't see that one was deleted, but of invoices",
  authentication: {
    type: "oauth2",
    authorizeUrl: "https://www-us.api.concursolutions.com/oauth2/v0/authorize",
    tokenUrl: "https://glz.api.concursolutions.com/oauth2/v0/token",
    refreshUrl: "${oauth.geolocation}/oauth2/v0/token",
    scope: "EXPRPT",
    keep: { geolocation: "oauth.geolocation" },
  },
  baseUrl: "${oauth.geolocation}",
  hosts: [".concursolutions.com", ".concurcdc.cn"],
  headers: { Accept: "application/json" },
  rateLimit: { accountKey: "concur.company.id" },
  configuration: [
    {
      key: "concur.company.id",
      name: "Company id",
      description: "What events of the Event Subscription Service call companyId",
      type: "TEXTFIELD_128",
    },
    {
      key: "oauth.geolocation",
      name: "Geolocation",
      description: "The data centre that holds this company, as the vendor's token answer names it",
      type: "TEXTFIELD_128",
      defaultValue: "https://us.api.concursolutions.com",
    },
  ],
  resources: {
    reports: {
      list: { path: "/api/v3.0/expense/reports", query: { user: "ALL" }, root: "Items" },
      get: { path: "/api/v3.0/expense/reports/{id}" },
      paging: PAGING,
      maxPageSize: 100,
      idField: "ID",
      updatedField: "LastModifiedDate",
      createdField: "CreateDate",
      where: parametersOf(
        "user",
        "modifiedDateAfter",
        "modifiedDateBefore",
        "createDateAfter",
        "createDateBefore",
        "submitDateAfter",
        "submitDateBefore",
        "approvalStatusCode",
      ),
    },
    ...otherResources,
  },
  ping: { path: "/api/v3.0/expense/reports", query: { user: "ALL", limit: "1" } },
  events: {
    methods: ["polling", "webhook"],
    defaultMode: "polling",
    polling: {
      reports: {
        url: `/hubs/expense/reports?where=modifiedDateAfter='\${date:${DATE_FORMAT}}'`,
        idField: "ID",
        datesConfiguration: {
          updatedDateField: "LastModifiedDate",
          updatedDateFormat: DATE_FORMAT,
          updatedDateTimezone: "GMT",
          createdDateField: "CreateDate",
          createdDateFormat: DATE_FORMAT,
        },
      },
    },
    pollingOnRequest: otherPolling,
  },
  // The Event Subscription Service; what its signature covers is unpublished (reference vendors.md §2).
  webhook: {
    signatures: [
      {
        header: "concur-signature",
        algorithm: "rsa-sha256",
        encoding: "base64",
        configurable: true,
      },
    ],
    route: { tenants: [{ path: "facts.companyId" }], equals: ["concur.company.id"] },
    extraction: {
      by: "paths",
      objectType: {
        path: "topic",
        map: { "public.concur.expense.report": "reports", "concur.expense.report": "reports" },
      },
      objectId: { path: "facts.reportId" },
      eventType: {
        path: "eventType",
        map: {
          reportCreated: "CREATED",
          reportUpdated: "UPDATED",
          statusChanged: "UPDATED",
          reportDeleted: "DELETED",
        },
      },
      date: { path: "timeStamp" },
      version: { path: "id" },
    },
  },
});
