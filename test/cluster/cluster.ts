import { Miniflare } from "miniflare";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callAs, type Local, type Platform } from "../e2e/stack.ts";
import type { Report } from "./dealer.ts";
import type { Use } from "./isolate.ts";
import type { Example, Recording } from "./recording.ts";
import { type ClusterOptions, secret, servicesOf } from "./services.ts";

/** What all isolates and objects used, and what the deal came to. */
export type Counts = Use & Omit<Report, "isolates" | "objects">;

export type Cluster = Platform & {
  readonly isolates: number;
  /** What isolates and objects wrote to the log as errors. */
  readonly errors: readonly string[];
  /** A request to one isolate, or to whichever the deal names. */
  fetch(path: string, init?: RequestInit, isolate?: number): Promise<Response>;
  /** One minute of schedule time, on an isolate that the deal names. */
  tick(): Promise<void>;
  /** The isolate's module state is gone. @throws when all spares have run. */
  restartIsolate(isolate: number): Promise<void>;
  /** An object's memory is gone, and its storage stays. */
  restartObject(className: string, name: string): Promise<void>;
  /** Turns the clock of all isolates and objects, alarms included. Timers and delays of queues run as they do. */
  turn(ms: number): Promise<void>;
  /** What its clock shows, epoch ms. */
  readonly now: () => number;
  counts(): Promise<Counts>;
  /** What isolates and objects said to objects so far, and queues carried. */
  recorded(): Promise<Recording>;
  /** Asks an object what no request of this surface makes an isolate ask. */
  ask(call: Pick<Example, "on" | "method" | "given">): Promise<void>;
  d1(): Promise<D1Database>;
  stop(): Promise<void>;
};

/**
 * A deployment on one machine: so many isolates with one set of objects, one D1 and the queues, all in one `workerd`. Each
 * isolate is a service with the production bundle; the objects live in one more. `dealer.ts` stands where the platform's
 * front does.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "tributary-cluster-"));
  const state = process.env["TRIBUTARY_TEST_STATE"];
  if (state === undefined) throw new Error("Run it in a project that `e2e/built.ts` sets up");
  cpSync(state, folder, { recursive: true });
  const errors: string[] = [];
  let turnedMs = 0;
  const runtime = new Miniflare(
    await servicesOf(options, join(folder, "v3"), (line) => errors.push(line)),
  );
  const baseUrl = (await runtime.ready).origin;
  const ask = async <Told>(what: string): Promise<Told> => {
    const response = await fetch(`${baseUrl}/cluster/${what}`);
    if (!response.ok) throw new Error(`/cluster/${what}: ${await response.text()}`);
    return response.json() as Promise<Told>;
  };
  await ask("turn?ms=0");
  const local = await bootstrap(baseUrl);
  return {
    baseUrl,
    local,
    isolates: options.isolates,
    errors,
    call: (method, path, body) => callAs(local, method, path, body),
    fetch: (path, init = {}, isolate) => {
      const headers = new Headers(init.headers);
      if (isolate !== undefined) headers.set("cluster-isolate", String(isolate));
      return fetch(baseUrl + path, { ...init, headers });
    },
    async tick() {
      const { outcome } = await ask<{ outcome: string }>("tick");
      if (outcome !== "ok") throw new Error(`The tick ended with ${outcome}`);
    },
    async restartIsolate(isolate) {
      const { isFresh } = await ask<{ isFresh: boolean }>(`restart?isolate=${isolate}`);
      if (!isFresh) throw new Error("All spares have run");
    },
    restartObject: (className, name) =>
      runtime.unsafeEvictDurableObject("objects", className, { name }),
    now: () => Date.now() + turnedMs,
    async turn(ms) {
      turnedMs += ms;
      await ask(`turn?ms=${ms}`);
    },
    async counts() {
      const { isolates, objects, ...dealt } = await ask<Report>("report");
      return { ...[...objects, ...isolates].reduce(sum), ...dealt };
    },
    recorded: () => ask<Recording>("recorded"),
    ask: (one) => ask(`ask?call=${encodeURIComponent(JSON.stringify(one))}`),
    d1: () => runtime.getD1Database("DB", "objects") as Promise<D1Database>,
    async stop() {
      await runtime.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Prints what a run used, for whoever reads the figures. */
export function report(counts: Counts): void {
  const lines = Object.entries(counts).map(([name, used]) => `  ${name}: ${JSON.stringify(used)}`);
  console.log(["cluster", ...lines].join("\n"));
}

const sum = (one: Use, other: Use): Use =>
  Object.fromEntries(
    Object.entries(one).map(([unit, used]) => [unit, used + other[unit as keyof Use]]),
  ) as Use;

/** The first organization and its admin, as `npm start` writes them down. */
async function bootstrap(baseUrl: string): Promise<Local> {
  const account = {
    organizationSecret: secret("organization"),
    userSecret: secret("user"),
    apiKey: `trk_${secret("key")}`,
    email: "admin@cluster.local",
    password: secret("password"),
  };
  const response = await fetch(`${baseUrl}/v1/bootstrap`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secret("bootstrap")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ organizationName: "Cluster", ...account }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST /v1/bootstrap answered ${response.status}: ${text}`);
  return { baseUrl, organizationId: JSON.parse(text).organizationId, ...account };
}
