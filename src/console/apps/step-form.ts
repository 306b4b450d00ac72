import { STEP_IN, STEP_OUT, TRIGGER_OUT, triggerKind } from "../../flows/components";
import type { Component } from "../../flows/descriptor";
import { isObject, recordOf } from "../../values/record";
import { parsedJson } from "../../values/json";

/** What the form of one component sends; the JSON of the whole flow says everything else. */

type Json = Record<string, unknown>;
type Form = Pick<URLSearchParams, "get" | "has">;

export const METHODS = ["Get", "Post", "Put", "Patch", "Delete"] as const;
export const ON_ERROR = [
  ["storeUnprocessed", "keep the message, to be retried"],
  ["errorPort", "go on at the port “error”"],
  ["stopFlow", "stop the flow"],
] as const;

/** The properties of triggers that are plain texts, and those that are lists of them. */
export const PROPERTIES = [
  ["event", "Event"],
  ["cron", "Cron"],
  ["timezone", "Time zone"],
  ["instanceId", "Instance"],
  ["group", "Group"],
  ["kind", "Kind"],
] as const;
export const LISTS = [
  ["objectTypes", "Object types"],
  ["eventTypes", "Event types"],
] as const;

/** A flow with what a form says of one of its components; as it is when it has no such component. */
export function withStep(flow: Json, component: Component, form: Form): Json {
  const given = recordOf(flow[component.id]);
  const label = (form.get("label") ?? "").trim();
  const { label: _label, ...rest } = given;
  const named = label === "" ? rest : { ...rest, label };
  const kind = triggerKind(component.type);
  const changed =
    kind === undefined ? requestOf(named, component, form) : propertiesOf(named, kind, form);
  return { ...flow, [component.id]: changed };
}

function propertiesOf(given: Json, kind: string, form: Form): Json {
  const config = recordOf(given["config"]);
  const properties: Json = { ...recordOf(config["properties"]) };
  const set = (name: string, value: unknown): void => {
    if (!form.has(name)) return;
    if (value === "") delete properties[name];
    else properties[name] = value;
  };
  for (const [name] of PROPERTIES) set(name, (form.get(name) ?? "").trim());
  for (const [name] of LISTS) set(name, listOf(form.get(name) ?? ""));
  if (kind === "app-event") set("eventDataExample", form.get("eventDataExample") ?? "");
  return { ...given, config: { ...config, properties } };
}

function listOf(text: string): string[] | "" {
  const items = text.split(",").map((item) => item.trim());
  const found = items.filter((item) => item !== "");
  return found.length === 0 ? "" : found;
}

function requestOf(given: Json, component: Component, form: Form): Json {
  const [first] = component.inputs;
  const method = METHODS.find((one) => one === form.get("method"));
  const handling = {
    autoRetry: form.get("autoRetry") === "yes",
    maxRetries: Number(form.get("maxRetries") ?? ""),
    onError: form.get("onError") ?? "",
  };
  const described = {
    ...given,
    ...(method === undefined ? {} : { type: `appmixer.utils.http.${method}` }),
    errorHandling: { ...recordOf(given["errorHandling"]), ...handling },
  };
  if (first === undefined) return described;
  const config = recordOf(given["config"]);
  const before = component.transform[first.inPort]?.[first.from]?.[first.outPort];
  const lambda: Json = { ...before?.lambda };
  for (const name of ["url", "headers", "body"]) {
    const text = form.get(name) ?? "";
    if (text.trim() === "") delete lambda[name];
    else lambda[name] = keptAs(lambda[name], text);
  }
  const mapping = { type: "json2new", modifiers: {}, ...before, lambda };
  const transform = recordOf(config["transform"]);
  const senders = recordOf(transform[first.inPort]);
  const ports = recordOf(senders[first.from]);
  return {
    ...described,
    config: {
      ...config,
      transform: {
        ...transform,
        [first.inPort]: { ...senders, [first.from]: { ...ports, [first.outPort]: mapping } },
      },
    },
  };
}

/** What was an object stays one, if what was typed is. */
function keptAs(before: unknown, text: string): unknown {
  if (typeof before !== "object" || before === null) return text;
  const parsed = parsedJson(text)?.value;
  return isObject(parsed) || Array.isArray(parsed) ? parsed : text;
}

/** A field's value as it is typed. */
export const typed = (value: unknown): string =>
  value === undefined || value === null
    ? ""
    : typeof value === "string"
      ? value
      : JSON.stringify(value, null, 2);

/** A flow with one more step, below a component. */
export function withNewStep(flow: Json, above: Component, url: string): Json {
  const port = triggerKind(above.type) === undefined ? STEP_OUT : TRIGGER_OUT;
  const id = freeId(flow);
  return { ...flow, [id]: callStep(above.id, port, { url }) };
}

function freeId(flow: Json): string {
  for (let number = 1; ; number += 1) {
    const id = `step-${number}`;
    if (!Object.hasOwn(flow, id)) return id;
  }
}

const callStep = (from: string, port: string, lambda: Json): Json => ({
  type: "appmixer.utils.http.Post",
  source: { [STEP_IN]: { [from]: [port] } },
  config: {
    transform: {
      [STEP_IN]: { [from]: { [port]: { type: "json2new", modifiers: {}, lambda } } },
    },
  },
});

/** A flow without a component, and without what named it as its source. */
export function withoutStep(flow: Json, id: string): Json {
  const rest = Object.entries(flow).filter(([name]) => name !== id);
  return Object.fromEntries(rest.map(([name, step]) => [name, unlinked(step, id)]));
}

function unlinked(step: unknown, id: string): unknown {
  if (!isObject(step)) return step;
  const without = (ports: unknown): Json =>
    Object.fromEntries(
      Object.entries(recordOf(ports)).map(([port, senders]) => [
        port,
        Object.fromEntries(Object.entries(recordOf(senders)).filter(([from]) => from !== id)),
      ]),
    );
  const config = recordOf(step["config"]);
  return {
    ...step,
    ...(isObject(step["source"]) ? { source: without(step["source"]) } : {}),
    ...(isObject(config["transform"])
      ? { config: { ...config, transform: without(config["transform"]) } }
      : {}),
  };
}

/** A flow that hands an app event on to an address: what most begin with. */
export const firstFlow = (event: string, example: string, url: string): Json => ({
  event: {
    type: "appmixer.utils.appevents.OnAppEvent",
    source: {},
    config: {
      properties: { event, ...(example.trim() === "" ? {} : { eventDataExample: example }) },
    },
  },
  callback: callStep("event", TRIGGER_OUT, { url, body: "{{{$.event.out.data}}}" }),
});
