/** What an app imports to call Tributary: browsers, Node and Workers, no dependencies. */

import { type ClientOptions, type Query, Requester } from "./request.js";

export type Trigger = {
  userId: string;
  event: string;
  componentId: string;
  flowId: string;
  createdAt: string;
  /** The run; absent when this trigger failed. */
  correlationId?: string;
};

export type SentEvent = {
  /** The flows it started. */
  triggers: Trigger[];
  /** Triggers that failed: the others run. Absent when no flow listens. */
  errors?: { message: string; code: string; trigger: Trigger; err: unknown }[];
  eventId: string;
};

export type SignedInUser = {
  id: string;
  username: string;
  isActive: boolean;
  email: string;
  plan: string;
  metadata?: Record<string, unknown>;
};

export type Flow = {
  flowId: string;
  userId: string;
  name: string;
  description: string;
  stage: "stopped" | "running";
  type: string;
  flow: Record<string, unknown>;
  [field: string]: unknown;
};

export type FlowDraft = {
  name?: string;
  flow?: Record<string, unknown>;
  type?: string;
  [field: string]: unknown;
};

export type CloneOptions = {
  projection?: string;
  isTemplateInstance?: boolean;
  setOriginFlowId?: boolean;
  setComponentIdMap?: boolean;
  additional?: FlowDraft;
  [field: string]: unknown;
};

export type Client = ReturnType<typeof createClient>;

const EVENTS = "/plugins/appmixer/utils/appevents/events/";

/** A client of one deployment, in the name of the user of `accessToken`. */
export function createClient(options: ClientOptions) {
  const requester = new Requester(options);
  /**
   * Fires a named event for the flows of this user. Resolves once it is stored; `errors` are returned, not
   * thrown. The same `idempotencyKey` is never run twice. @throws TributaryError
   */
  const sendAppEvent = (event: string, data?: unknown, more: SendOptions = {}) =>
    sendEvent(requester, event, data, more);

  return {
    setAccessToken: (accessToken: string | undefined): void =>
      void (requester.accessToken = accessToken),
    /** Keeps the token it gets. A wrong password or unknown user is a TributaryError of status 403. */
    async signIn(username: string, password: string) {
      const body = { username, password };
      const signed = await requester.json<{ user: SignedInUser; token: string }>(
        "POST",
        "/user/auth",
        {
          body,
        },
      );
      requester.accessToken = signed.token;
      return signed;
    },
    /** Makes a user and keeps its token. A name that is taken is a TributaryError of status 409. */
    async signUp(user: {
      username: string;
      email?: string;
      password: string;
      metadata?: Record<string, unknown>;
    }) {
      const signed = await requester.json<{ token: string }>("POST", "/user", { body: user });
      requester.accessToken = signed.token;
      return signed;
    },
    flows: flowCalls(requester),
    logs: (query?: Query) =>
      requester.json<{ buckets: unknown[]; hits: Record<string, unknown>[] }>("GET", "/logs", {
        query,
      }),
    unprocessed: messageCalls(requester),
    sendAppEvent,
    api: { sendAppEvent },
  };
}

export type SendOptions = { flowId?: string; idempotencyKey?: string; query?: Query };

/** Sends a named event, under a key of its own where none is given. */
export async function sendEvent(
  requester: Requester,
  event: string,
  data: unknown,
  { flowId, idempotencyKey, query }: SendOptions = {},
): Promise<SentEvent> {
  const answer = await requester.call("POST", EVENTS + encodeURIComponent(event), {
    query: { ...query, flowId },
    body: data,
    headers: { "Idempotency-Key": idempotencyKey ?? crypto.randomUUID() },
    repeat: true,
  });
  const eventId = answer.headers.get("x-event-id") ?? "";
  return { ...(answer.data as Omit<SentEvent, "eventId">), eventId };
}

const flowPath = (id: string): string => `/flows/${encodeURIComponent(id)}`;

function flowCalls(requester: Requester) {
  const coordinate = (id: string, command: "start" | "stop") =>
    requester.json<{ flowId: string; ticket?: string }>("POST", `${flowPath(id)}/coordinator`, {
      body: { command },
      repeat: true,
    });
  return {
    list: (query?: Query) => requester.json<Flow[]>("GET", "/flows", { query }),
    get: (id: string, query?: Query) => requester.json<Flow>("GET", flowPath(id), { query }),
    create: (flow: FlowDraft) =>
      requester.json<{ flowId: string }>("POST", "/flows", { body: flow }),
    update: (id: string, flow: FlowDraft, query?: Query) =>
      requester.json<{ flowId: string; result: "updated" }>("PUT", flowPath(id), {
        body: flow,
        query,
      }),
    remove: (id: string) => requester.json<{ flowId: string }>("DELETE", flowPath(id)),
    start: (id: string) => coordinate(id, "start"),
    stop: (id: string) => coordinate(id, "stop"),
    clone: (id: string, body: CloneOptions = {}) =>
      requester.json<{ cloneId: string }>("POST", `${flowPath(id)}/clone`, { body }),
  };
}

const messagePath = (id: string): string => `/unprocessed-messages/${encodeURIComponent(id)}`;

function messageCalls(requester: Requester) {
  return {
    list: (query?: Query) =>
      requester.json<Record<string, unknown>[]>("GET", "/unprocessed-messages", { query }),
    get: (id: string) => requester.json<Record<string, unknown>>("GET", messagePath(id)),
    remove: (id: string) => requester.json<Record<string, never>>("DELETE", messagePath(id)),
    retry: (id: string) =>
      requester.json<Record<string, never>>("POST", `${messagePath(id)}/retry`),
  };
}
