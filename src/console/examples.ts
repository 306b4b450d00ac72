import { curlOf } from "../operations/deliveries/curl";
import { STARTER } from "./connectors/starter";

/** What a program says to prove who it is. Secrets are never known here, so they are words to be replaced. */
const PROOFS = {
  key: "Bearer <api key>",
  secrets: "User <user secret>, Organization <organization secret>",
  "app user": "Bearer <a token of the user>",
};

/** A request that is shown as a command, most of all while a list is empty that it begins. */
export type Example = {
  path: string;
  as: keyof typeof PROOFS;
  /** What is posted; without one it is a GET. */
  body?: unknown;
  /** The same by one click: a form of the console, and what it sends. */
  demo?: { label: string; to: string; fields: Readonly<Record<string, string>> };
};

const PAID = { amount: 42 };
const PAID_SCHEMA = {
  type: "object",
  required: ["amount"],
  properties: { amount: { type: "number" } },
};

/** An instance of a connector, without the settings that are the connector's own. */
export const instanceOf = (key: string, configuration: Record<string, string> = {}): Example => ({
  path: "/elements/api-v2/instances",
  as: "secrets",
  body: {
    element: { key },
    name: "My first instance",
    configuration: {
      ...configuration,
      "event.notification.callback.url": "https://your-app.example/hook",
    },
  },
});

export const EXAMPLES = {
  instance: instanceOf("sandbox", {
    "sandbox.api.key": "<the key at the vendor>",
    "event.vendor.type": "polling",
  }),
  connector: {
    path: "/elements/api-v2/elements",
    as: "secrets",
    body: { ...STARTER, key: "my-crm", name: "My CRM", baseUrl: "https://api.your-crm.example" },
  },
  destination: {
    path: "/v1/destinations",
    as: "key",
    body: { url: "https://your-app.example/hook", eventTypes: ["invoice.*"] },
  },
  event: {
    path: "/v1/events",
    as: "key",
    body: { type: "invoice.paid", data: PAID },
    demo: {
      label: "Publish this event",
      to: "/console/publish",
      fields: { type: "invoice.paid", data: JSON.stringify(PAID) },
    },
  },
  eventType: {
    path: "/v1/event-types",
    as: "key",
    body: { name: "invoice.paid", schema: PAID_SCHEMA, example: PAID },
    demo: {
      label: "Make this type",
      to: "/console/new-event-type",
      fields: {
        name: "invoice.paid",
        schema: JSON.stringify(PAID_SCHEMA),
        example: JSON.stringify(PAID),
      },
    },
  },
  tenant: {
    path: "/v1/tenants",
    as: "key",
    body: { id: "acme", name: "Acme" },
    demo: {
      label: "Make this tenant",
      to: "/console/tenants",
      fields: { id: "acme", name: "Acme" },
    },
  },
  appUser: {
    path: "/user",
    as: "key",
    body: { username: "ada@your-app.example", password: "<a password of theirs>" },
  },
  appEvent: {
    path: "/plugins/appmixer/utils/appevents/events/contact-created",
    as: "app user",
    body: { email: "ada@example.com" },
  },
  usage: { path: "/v1/usage", as: "key" },
  environment: {
    path: "/apis/management/v1/environments",
    as: "key",
    body: { name: "production", title: "Production" },
    demo: {
      label: "Make this environment",
      to: "/console/resources/create/management/environments",
      fields: { name: "production", title: "Production" },
    },
  },
} satisfies Record<string, Example>;

/** An example as a command of a shell. `proof`: what proves who sends it, where that is known. */
export function commandOf(example: Example, baseUrl: string, proof?: string): string {
  const { path, as, body } = example;
  const isPosted = body !== undefined;
  const command = curlOf({
    method: isPosted ? "POST" : "GET",
    url: `${baseUrl}${path}`,
    headers: {
      Authorization: proof ?? PROOFS[as],
      ...(isPosted ? { "Content-Type": "application/json" } : {}),
    },
    body: isPosted ? JSON.stringify(body, null, 2) : "",
    encoding: "text",
    truncated: false,
  });
  return command ?? "";
}
