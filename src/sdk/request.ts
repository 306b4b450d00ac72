export type ClientOptions = {
  baseUrl: string;
  accessToken?: string;
  fetch?: typeof fetch;
  /** One try may take this long; 30 000 when absent. */
  timeoutMs?: number;
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

  /** The same as the original's clients look for it; undefined when there was no answer. */
  get response(): { status: number; data: unknown } | undefined {
    return this.status === 0 ? undefined : { status: this.status, data: this.data };
  }
}

/** What a request has beside its method and path. */
export type RequestParts = {
  query?: Query | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether the request may be made again when it fails: making it twice has the effect of once. */
  repeat?: boolean;
};

const TRIES = 4;

/** Makes requests of one deployment, with the access token that is set at the time. */
export class Requester {
  accessToken: string | undefined;
  private readonly base: string;
  private readonly fetch: typeof fetch;
  private readonly timeoutMs: number;

  constructor({ baseUrl, accessToken, fetch: send, timeoutMs = 30_000 }: ClientOptions) {
    let base = baseUrl;
    while (base.endsWith("/")) base = base.slice(0, -1);
    this.base = base;
    this.accessToken = accessToken;
    this.fetch = send ?? ((url, init) => fetch(url, init));
    this.timeoutMs = timeoutMs;
  }

  /** The JSON of an answer; a GET may always be repeated. @throws TributaryError */
  async json<T>(method: string, path: string, parts: RequestParts = {}): Promise<T> {
    return (await this.call(method, path, { repeat: method === "GET", ...parts })).data as T;
  }

  /** One request, repeated (if it may be) while the network fails or the platform is overloaded. @throws TributaryError */
  async call(
    method: string,
    path: string,
    { query, body, headers, repeat }: RequestParts = {},
  ): Promise<{ data: unknown; headers: Headers }> {
    const url = this.base + path + queryText(query);
    const token = this.accessToken;
    const init = {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const send = this.fetch;
    for (let tries = 1; ; tries += 1) {
      let waitMs = 250 * 2 ** tries;
      try {
        const signal = AbortSignal.timeout(this.timeoutMs);
        const response = await send(url, { ...init, signal });
        const text = await response.text();
        const data = parsed(text);
        if (response.ok) return { data, headers: response.headers };
        const { status } = response;
        const isTemporary = status === 429 || (status >= 502 && status <= 504);
        if (!repeat || !isTemporary || tries >= TRIES)
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
}

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
