import { COMPONENT_TYPES, httpMethod, STEP_IN, STEP_OUT, TRIGGER_OUT } from "../components";

type Schema = { type: "object"; properties: Record<string, object>; required: string[] };

/** What a component is and takes, in the form that editors of flows read (reference app-events-api.md §6). */
export type Manifest = {
  name: string;
  label: string;
  description: string;
  trigger: boolean;
  inPorts: { name: string; schema: Schema }[];
  outPorts: { name: string }[];
  properties: { schema: Schema };
};

export type App = { name: string; label: string; category: string; description: string };

/** Service → what it is; a component belongs to that whose name its type begins with. */
export const APPS: Record<string, App> = {
  "appmixer.utils": {
    name: "appmixer.utils",
    label: "Utilities",
    category: "utilities",
    description: "App events, webhooks and HTTP requests.",
  },
  "tributary.events": {
    name: "tributary.events",
    label: "Events",
    category: "utilities",
    description: "Events of connected accounts and API resources, and schedules.",
  },
};

const TEXT = { type: "string" };
const TEXTS = { type: "array", items: TEXT };

const schema = (properties: Record<string, object> = {}, required: string[] = []): Schema => ({
  type: "object",
  properties,
  required,
});

/** Label, description and properties of each trigger. */
const TRIGGERS: Record<string, [label: string, description: string, properties: Schema]> = {
  "appmixer.utils.appevents.OnAppEvent": [
    "On App Event",
    "Starts when your application sends the event.",
    schema({ event: TEXT, eventDataExample: TEXT }, ["event"]),
  ],
  "appmixer.utils.http.Webhook": [
    "Webhook",
    "Starts when its address is called.",
    schema({ signature: { type: "object" } }),
  ],
  "tributary.events.instances.OnEvent": [
    "On Event",
    "Starts when something changes in a connected account.",
    schema({ instanceId: TEXT, objectTypes: TEXTS, eventTypes: TEXTS }, ["instanceId"]),
  ],
  "tributary.events.resources.OnChange": [
    "On Change",
    "Starts when an API resource changes.",
    schema({ group: TEXT, kind: TEXT, name: TEXT, type: TEXTS }, ["group", "kind", "name", "type"]),
  ],
  "tributary.events.schedule.OnTime": [
    "On Time",
    "Starts at the minutes of a cron expression.",
    schema({ cron: TEXT }, ["cron"]),
  ],
};

/** What every HTTP request takes. */
const REQUEST = schema(
  {
    url: TEXT,
    headers: {},
    body: {},
    bodyBase64Encode: { type: "boolean" },
    responseEncoding: TEXT,
  },
  ["url"],
);

/** All components, by their types. */
export const MANIFESTS = new Map(COMPONENT_TYPES.map((type) => [type, manifestOf(type)]));

function manifestOf(name: string): Manifest {
  const method = httpMethod(name);
  const [label, description, properties] = TRIGGERS[name] ?? [
    `HTTP ${method}`,
    `Makes a ${method} request.`,
    schema(),
  ];
  const isTrigger = method === undefined;
  return {
    name,
    label,
    description,
    trigger: isTrigger,
    inPorts: isTrigger ? [] : [{ name: STEP_IN, schema: REQUEST }],
    outPorts: [{ name: isTrigger ? TRIGGER_OUT : STEP_OUT }],
    properties: { schema: properties },
  };
}
