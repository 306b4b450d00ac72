/** What an app imports to call Tributary: browsers, Node and Workers, no dependencies. */

export type ClientOptions = {
  baseUrl: string;
  accessToken?: string;
  fetch?: typeof fetch;
  /** One try may take this long; 30 000 when absent. */
  timeoutMs?: number;
};

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

/** Query parameters; a list repeats its key. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

/** An answer that is not 2xx, or no answer at all (`status` 0). */
export class TributaryError extends Error {
  readonly status: number;
  readonly code: number;
  readonly data: unknown;
  constructor(status: number, message: string, data?: unknown) {
    super(message);
    this.name = "TributaryError";
    this.status = status;
    this.code = status;
    this.data = data;
  }
}

export type Client = ReturnType<typeof createClient>;

const TRIES = 4;
const EVENTS = "/plugins/appmixer/utils/appevents/events/";

/** A client of one deployment, in the name of the user of `accessToken`. */
export function createClient(options: ClientOptions) {
  let base = options.baseUrl;
  while (base.endsWith("/")) base = base.slice(0, -1);
  const send = options.fetch ?? ((url, init) => fetch(url, init));
  let token = options.accessToken;

  /** One request, tried again while the network or the platform is in trouble. */
  async function call(
    method: string,
    path: string,
    { query, body, headers, repeat }: Call = {},
  ): Promise<{ data: unknown; headers: Headers }> {
    const url = base + path + queryText(query);
    const init = {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    for (let tries = 1; ; tries += 1) {
      let waitMs = 250 * 2 ** tries;
      try {
        const signal = AbortSignal.timeout(options.timeoutMs ?? 30_000);
        const response = await send(url, { ...init, signal });
        const text = await response.text();
        const data = parsed(text);
        if (response.ok) return { data, headers: response.headers };
        const { status } = response;
        const passing = status === 429 || (status >= 502 && status <= 504);
        if (!repeat || !passing || tries >= TRIES)
          throw new TributaryError(status, messageOf(data) ?? `HTTP ${status}`, data);
        const seconds = Number(response.headers.get("retry-after"));
        if (seconds > 0) waitMs = Math.min(seconds, 60) * 1000;
      } catch (error) {
        if (error instanceof TributaryError) throw error;
        const message = error instanceof Error ? error.message : String(error);
        if (!repeat || tries >= TRIES) throw new TributaryError(0, message, error);
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  const json = async <T>(method: string, path: string, request: Call = {}): Promise<T> =>
    (await call(method, path, { repeat: method === "GET", ...request })).data as T;
  const coordinate = (id: string, command: "start" | "stop") =>
    json<{ flowId: string; ticket?: string }>("POST", `${flowPath(id)}/coordinator`, {
      body: { command },
      repeat: true,
    });

  /**
   * Fires a named event for the flows of this user. Resolves once it is stored; `errors` are returned, not
   * thrown. The same `idempotencyKey` is never run twice. @throws TributaryError
   */
  async function sendAppEvent(
    event: string,
    data?: unknown,
    { flowId, idempotencyKey, query }: SendOptions = {},
  ): Promise<SentEvent> {
    const answer = await call("POST", EVENTS + encodeURIComponent(event), {
      query: { ...query, flowId },
      body: data,
      headers: { "Idempotency-Key": idempotencyKey ?? crypto.randomUUID() },
      repeat: true,
    });
    const eventId = answer.headers.get("x-event-id") ?? "";
    return { ...(answer.data as Omit<SentEvent, "eventId">), eventId };
  }

  return {
    setAccessToken: (accessToken: string | undefined): void => void (token = accessToken),
    /** Keeps the token it gets. A wrong password or unknown user is a TributaryError of status 403. */
    async signIn(username: string, password: string) {
      const body = { username, password };
      const signed = await json<{ user: SignedInUser; token: string }>("POST", "/user/auth", {
        body,
      });
      token = signed.token;
      return signed;
    },
    /** Makes a user and keeps its token. A name that is taken is a TributaryError of status 409. */
    async signUp(user: {
      username: string;
      email?: string;
      password: string;
      metadata?: Record<string, unknown>;
    }) {
      const signed = await json<{ token: string }>("POST", "/user", { body: user });
      token = signed.token;
      return signed;
    },
    flows: {
      list: (query?: Query) => json<Flow[]>("GET", "/flows", { query }),
      get: (id: string, query?: Query) => json<Flow>("GET", flowPath(id), { query }),
      create: (flow: FlowDraft) => json<{ flowId: string }>("POST", "/flows", { body: flow }),
      update: (id: string, flow: FlowDraft, query?: Query) =>
        json<{ flowId: string; result: "updated" }>("PUT", flowPath(id), { body: flow, query }),
      remove: (id: string) => json<{ flowId: string }>("DELETE", flowPath(id)),
      start: (id: string) => coordinate(id, "start"),
      stop: (id: string) => coordinate(id, "stop"),
      clone: (id: string, body: CloneOptions = {}) =>
        json<{ cloneId: string }>("POST", `${flowPath(id)}/clone`, { body }),
    },
    logs: (query?: Query) =>
      json<{ buckets: unknown[]; hits: Record<string, unknown>[] }>("GET", "/logs", { query }),
    unprocessed: {
      list: (query?: Query) =>
        json<Record<string, unknown>[]>("GET", "/unprocessed-messages", { query }),
      get: (id: string) => json<Record<string, unknown>>("GET", messagePath(id)),
      remove: (id: string) => json<Record<string, never>>("DELETE", messagePath(id)),
      retry: (id: string) => json<Record<string, never>>("POST", `${messagePath(id)}/retry`),
    },
    sendAppEvent,
    api: { sendAppEvent },
  };
}

export type SendOptions = { flowId?: string; idempotencyKey?: string; query?: Query };

type Call = {
  query?: Query | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  repeat?: boolean;
};

const flowPath = (id: string): string => `/flows/${encodeURIComponent(id)}`;
const messagePath = (id: string): string => `/unprocessed-messages/${encodeURIComponent(id)}`;

function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((one) => [
      key,
      String(one),
    ]),
  );
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageOf(data: unknown): string | undefined {
  return typeof data === "object" && data !== null && "message" in data
    ? String(data.message)
    : undefined;
}
