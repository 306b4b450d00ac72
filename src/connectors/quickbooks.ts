import { defineConnector } from "./definition";
import type { ConnectorInput } from "./definition";
import { ENTITIES } from "./quickbooks-events";

const DATE_FORMAT = "yyyy-MM-dd'T'HH:mm:ssXXX";
const BASE = "/v3/company/${quickbooks.realm.id}";

/** List entities hide what is inactive. */
const WITH_ACTIVE = new Set([
  "Account",
  "Class",
  "CompanyCurrency",
  "Customer",
  "Employee",
  "Item",
  "PaymentMethod",
  "TaxCode",
  "TaxRate",
  "Term",
  "Vendor",
]);

const resource = (entity: string): ConnectorInput["resources"][string] => {
  const path = `${BASE}/${entity.toLowerCase()}`;
  const query = { minorversion: "75" };
  return {
    list: { path: `${BASE}/query`, query, root: `QueryResponse.${entity}` },
    get: { path: `${path}/{id}`, query, root: entity },
    create: { method: "POST", path, query, root: entity },
    update: {
      method: "POST",
      path,
      query,
      body: { sparse: true },
      take: ["Id", "SyncToken"],
      root: entity,
    },
    delete: {
      method: "POST",
      path,
      query: { ...query, operation: "delete" },
      take: ["Id", "SyncToken"],
      root: entity,
    },
    paging: { style: "offset", offsetParameter: "STARTPOSITION", sizeParameter: "MAXRESULTS" },
    maxPageSize: 1000,
    idField: "Id",
    updatedField: "MetaData.LastUpdatedTime",
    createdField: "MetaData.CreateTime",
    formerly: {
      id: "Id",
      "metaData.lastUpdatedTime": "MetaData.LastUpdatedTime",
      "metaData.lastUpdateTime": "MetaData.LastUpdatedTime",
      "metaData.createTime": "MetaData.CreateTime",
    },
    deleted: { field: "status", equals: "Deleted" },
    language: {
      name: "qbo",
      object: entity,
      time: "MetaData.LastUpdatedTime",
      hasActive: WITH_ACTIVE.has(entity),
    },
    objectType: entity,
  };
};

const polling = (name: string) => ({
  url: `/hubs/finance/${name}?where=MetaData.LastUpdatedTime>='\${gmtDate:${DATE_FORMAT}}'`,
  idField: "Id",
  datesConfiguration: {
    updatedDateField: "MetaData.LastUpdatedTime",
    updatedDateFormat: DATE_FORMAT,
    createdDateField: "MetaData.CreateTime",
    createdDateFormat: DATE_FORMAT,
  },
});

const each = <T>(make: (name: string, entity: string) => T): Record<string, T> =>
  Object.fromEntries(
    Object.entries(ENTITIES).map(([name, entity]): [string, T] => [name, make(name, entity)]),
  );

/** QuickBooks Online (reference vendors.md §6). */
export const quickbooks = defineConnector({
  key: "quickbooks",
  id: 39,
  name: "QuickBooks Online",
  hub: "finance",
  description: "Accounting in QuickBooks Online",
  authentication: {
    type: "oauth2",
    authorizeUrl: "https://appcenter.intuit.com/connect/oauth2",
    tokenUrl: "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
    revokeUrl: "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    scope: "com.intuit.quickbooks.accounting",
    clientAuthentication: "basic",
    providerData: { realmId: "quickbooks.realm.id" },
  },
  baseUrl: "https://quickbooks.api.intuit.com",
  headers: { Accept: "application/json" },
  rateLimit: { requests: 500, seconds: 60, accountKey: "quickbooks.realm.id", pauseSeconds: 60 },
  configuration: [
    {
      key: "quickbooks.realm.id",
      name: "Realm id",
      description: "The company, as the redirect after consent names it",
      type: "TEXTFIELD_32",
    },
  ],
  resources: each((_, entity) => resource(entity)),
  ping: {
    path: `${BASE}/companyinfo/\${quickbooks.realm.id}`,
    query: { minorversion: "75" },
  },
  events: {
    methods: ["polling", "webhook"],
    defaultMode: "polling",
    polling: each((name) => polling(name)),
    feed: "quickbooks",
  },
  webhook: {
    signatures: [{ header: "intuit-signature", encoding: "base64" }],
    route: {
      tenants: [
        { list: "", path: "intuitaccountid" },
        { list: "eventNotifications", path: "realmId" },
        { path: "intuitaccountid" },
      ],
      equals: ["quickbooks.realm.id"],
    },
    extraction: { by: "parser", parser: "quickbooks" },
  },
});
