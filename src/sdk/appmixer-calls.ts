import {
  type CloneOptions,
  type Flow,
  type FlowDraft,
  sendEvent,
  type SignedInUser,
} from "./client.js";
import type { Query, Requester, RequestParts } from "./request.js";

/** Makes one request with the settings of the moment. */
type Ask = () => Requester;

export type Calls = ReturnType<typeof callsOf>;

/** What `appmixer.api` offers, under the names of the original. */
export function callsOf(ask: Ask) {
  return { ...userCalls(ask), ...flowCalls(ask), ...logCalls(ask), ...catalogCalls(ask) };
}

const of = (id: string): string => encodeURIComponent(id);

const caller =
  (ask: Ask) =>
  <T = unknown>(method: string, path: string, parts?: RequestParts): Promise<T> =>
    ask().json<T>(method, path, parts);

function userCalls(ask: Ask) {
  const call = caller(ask);
  return {
    /** Status 403: no such user, or another password. The token is yours to set. */
    authenticateUser: (username: string, password: string) =>
      call<{ user: SignedInUser; token: string }>("POST", "/user/auth", {
        body: { username, password },
      }),
    /** Status 409: the name is taken. */
    signupUser: (username: string, password: string, email?: string) =>
      call<{ token: string }>("POST", "/user", { body: { username, password, email } }),
    getUser: () => call<SignedInUser & { scope: string[] }>("GET", "/user"),
    /** Fires a named event for the flows of this user. */
    sendAppEvent: (event: string, data?: unknown) => sendEvent(ask(), event, data),
  };
}

function flowCalls(ask: Ask) {
  const call = caller(ask);
  const coordinate = (flowId: string, command: "start" | "stop") =>
    call<{ flowId: string; ticket?: string }>("POST", `/flows/${of(flowId)}/coordinator`, {
      body: { command },
      repeat: true,
    });
  return {
    /** The new flow's id. */
    createFlow: async (name: string, flow: FlowDraft["flow"] = {}, properties: FlowDraft = {}) => {
      const body = { name, flow, type: "automation", ...properties };
      return (await call<{ flowId: string }>("POST", "/flows", { body })).flowId;
    },
    deleteFlow: (flowId: string) => call<{ flowId: string }>("DELETE", `/flows/${of(flowId)}`),
    getFlow: (flowId: string, query?: Query) =>
      call<Flow>("GET", `/flows/${of(flowId)}`, { query }),
    getFlows: (query?: Query) => call<Flow[]>("GET", "/flows", { query }),
    getFlowsCount: async (query?: Query) =>
      (await call<{ count: number }>("GET", "/flows/count", { query })).count,
    updateFlow: (flowId: string, body: FlowDraft, query?: Query) =>
      call<{ flowId: string; result: "updated" }>("PUT", `/flows/${of(flowId)}`, { body, query }),
    startFlow: (flowId: string) => coordinate(flowId, "start"),
    stopFlow: (flowId: string) => coordinate(flowId, "stop"),
    /** The clone's id. */
    cloneFlow: async (flowId: string, body: CloneOptions = {}) =>
      (await call<{ cloneId: string }>("POST", `/flows/${of(flowId)}/clone`, { body })).cloneId,
  };
}

export type Logs = { buckets: unknown[]; hits: Record<string, unknown>[] };

function logCalls(ask: Ask) {
  const call = caller(ask);
  return {
    /** With `aggs`, counts by a field; else entries. */
    getLogs: ({ aggs, ...query }: Query & { aggs?: unknown } = {}) =>
      aggs === undefined
        ? call<Logs>("GET", "/logs", { query })
        : call<Logs>("POST", "/logs", { body: { ...query, aggs } }),
    getLog: (logId: string, index: string) =>
      call<Record<string, unknown>>("GET", `/logs/${of(index)}/${of(logId)}`),
  };
}

function catalogCalls(ask: Ask) {
  const call = caller(ask);
  type Entry = Record<string, unknown>;
  return {
    getApps: () => call<Record<string, Entry>>("GET", "/apps"),
    /** The manifests of an app's components. */
    getAppComponents: (app: string) => call<Entry[]>("GET", "/apps/components", { query: { app } }),
    /** All types, or with `{manifest: "yes"}` their manifests. */
    getComponents: (query?: Query) => call<(string | Entry)[]>("GET", "/components", { query }),
    getModifiers: () =>
      call<{ categories: Entry; modifiers: Record<string, Entry> }>("GET", "/modifiers"),
    /** The manifests of the components that a flow has. */
    getFlowComponents: (flowId: string) => call<Entry[]>("GET", `/flows/${of(flowId)}/components`),
    /** What the fields of a flow's components may use. */
    getVariables: (flowId: string, body: Entry = {}) =>
      call<{ components: Entry }>("POST", `/variables/${of(flowId)}/fetch`, { body }),
  };
}
