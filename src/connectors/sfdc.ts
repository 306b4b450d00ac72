import { defineConnector } from "./definition";
import type { ConnectorInput } from "./definition";

const DATE_FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSSZ";

const resource = (object: string): ConnectorInput["resources"][string] => ({
  list: { path: "/services/data/v${sfdc.api.version}/queryAll", root: "records" },
  get: { path: `/services/data/v\${sfdc.api.version}/sobjects/${object}/{id}` },
  create: { method: "POST", path: `/services/data/v\${sfdc.api.version}/sobjects/${object}` },
  update: { method: "PATCH", path: `/services/data/v\${sfdc.api.version}/sobjects/${object}/{id}` },
  delete: {
    method: "DELETE",
    path: `/services/data/v\${sfdc.api.version}/sobjects/${object}/{id}`,
  },
  paging: {
    style: "keyset",
    urlPath: "nextRecordsUrl",
    timePath: "SystemModstamp",
    idPath: "Id",
    totalPath: "totalSize",
  },
  maxPageSize: 2000,
  idField: "Id",
  updatedField: "SystemModstamp",
  createdField: "CreatedDate",
  deleted: { field: "IsDeleted", equals: true },
  // No query shows rows that were removed from the recycle bin; this list does.
  deletions: {
    path: `/services/data/v\${sfdc.api.version}/sobjects/${object}/deleted/`,
    root: "deletedRecords",
    idField: "id",
    dateField: "deletedDate",
    window: {
      start: "start",
      end: "end",
      coveredPath: "latestDateCovered",
      earliestPath: "earliestDateAvailable",
      tooOld: "INVALID_REPLICATION_DATE",
    },
  },
  language: {
    name: "soql",
    object,
    columnsKey: "sfdc.columns",
    time: "SystemModstamp",
    id: "Id",
  },
});

const polling = (name: string) => ({
  url: `/hubs/crm/${name}?where=SystemModstamp>='\${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'`,
  idField: "Id",
  datesConfiguration: {
    updatedDateField: "SystemModstamp",
    updatedDateFormat: DATE_FORMAT,
    updatedDateTimezone: "GMT",
    createdDateField: "CreatedDate",
    createdDateFormat: DATE_FORMAT,
    createdDateTimezone: "GMT",
  },
  // A row may become visible minutes after its SystemModstamp (reference vendors.md SF-6).
  overlap: 600,
});

const ACKNOWLEDGED =
  '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>';

/** Salesforce (reference vendors.md §4). Every sObject can be used as a resource, by its API name. */
export const sfdc = defineConnector({
  key: "sfdc",
  id: 23,
  name: "Salesforce Sales Cloud",
  hub: "crm",
  description: "Salesforce objects",
  authentication: {
    type: "oauth2",
    authorizeUrl: "https://${sfdc.login.host}/services/oauth2/authorize",
    tokenUrl: "https://${sfdc.login.host}/services/oauth2/token",
    revokeUrl: "https://${sfdc.login.host}/services/oauth2/revoke",
    scope: "api refresh_token",
    pkce: true,
    // No expires_in: a token lives until the vendor refuses it with INVALID_SESSION_ID.
    expiresInDefault: 86_400,
    keep: {
      instance_url: "sfdc.instance.url",
      id: { key: "sfdc.organization.id", pattern: "/id/(\\w+)/" },
    },
  },
  baseUrl: "${sfdc.instance.url}",
  hosts: [".salesforce.com", ".force.com", ".cloudforce.com", ".salesforce.mil"],
  headers: { Accept: "application/json" },
  rateLimit: {
    accountKey: "sfdc.organization.id",
    refusal: { status: 403, says: "REQUEST_LIMIT_EXCEEDED" },
  },
  configuration: [
    {
      key: "sfdc.login.host",
      name: "Login host",
      description: "login.salesforce.com, test.salesforce.com or a My Domain",
      type: "TEXTFIELD_128",
      defaultValue: "login.salesforce.com",
    },
    {
      key: "sfdc.instance.url",
      name: "Instance URL",
      description: "Where the organization's API lives, as the token answer names it",
      type: "TEXTFIELD_128",
      defaultValue: "https://login.salesforce.com",
    },
    {
      key: "sfdc.organization.id",
      name: "Organization id",
      description: "What outbound messages must name",
      type: "TEXTFIELD_32",
    },
    { key: "sfdc.api.version", name: "API version", type: "TEXTFIELD_32", defaultValue: "62.0" },
    {
      key: "sfdc.columns",
      name: "Columns",
      description: "What lists read of each record",
      type: "TEXTFIELD_1000",
      defaultValue: "Id,CreatedDate,LastModifiedDate,SystemModstamp,IsDeleted",
    },
  ],
  resources: {
    accounts: resource("Account"),
    contacts: resource("Contact"),
    leads: resource("Lead"),
    opportunities: resource("Opportunity"),
    Account: resource("Account"),
    Contact: resource("Contact"),
    Lead: resource("Lead"),
    Opportunity: resource("Opportunity"),
    Case: resource("Case"),
    Task: resource("Task"),
    Event: resource("Event"),
    User: resource("User"),
    "sobjects/{sObject}": resource("{sObject}"),
  },
  ping: { path: "/services/data/v${sfdc.api.version}/limits" },
  events: {
    methods: ["polling", "webhook"],
    defaultMode: "polling",
    polling: {
      Account: polling("Account"),
      Contact: polling("Contact"),
      Lead: polling("Lead"),
      Opportunity: polling("Opportunity"),
    },
    pollingOther: {
      pattern: "^[A-Za-z]\\w*$",
      path: "sobjects/{name}",
      configuration: polling("{name}"),
    },
  },
  webhook: {
    route: {
      tenants: [{ element: "OrganizationId" }],
      equals: ["sfdc.organization.id"],
    },
    extraction: { by: "parser", parser: "sfdc" },
    acknowledgement: { type: "text/xml", body: ACKNOWLEDGED },
  },
});
