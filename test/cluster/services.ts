import { build, type Plugin } from "esbuild";
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Response as Answer,
  type V4WorkerOptionsShape,
} from "miniflare";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { queueBinding, type Settings } from "./dealer.ts";

const toml = resolve(import.meta.dirname, "../../wrangler.toml");
const BUNDLE = "./bundle.js";

export const secret = (name: string) => `${name}-of-the-cluster-0123456789abcdef`;

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
  /** Paths of the Worker's bundle, taken by isolates in turns; the one that the tests built when absent. */
  bundles?: readonly string[];
  /** Path of the bundle that the objects run: they keep old code for minutes after a deploy. As the first isolate's when absent. */
  objectsBundle?: string;
  /** Whether all calls of objects are kept (`recording.ts`). */
  isRecorded?: boolean;
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

/** The services, with all bindings and settings of `wrangler.toml`. */
export async function servicesOf(
  options: ClusterOptions,
  persistRoot: string,
  failed: (line: string) => void,
) {
  const { isolates, seed, restarts = 0, duplicates = 0, batchSize, isRecorded = false } = options;
  const services = isolates + (options.spares ?? isolates);
  const { workerOptions } = unstable_getMiniflareWorkerOptions(toml);
  const { queueConsumers = {}, durableObjects = {}, ...base }: V4WorkerOptionsShape = workerOptions;
  const consumers: Consumer[] = unstable_readConfig({ config: toml }).queues.consumers;
  const [wrapper, dealer] = await Promise.all([module("isolate.ts"), module("dealer.ts")]);
  const { bundles = [builtBundle()], objectsBundle = bundles[0] ?? builtBundle() } = options;
  const paths = [...bundles, objectsBundle];
  const classes = durableObjects as Record<string, { className: string }>;
  const ofBefore = readFileSync(objectsBundle, "utf8");
  const exported = ofBefore.slice(ofBefore.lastIndexOf("export {"));
  // A class that the objects' version lacks has no object with old code: its first ones are made by the new version.
  const homeOf = ({ className }: { className: string }): string =>
    new RegExp(`\\b${className}\\b`).test(exported) ? "objects" : "new-objects";
  const homes = [...new Set(Object.values(classes).map(homeOf))];
  const worker = (name: string, path: number) => ({
    ...base,
    name,
    modules: [
      {
        type: "ESModule" as const,
        path: "isolate.js",
        contents: wrapper.replaceAll(BUNDLE, `./bundle-${path}.js`),
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
      Object.entries(classes).map(([binding, one]) => {
        const scriptName = homeOf(one);
        const { className } = one;
        return [
          binding,
          { className, useSQLite: true, ...(name !== scriptName && { scriptName }) },
        ];
      }),
    ),
  });
  const names = Array.from({ length: services }, (_, index) => String(index));
  const settings: Settings = {
    isolates,
    services,
    homes,
    seed,
    restarts,
    duplicates,
    isRecorded,
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
    handleStructuredLogs: ({ level, message }: { level: string; message: string }) => {
      if (level === "error") failed(message);
    },
    unsafeModuleFallbackService: (request: { url: string }) => {
      const name = new URL(request.url).searchParams.get("specifier")?.slice(1) ?? "";
      const path = paths[Number(/^bundle-(\d+)\.js$/.exec(name)?.[1])];
      if (path !== undefined) return Answer.json({ name, esModule: readFileSync(path, "utf8") });
      // Texts lie beside their bundle, named after what is in them.
      const text = paths.map((one) => join(dirname(one), name)).find((one) => existsSync(one));
      if (text === undefined) throw new Error(`Nobody imports ${request.url}`);
      return Answer.json({ name, text: readFileSync(text, "utf8") });
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
          ...Object.fromEntries(
            homes.map((name) => [`CONTROL_${name}`, { name, entrypoint: "Control" }]),
          ),
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
      ...homes.map((name) =>
        worker(name, name === "objects" ? bundles.length : bundles.length - 1),
      ),
      ...names.map((name) => worker(`isolate-${name}`, Number(name) % bundles.length)),
    ],
  });
}

export function builtBundle(): string {
  const built = process.env["TRIBUTARY_TEST_BUNDLE"];
  if (built === undefined) throw new Error("There is no bundle: name one");
  return built;
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
