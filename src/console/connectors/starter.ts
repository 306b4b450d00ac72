import type { Document } from "./form";

/** What a new connector begins as: a list of records that is polled. */
export const STARTER: Document = {
  key: "",
  name: "",
  hub: "general",
  authentication: {
    type: "apiKey",
    name: "Authorization",
    prefix: "Bearer ",
    configurationKey: "api.token",
  },
  baseUrl: "https://",
  configuration: [{ key: "api.token", name: "Token", type: "PASSWORD", required: true }],
  resources: {},
  events: { methods: ["polling"], defaultMode: "polling", polling: {} },
};
