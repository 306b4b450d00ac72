/** The components this platform runs (reference app-events-api.md §5, and our own triggers). */

export type TriggerKind = "app-event" | "webhook" | "instance" | "resource" | "schedule";

const TRIGGERS = new Map<string, TriggerKind>([
  ["appmixer.utils.appevents.OnAppEvent", "app-event"],
  ["appmixer.utils.http.Webhook", "webhook"],
  ["tributary.events.instances.OnEvent", "instance"],
  ["tributary.events.resources.OnChange", "resource"],
  ["tributary.events.schedule.OnTime", "schedule"],
]);

const METHODS = new Map<string, HttpMethod>([
  ["appmixer.utils.http.Get", "GET"],
  ["appmixer.utils.http.Post", "POST"],
  ["appmixer.utils.http.Put", "PUT"],
  ["appmixer.utils.http.Patch", "PATCH"],
  ["appmixer.utils.http.Delete", "DELETE"],
]);

/** All types that flows may use. */
export const COMPONENT_TYPES: readonly string[] = [...TRIGGERS.keys(), ...METHODS.keys()];

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export const triggerKind = (type: string): TriggerKind | undefined => TRIGGERS.get(type);
export const httpMethod = (type: string): HttpMethod | undefined => METHODS.get(type);

/** The in port and out ports of a step. */
export const STEP_IN = "in";
export const STEP_OUT = "response";
export const STEP_ERROR = "error";
/** The out port of a trigger. */
export const TRIGGER_OUT = "out";
