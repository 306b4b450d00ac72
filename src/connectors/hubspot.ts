import { type ConnectorInput, defineConnector } from "./definition";

const time = (type: string): string =>
  type === "contacts" ? "lastmodifieddate" : "hs_lastmodifieddate";

const resource = (type: string): ConnectorInput["resources"][string] => ({
  list: { method: "POST", path: `/crm/v3/objects/${type}/search`, body: {}, root: "results" },
  get: { path: `/crm/v3/objects/${type}/{id}` },
  create: { method: "POST", path: `/crm/v3/objects/${type}` },
  update: { method: "PATCH", path: `/crm/v3/objects/${type}/{id}` },
  delete: { method: "DELETE", path: `/crm/v3/objects/${type}/{id}` },
  paging: {
    style: "search",
    cursorPath: "paging.next.after",
    timePath: "updatedAt",
    idPath: "id",
    most: 10_000,
    totalPath: "total",
    sizeParameter: "limit",
  },
  maxPageSize: 200,
  idField: "id",
  updatedField: "updatedAt",
  createdField: "createdAt",
  formerly: { vid: "id" },
  deletions: {
    path: `/crm/v3/objects/${type}`,
    query: { archived: "true", limit: "100" },
    root: "results",
    idField: "id",
    dateField: "archivedAt",
    cursor: { parameter: "after", path: "paging.next.after" },
  },
  language: { name: "hubspot", time: time(type), id: "hs_object_id" },
});

const polling = (name: string, type: string) => ({
  url: `/hubs/crm/${name}?where=${time(type)}>=\${epoch}`,
  idField: "id",
  datesConfiguration: {
    updatedDateField: "updatedAt",
    updatedDateFormat: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    createdDateField: "createdAt",
    createdDateFormat: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
  },
  createdCheckTolerance: 10,
});

const ESCAPES = ["3A", "2F", "3F", "40", "21", "24", "27", "28", "29", "2A", "2C", "3B"];
const LEGACY = { header: "x-hubspot-signature", algorithm: "sha256", encoding: "hex" } as const;

/** HubSpot CRM (reference vendors.md §5). */
const definition = (
  key: string,
  id: number,
  name: string,
  deals: "deals" | "opportunities",
): ConnectorInput => ({
  key,
  id,
  name,
  hub: "crm",
  description: "Contacts, companies, deals and tickets in HubSpot",
  authentication: {
    type: "oauth2",
    authorizeUrl: "https://app.hubspot.com/oauth/authorize",
    tokenUrl: "https://api.hubapi.com/oauth/2026-03/token",
    revokeUrl: "https://api.hubapi.com/oauth/2026-03/token/revoke",
    scope:
      "oauth crm.objects.contacts.read crm.objects.companies.read crm.objects.deals.read tickets",
    expiresInDefault: 1800,
    keep: { hub_id: "hubspot.portal.id" },
  },
  // A private app's token, in place of a consent.
  otherAuthentications: [
    {
      type: "apiKey",
      name: "Authorization",
      prefix: "Bearer ",
      configurationKey: "hubspot.authorization.apikey",
    },
  ],
  baseUrl: "https://api.hubapi.com",
  headers: { Accept: "application/json" },
  // Searches, which polls are made of.
  rateLimit: { requests: 5, seconds: 1, accountKey: "hubspot.portal.id" },
  configuration: [
    {
      key: "authentication.type",
      name: "Authentication",
      description: "oauth2 or apiKey",
      type: "TEXTFIELD_32",
      defaultValue: "oauth2",
    },
    {
      key: "hubspot.authorization.apikey",
      name: "Private app token",
      description: "What apiKey authentication sends",
      type: "PASSWORD",
    },
    {
      key: "hubspot.portal.id",
      name: "Portal id",
      description: "The account's id, which webhooks call portalId",
      type: "TEXTFIELD_32",
    },
  ],
  resources: {
    contacts: resource("contacts"),
    companies: resource("companies"),
    deals: resource("deals"),
    tickets: resource("tickets"),
    accounts: { ...resource("companies"), objectType: "companies" },
    opportunities: { ...resource("deals"), objectType: "deals" },
  },
  ping: { path: "/crm/v3/objects/contacts", query: { limit: "1" } },
  events: {
    methods: ["polling", "webhook"],
    defaultMode: "polling",
    polling: {
      accounts: polling("accounts", "companies"),
      contacts: polling("contacts", "contacts"),
      [deals]: polling(deals, "deals"),
    },
  },
  webhook: {
    signatures: [
      {
        header: "x-hubspot-signature-v3",
        encoding: "base64",
        content: "${method}${url}${body}${timestamp}",
        timestamp: { header: "x-hubspot-request-timestamp", unit: "ms", maxAgeSeconds: 300 },
        decodedInUrl: ESCAPES.map((digits) => `%${digits}`),
        decisive: true,
      },
      {
        ...LEGACY,
        content: "${key}${method}${url}${body}",
        requires: { "x-hubspot-signature-version": "v2" },
      },
      {
        ...LEGACY,
        content: "${key}${body}",
        requires: { "x-hubspot-signature-version": "v1" },
      },
    ],
    defaultKey: "oauth.api.secret",
    route: {
      tenants: [{ list: "", path: "portalId" }, { path: "portalId" }],
      equals: ["hubspot.portal.id"],
      family: "hubspot",
    },
    extraction: { by: "parser", parser: "hubspot" },
  },
});

export const hubspot = defineConnector(definition("hubspot", 43, "HubSpot", "deals"));
export const hubspotcrm = defineConnector(
  definition("hubspotcrm", 168, "HubSpot CRM", "opportunities"),
);
