/** A connector that somebody described, for webhooks of issues. `webhook` replaces parts of how they are told. */
export const described = (key: string, webhook: object = {}) => ({
  key,
  name: key,
  hub: "helpdesk",
  authentication: { type: "apiKey", name: "Authorization", configurationKey: `${key}.token` },
  baseUrl: "https://vendor.example",
  configuration: [{ key: `${key}.token`, name: "Token", type: "PASSWORD" }],
  resources: {},
  events: { methods: ["webhook"], defaultMode: "webhook" },
  webhook: {
    signatures: [{ header: "x-signature", encoding: "hex" }],
    extraction: {
      by: "paths",
      objectType: { value: "issues" },
      objectId: { path: "issue.number" },
      eventType: { path: "action", map: { opened: "CREATED" }, otherwise: "UPDATED" },
    },
    ...webhook,
  },
});
