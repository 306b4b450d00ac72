import { build, type Plugin } from "esbuild";
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  Response as Answer,
  type V4WorkerOptionsShape,
} from "miniflare";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { callAs, type Local, type Platform } from "../e2e/stack.ts";
import { queueBinding, type Report, type Settings } from "./dealer.ts";
import type { Use } from "./isolate.ts";

const root = resolve(import.meta.dirname, "../..");
const toml = join(root, "wrangler.toml");

export type ClusterOptions = {
  /** How many isolates take requests, batches and ticks. */
  isolates: number;
  /** Of the deal. */
  seed: number;
  /** Services that never ran, for restarts; as many as isolates when absent. */
  spares?: number;
  /** The chance that a piece of work finds its isolate restarted, as long as there are spares. */
  restarts?: number;
  /** The chance that a queue hands a batch over twice. */
  duplicates?: number;
  /** The most messages that a queue hands over at once; as in `wrangler.toml` when absent. */
  batchSize?: number;
  /** Path of the Worker's bundle; the one that the tests built when absent. */
  bundle?: string;
  /** Path of the bundle that the objects run: they keep old code for minutes after a deploy. `bundle` when absent. */
  objectsBundle?: string;
  /** Variables of the Worker. */
  variables?: Record<string, string>;
};

/** What is read of `[[queues.consumers]]`. */
type Consumer = {
  queue: string;
  max_concurrency: number;
  max_retries: number;
  dead_letter_queue?: string;
};

/** What all isolates and objects used, and what the deal came to. */
export type Counts = Use & Omit<Report, "isolates" | "objects">;

export type Cluster = Platform & {
  readonly isolates: number;
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
  counts(): Promise<Counts>;
  d1(): Promise<D1Database>;
  stop(): Promise<void>;
};

const BUNDLE = "./bundle.js";
const secret = (name: string) => `${name}-of-the-cluster-0123456789abcdef`;

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
  const runtime = new Miniflare(await servicesOf(options, join(folder, "v3")));
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
    async turn(ms) {
      await ask(`turn?ms=${ms}`);
    },
    async counts() {
      const { isolates, objects, ...dealt } = await ask<Report>("report");
      return { ...[objects, ...isolates].reduce(sum), ...dealt };
    },
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

/** The services, with all bindings and settings of `wrangler.toml`. */
async function servicesOf(options: ClusterOptions, persistRoot: string) {
  const { isolates, seed, restarts = 0, duplicates = 0, batchSize } = options;
  const services = isolates + (options.spares ?? isolates);
  const { workerOptions } = unstable_getMiniflareWorkerOptions(toml);
  const { queueConsumers = {}, ...base }: V4WorkerOptionsShape = workerOptions;
  const consumers: Consumer[] = unstable_readConfig({ config: toml }).queues.consumers;
  const [wrapper, dealer] = await Promise.all([module("isolate.ts"), module("dealer.ts")]);
  const bundle = options.bundle ?? process.env["TRIBUTARY_TEST_BUNDLE"];
  if (bundle === undefined) throw new Error("There is no bundle: name one");
  const bundles: Record<string, string> = {
    "bundle.js": bundle,
    "objects-bundle.js": options.objectsBundle ?? bundle,
  };
  const worker = (name: string, kept: string, scriptName?: string) => ({
    ...base,
    name,
    modules: [
      {
        type: "ESModule" as const,
        path: "isolate.js",
        contents: wrapper.replaceAll(BUNDLE, `./${kept}`),
      },
    ],
    // The bundle in the configuration, once for each service, takes longer to write than all services to start.
    unsafeUseModuleFallbackService: true,
    bindings: {
      ...(base.bindings as object),
      ENVIRONMENT: "local",
      SCHEDULE: "ticks",
      EGRESS_ALLOW: "127.0.0.1,localhost",
      SIGNUP: "open",
      ORGANIZATIONS: "owners",
      MASTER_KEY: btoa("0123456789abcdef0123456789abcdef"),
      SESSION_KEY: secret("session"),
      BOOTSTRAP_KEY: secret("bootstrap"),
      ...options.variables,
    },
    durableObjects: Object.fromEntries(
      [
        "EVENT_STREAMS/EventStream",
        "ENDPOINTS/Endpoint",
        "VENDOR_BUDGETS/VendorBudget",
        "DIRECTORY/Directory",
      ].map((pair) => {
        const [binding = "", className = ""] = pair.split("/");
        return [binding, { className, useSQLite: true, ...(scriptName && { scriptName }) }];
      }),
    ),
  });
  const names = Array.from({ length: services }, (_, index) => String(index));
  const settings: Settings = {
    isolates,
    services,
    seed,
    restarts,
    duplicates,
    queues: Object.fromEntries(
      consumers.map((one) => [
        one.queue,
        {
          maxConcurrency: one.max_concurrency,
          maxRetries: one.max_retries,
          deadLetterQueue: one.dead_letter_queue ?? null,
        },
      ]),
    ),
  };
  return convertV4MiniflareOptions({
    log: new Log(LogLevel.WARN),
    cf: false,
    unsafeModuleFallbackService: (request: { url: string }) => {
      const name = new URL(request.url).searchParams.get("specifier")?.slice(1) ?? "";
      const path = bundles[name];
      if (path === undefined) throw new Error(`Nobody imports ${request.url}`);
      return Answer.json({ name, esModule: readFileSync(path, "utf8") });
    },
    resourcePersistencePath: persistRoot,
    workers: [
      {
        name: "dealer",
        modules: [{ type: "ESModule", path: "dealer.js", contents: dealer }],
        compatibilityDate: base.compatibilityDate ?? "",
        compatibilityFlags: [...(base.compatibilityFlags ?? []), "service_binding_extra_handlers"],
        bindings: { SETTINGS: settings },
        serviceBindings: {
          ...Object.fromEntries(names.map((name) => [`ISOLATE_${name}`, `isolate-${name}`])),
          ...Object.fromEntries(
            names.map((name) => [
              `CONTROL_${name}`,
              { name: `isolate-${name}`, entrypoint: "Control" },
            ]),
          ),
          CONTROL_objects: { name: "objects", entrypoint: "Control" },
        },
        queueProducers: Object.fromEntries(
          consumers.map(({ queue }) => [queueBinding(queue), { queueName: queue }]),
        ),
        queueConsumers: Object.fromEntries(
          Object.entries(queueConsumers).map(([queue, settings]) => [
            queue,
            { ...settings, ...(batchSize !== undefined && { maxBatchSize: batchSize }) },
          ]),
        ),
      },
      worker("objects", "objects-bundle.js"),
      ...names.map((name) => worker(`isolate-${name}`, "bundle.js", "objects")),
    ],
  });
}

/** One module of this folder, ready to run; the bundle stays beside it. */
async function module(file: string): Promise<string> {
  const besideIt: Plugin = {
    name: "bundle",
    setup: (bundler) =>
      bundler.onResolve({ filter: /\/src\/index$/ }, () => ({ path: BUNDLE, external: true })),
  };
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, file)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    plugins: [besideIt],
  });
  return outputFiles[0]?.text ?? "";
}

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
