import { defineConnector } from "./definition";

const DATE_FORMAT = "yyyy-MM-dd'T'HH:mm:ssXXX";

/** Issues of one GitHub repository, polled and by webhook: a vendor is one file. */
export const github = defineConnector({
  key: "github",
  id: 5001,
  name: "GitHub",
  hub: "helpdesk",
  description: "Issues of a GitHub repository",
  authentication: {
    type: "apiKey",
    name: "Authorization",
    prefix: "Bearer ",
    configurationKey: "github.token",
  },
  baseUrl: "https://api.github.com",
  headers: {
    Accept: "application/vnd.github+json",
    "User-Agent": "tributary",
    "X-GitHub-Api-Version": "2022-11-28",
  },
  configuration: [
    { key: "github.token", name: "Access token", type: "PASSWORD", required: true },
    { key: "github.owner", name: "Owner", type: "TEXTFIELD_128", required: true },
    { key: "github.repository", name: "Repository", type: "TEXTFIELD_128", required: true },
  ],
  resources: {
    issues: {
      list: {
        path: "/repos/${github.owner}/${github.repository}/issues",
        query: { state: "all", sort: "updated", direction: "asc" },
      },
      get: { path: "/repos/${github.owner}/${github.repository}/issues/{id}" },
      create: { method: "POST", path: "/repos/${github.owner}/${github.repository}/issues" },
      update: { method: "PATCH", path: "/repos/${github.owner}/${github.repository}/issues/{id}" },
      paging: { style: "linkHeader", sizeParameter: "per_page" },
      maxPageSize: 100,
      idField: "number",
      updatedField: "updated_at",
      createdField: "created_at",
      where: { updated_at: { parameter: "since", operators: [">", ">="] } },
    },
  },
  ping: { path: "/repos/${github.owner}/${github.repository}" },
  events: {
    methods: ["polling", "webhook"],
    defaultMode: "polling",
    polling: {
      issues: {
        url: `/hubs/helpdesk/issues?where=updated_at>='\${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'`,
        idField: "number",
        datesConfiguration: {
          updatedDateField: "updated_at",
          updatedDateFormat: DATE_FORMAT,
          createdDateField: "created_at",
          createdDateFormat: DATE_FORMAT,
        },
      },
    },
  },
  webhook: {
    signatures: [{ header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" }],
    extraction: {
      by: "paths",
      objectType: { header: "x-github-event", map: { issues: "issues" } },
      objectId: { path: "issue.number" },
      eventType: {
        path: "action",
        map: { opened: "CREATED", deleted: "DELETED", transferred: "DELETED" },
        otherwise: "UPDATED",
      },
      date: { path: "issue.updated_at" },
      version: { header: "x-github-delivery" },
    },
  },
});
