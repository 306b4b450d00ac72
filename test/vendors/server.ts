import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What the emulators share: a loopback HTTP server with a log, faults on demand and late indexing. */

export interface Incoming {
  /** Epoch milliseconds at which the whole body was there. */
  at: number;
  method: string;
  host: string;
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Record<string, string>;
  text: string;
}

/** A body that is not text is sent as JSON. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** `Infinity` never answers. */
  delayMs?: number;
}

export interface LoggedRequest {
  at: number;
  method: string;
  host: string;
  path: string;
  query: Record<string, string>;
  /** 0 until answered. */
  status: number;
}

interface Aim {
  /** How many requests; 1 when absent. */
  times?: number;
  /** Only requests whose path starts so. */
  path?: string;
}

export interface Server {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly requests: LoggedRequest[];
  /** The next requests get this answer, whatever they ask. */
  failNext(fault: Answer & Aim): void;
  /** The next requests get their right answer late; `Infinity` hangs. */
  delayNext(fault: { delayMs: number } & Aim): void;
  /** Called before each answer, to change things in the middle of a client's work. */
  onRequest: ((request: Incoming) => void) | undefined;
  /** Drops open connections, hanging ones included. */
  close(): Promise<void>;
}

export interface ServeOptions {
  port?: number | undefined;
  now?: (() => number) | undefined;
}

export async function serve(
  answer: (request: Incoming) => Answer | Promise<Answer>,
  { port = 0, now = Date.now }: ServeOptions = {},
): Promise<Server> {
  const requests: LoggedRequest[] = [];
  const faults: (Partial<Answer> & { times: number; path: string })[] = [];
  const timers = new Set<NodeJS.Timeout>();

  const server = createServer((message, response) => {
    const respond = async () => {
      const request = await read(message, now);
      const { at, method, host, path } = request;
      const logged = {
        at,
        method,
        host,
        path,
        query: Object.fromEntries(request.query),
        status: 0,
      };
      requests.push(logged);
      controls.onRequest?.(request);
      const fault = faults.find((it) => it.times > 0 && path.startsWith(it.path));
      if (fault) fault.times -= 1;
      const right = fault?.status === undefined ? await answer(request) : { status: fault.status };
      const { status, headers, body, delayMs } = { ...right, ...fault };
      if (delayMs === Infinity) return;
      if (delayMs) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(() => (timers.delete(timer), resolve()), delayMs);
          timers.add(timer);
        });
      }
      logged.status = status;
      const isText = typeof body === "string" || body === undefined;
      response.writeHead(status, {
        "content-type": isText ? "text/plain; charset=utf-8" : "application/json; charset=utf-8",
        ...headers,
      });
      response.end(isText ? body : JSON.stringify(body));
    };
    respond().catch((error: unknown) => {
      if (message.destroyed && !message.complete) return;
      console.error(error);
      response.destroy();
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });

  const controls: Server = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    failNext: (fault) => void faults.push({ times: 1, path: "", ...fault }),
    delayNext: (fault) => void faults.push({ times: 1, path: "", ...fault }),
    onRequest: undefined,
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return controls;
}

async function read(message: IncomingMessage, now: () => number): Promise<Incoming> {
  const body = await text(message);
  const host = message.headers.host ?? "127.0.0.1";
  const url = new URL(`http://${host}${message.url ?? "/"}`);
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, [value].flat().join(", ")]),
  );
  const { pathname: path, searchParams: query } = url;
  return { at: now(), method: message.method ?? "GET", host, path, query, headers, text: body };
}

/** The first parameter that is not allowed or stands twice. */
export const wrongParameter = (query: URLSearchParams, allowed: readonly string[]) =>
  [...query.keys()].find(
    (name, index, names) => !allowed.includes(name) || names.indexOf(name) < index,
  );

/** Records whose newest version may be indexed late: lists show the one before until then. */
export class Index<T extends { id: string }> {
  readonly #versions = new Map<string, { record: T; visibleAt: number }[]>();
  readonly #compare: (a: T, b: T) => number;
  #sorted: { records: T[]; from: number; until: number } | undefined;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  put(record: T, visibleAt = -Infinity): void {
    const older = this.#versions.get(record.id) ?? [];
    this.#versions.set(
      record.id,
      visibleAt === -Infinity ? [{ record, visibleAt }] : [...older, { record, visibleAt }],
    );
    this.#sorted = undefined;
  }

  /** The newest version, indexed or not. */
  latest(id: string): T | undefined {
    return this.#versions.get(id)?.at(-1)?.record;
  }

  all(): T[] {
    return [...this.#versions.values()].map((versions) => versions.at(-1)!.record);
  }

  /** What a list shows at `now`, in order. */
  visible(now: number): T[] {
    if (this.#sorted && this.#sorted.from <= now && now < this.#sorted.until)
      return this.#sorted.records;
    const records: T[] = [];
    let until = Infinity;
    for (const versions of this.#versions.values()) {
      const version = versions.findLast(({ visibleAt }) => visibleAt <= now);
      if (version) records.push(version.record);
      for (const { visibleAt } of versions) if (visibleAt > now) until = Math.min(until, visibleAt);
    }
    this.#sorted = { records: records.toSorted(this.#compare), from: now, until };
    return this.#sorted.records;
  }
}
