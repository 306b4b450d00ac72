import { defineConnector } from "./definition";

const metadata = { method: "POST" as const, path: "/2/files/get_metadata", body: { path: "{id}" } };

/** Dropbox files and folders (reference vendors.md §3); a webhook only says whose files changed. */
export const dropbox = defineConnector({
  key: "dropbox",
  id: 1779,
  name: "Dropbox",
  hub: "documents",
  description: "Files and folders in Dropbox",
  authentication: {
    type: "oauth2",
    authorizeUrl: "https://www.dropbox.com/oauth2/authorize",
    tokenUrl: "https://api.dropboxapi.com/oauth2/token",
    revokeUrl: "https://api.dropboxapi.com/2/auth/token/revoke",
    scope: "files.metadata.read files.content.read account_info.read",
    authorizeParameters: { token_access_type: "offline" },
    expiresInDefault: 14_400,
    keep: { account_id: "oauth.user.id" },
  },
  baseUrl: "https://api.dropboxapi.com",
  headers: { Accept: "application/json" },
  rateLimit: { accountKey: "oauth.user.id", serial: true },
  resources: {
    files: {
      list: {
        method: "POST",
        path: "/2/files/list_folder",
        body: { path: "", recursive: true, include_deleted: false },
        root: "entries",
      },
      get: metadata,
      delete: {
        method: "POST",
        path: "/2/files/delete_v2",
        body: { path: "{id}" },
        root: "metadata",
      },
      paging: {
        style: "cursor",
        cursorParameter: "cursor",
        cursorPath: "cursor",
        morePath: "has_more",
        sizeParameter: "limit",
        continuePath: "/2/files/list_folder/continue",
      },
      maxPageSize: 2000,
      idField: "id",
      updatedField: "server_modified",
    },
    folders: {
      get: metadata,
      create: { method: "POST", path: "/2/files/create_folder_v2", root: "metadata" },
      delete: {
        method: "POST",
        path: "/2/files/delete_v2",
        body: { path: "{id}" },
        root: "metadata",
      },
      idField: "id",
    },
    search: {
      list: { method: "POST", path: "/2/files/search_v2", body: {}, root: "matches" },
      paging: {
        style: "cursor",
        cursorParameter: "cursor",
        cursorPath: "cursor",
        morePath: "has_more",
        continuePath: "/2/files/search/continue_v2",
      },
      idField: "metadata.metadata.id",
      where: { query: { parameter: "query" } },
    },
  },
  ping: { method: "POST", path: "/2/check/user", body: { query: "ping" } },
  events: { methods: ["webhook", "polling"], defaultMode: "webhook", feed: "dropbox" },
  webhook: {
    handshake: { parameter: "challenge" },
    signatures: [{ header: "x-dropbox-signature", encoding: "hex" }],
    defaultKey: "oauth.api.secret",
    route: {
      tenants: [{ list: "list_folder.accounts", path: "" }],
      equals: ["oauth.user.id"],
    },
    extraction: { by: "feed" },
  },
});
