import { defineConnector } from "./definition";

const SIGNED = {
  encoding: "base64" as const,
  content: "${body}${timestamp}",
  timestamp: {
    header: "box-delivery-timestamp",
    unit: "iso" as const,
    maxAgeSeconds: 600,
    maxFutureSeconds: 60,
  },
  requires: { "box-signature-version": "1", "box-signature-algorithm": "HmacSHA256" },
  spelling: "escaped-json" as const,
};

const FILE_TRIGGERS = [
  "FILE.UPLOADED",
  "FILE.TRASHED",
  "FILE.DELETED",
  "FILE.RESTORED",
  "FILE.COPIED",
  "FILE.MOVED",
  "FILE.RENAMED",
];
const FOLDER_TRIGGERS = [
  "FOLDER.CREATED",
  "FOLDER.RENAMED",
  "FOLDER.RESTORED",
  "FOLDER.DELETED",
  "FOLDER.COPIED",
  "FOLDER.MOVED",
  "FOLDER.TRASHED",
];

/**
 * Box content, v2 (reference vendors.md §1).
 *
 * Box's v1 webhooks (`userId=["…"]&event=uploaded&itemId=…`, reference connector-events-api.md §6) are refused.
 * They are not signed: anybody who learns a user's id or an address could invent changes. The same changes come
 * signed, by the V2 webhooks that `events.list.ids` registers, or from the polled event stream.
 */
export const box = defineConnector({
  key: "box",
  id: 22,
  name: "Box",
  hub: "documents",
  description:
    "Files and folders in Box; webhooks are V2, as forms of v1 are not signed and refused",
  authentication: {
    type: "oauth2",
    authorizeUrl: "https://account.box.com/api/oauth2/authorize",
    tokenUrl: "https://api.box.com/oauth2/token",
    revokeUrl: "https://api.box.com/oauth2/revoke",
    scope: "root_readwrite manage_webhook",
  },
  baseUrl: "https://api.box.com",
  headers: { Accept: "application/json" },
  // The token answer does not name the user. Instances share the user's limit if their configuration names the user.
  rateLimit: { requests: 1000, seconds: 60, accountKey: "oauth.user.id" },
  configuration: [
    {
      key: "events.list.ids",
      name: "Files and folders",
      description: "Comma list of ids, file:<id> or folder:<id> that webhooks are made for",
      type: "TEXTFIELD_1000",
    },
    {
      key: "box.webhook.ids",
      name: "Webhook ids",
      description: "The webhooks that were made for this instance",
      type: "TEXTFIELD_1000",
    },
  ],
  resources: {
    files: {
      get: { path: "/2.0/files/{id}" },
      update: { method: "PUT", path: "/2.0/files/{id}" },
      delete: { method: "DELETE", path: "/2.0/files/{id}" },
      idField: "id",
      updatedField: "modified_at",
      createdField: "created_at",
    },
    folders: {
      get: { path: "/2.0/folders/{id}" },
      create: { method: "POST", path: "/2.0/folders" },
      update: { method: "PUT", path: "/2.0/folders/{id}" },
      delete: { method: "DELETE", path: "/2.0/folders/{id}", query: { recursive: "true" } },
      idField: "id",
      updatedField: "modified_at",
      createdField: "created_at",
    },
    "folders/{folderId}/items": {
      list: {
        path: "/2.0/folders/{folderId}/items",
        query: { usemarker: "true" },
        root: "entries",
      },
      paging: {
        style: "cursor",
        cursorParameter: "marker",
        cursorPath: "next_marker",
        sizeParameter: "limit",
      },
      maxPageSize: 1000,
      idField: "id",
    },
    webhooks: {
      list: { path: "/2.0/webhooks", root: "entries" },
      get: { path: "/2.0/webhooks/{id}" },
      create: { method: "POST", path: "/2.0/webhooks" },
      update: { method: "PUT", path: "/2.0/webhooks/{id}" },
      delete: { method: "DELETE", path: "/2.0/webhooks/{id}" },
      paging: {
        style: "cursor",
        cursorParameter: "marker",
        cursorPath: "next_marker",
        sizeParameter: "limit",
      },
      maxPageSize: 200,
      idField: "id",
      createdField: "created_at",
    },
    users: {
      list: { path: "/2.0/users", root: "entries" },
      get: { path: "/2.0/users/{id}" },
      paging: {
        style: "offset",
        offsetParameter: "offset",
        sizeParameter: "limit",
        totalPath: "total_count",
      },
      maxPageSize: 1000,
      idField: "id",
      updatedField: "modified_at",
      createdField: "created_at",
      where: { filter_term: { parameter: "filter_term" }, user_type: { parameter: "user_type" } },
    },
    search: {
      list: { path: "/2.0/search", root: "entries" },
      paging: {
        style: "offset",
        offsetParameter: "offset",
        sizeParameter: "limit",
        totalPath: "total_count",
      },
      maxPageSize: 200,
      idField: "id",
      updatedField: "modified_at",
      createdField: "created_at",
      where: {
        query: { parameter: "query" },
        type: { parameter: "type" },
        ancestor_folder_ids: { parameter: "ancestor_folder_ids" },
        file_extensions: { parameter: "file_extensions" },
      },
    },
    events: {
      list: { path: "/2.0/events", root: "entries" },
      paging: {
        style: "cursor",
        cursorParameter: "stream_position",
        cursorPath: "next_stream_position",
        sizeParameter: "limit",
      },
      maxPageSize: 500,
      idField: "event_id",
      createdField: "created_at",
      where: { stream_type: { parameter: "stream_type" } },
    },
  },
  ping: { path: "/2.0/users/me" },
  events: {
    methods: ["webhook", "polling"],
    defaultMode: "webhook",
    feed: "box",
  },
  webhook: {
    signatures: [
      { ...SIGNED, header: "box-signature-primary", key: "primary" },
      { ...SIGNED, header: "box-signature-secondary", key: "secondary" },
    ],
    route: {
      tenants: [{ path: "webhook.id" }],
      equals: ["box.webhook.ids"],
    },
    extraction: { by: "parser", parser: "box" },
    registration: {
      itemsKey: "events.list.ids",
      idsKey: "box.webhook.ids",
      resource: "webhooks",
      types: ["folder", "file"],
      triggers: { file: FILE_TRIGGERS, folder: [...FILE_TRIGGERS, ...FOLDER_TRIGGERS] },
    },
  },
});
