import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { defineConfig, type Plugin } from "vitest/config";
import { BaseSequencer, type Reporter, type TestSpecification } from "vitest/node";
import { buildSdk } from "../src/cli/sdk.mjs";
import { partition } from "../src/values/lists.ts";
import { keepInMemory } from "./memory.ts";
import { KILL_TEST_MS, LONG_TEST_MS, TEST_MS, WAIT_MS } from "./patience.ts";

const root = new URL("..", import.meta.url).pathname;

// Wrangler's own code takes a third of a start to compile: whoever starts it next finds it compiled.
process.env["NODE_COMPILE_CACHE"] ??= join(root, "node_modules/.cache/node");

// The Worker serves it as text.
await buildSdk();

keepInMemory();

const isLong = process.env["TRIBUTARY_TEST"] === "long";

/** `npm run check`, beside the tests of `npm test`; what it says when it fails. */
async function check(): Promise<string | undefined> {
  try {
    await promisify(execFile)("npm", ["run", "check"], { cwd: root, maxBuffer: 2 ** 26 });
    return undefined;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    console.error(`npm run check failed:\n${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  }
}
const checking = process.env["TRIBUTARY_TEST"] === "gate" ? check() : undefined;

/** The last line of `npm test`, for people and programs. */
const summary: Reporter = {
  async onTestRunEnd(modules, errors) {
    const failure = await checking;
    if (failure !== undefined) {
      console.error(`npm run check failed:\n${failure}`);
      process.exitCode = 1;
    }
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const broken =
      errors.length +
      modules.filter((module) => module.errors().length > 0).length +
      (failure === undefined ? 0 : 1);
    console.log(`tests: ${count("passed")} passed, ${count("failed") + broken} failed`);
  },
};

const tests = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join(folder, file));

type Source = { text: string; imports: string[] };
const sources = new Map<string, Source>();

/** A file of ours, read once, and the files of ours that it imports. */
function sourceOf(file: string): Source {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, "utf8");
  const paths = text.matchAll(/^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/gms);
  const imports = Array.from(paths).flatMap(([, path = ""]) => {
    const target = join(dirname(file), path);
    const found = [target, `${target}.ts`, `${target}.tsx`].find(
      (one) => existsSync(one) && statSync(one).isFile(),
    );
    return found !== undefined && /\.tsx?$/.test(found) ? [found] : [];
  });
  const source = { text, imports };
  sources.set(file, source);
  return source;
}

/** A file and all files of ours that it imports, directly or not, with their texts. */
function closure(file: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(file)) return seen;
  const { text, imports } = sourceOf(file);
  seen.set(file, text);
  for (const found of imports) closure(found, seen);
  return seen;
}

/** Files that touch the platform need a runtime with storage. */
const touchesPlatform = (file: string): boolean =>
  closure(file)
    .values()
    .some((text) => /from "cloudflare:/.test(text));

const all = tests(join(root, "test"));
/** Files that put all of their runtime's objects under one clock of theirs. */
const ownsTheClock = (file: string): boolean =>
  closure(file).has(join(root, "test/delivery/virtual.ts"));

const [clock, doors] = partition(all.filter(touchesPlatform), ownsTheClock);
const rules = all.filter((file) => !touchesPlatform(file));

const PACKAGE = /(?:^import (?!type)[^;]*? from |\bimport\()"([@a-z][^":]*)"/gms;
/**
 * Packages that are imported inside a runtime: each is bundled into one file, instead of hundreds to be fetched. Not the
 * JSX of hono, whose runtime Vitest would leave out of the bundle: there would be two.
 */
const packages = [
  ...new Set(
    sources
      .values()
      .flatMap(({ text }) => text.matchAll(PACKAGE))
      .map(([, name = ""]) => name),
  ),
].filter((name) => !/^(vitest|hono\/(jsx|html))|\.json$/.test(name));

/** What is kept of modules names the bundles: with other packages these are others, and a package would be there twice. */
const modules = createHash("sha256").update(packages.toSorted().join()).digest("hex").slice(0, 16);

/** Maps back to the texts of packages are three quarters of what a runtime has to fetch, and nobody reads them. */
const withoutMaps: Plugin = {
  name: "packages-without-maps",
  enforce: "post",
  transform: (code, id) =>
    id.includes("/node_modules/") ? { code, map: { mappings: "" } } : undefined,
};

/** Stands where a client certificate's binding does, which the local runtime has none of. */
const certified = () => new Response(null, { headers: { "x-certificate": "shown" } });

const workers = async () =>
  cloudflareTest({
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      // Vitest speaks with its runtimes through sockets: compressing that takes a tenth of its time.
      compatibilityFlags: ["no_web_socket_compression"],
      // Optional, so not in wrangler.toml.
      r2Buckets: ["PAYLOADS"],
      // Of deployments that nobody has set up yet, one of them without its migrations.
      d1Databases: ["EMPTY", "NEW"],
      serviceBindings: { CLIENT_CERTIFICATE: certified, CLIENT_CERTIFICATE_ORG_1: certified },
      bindings: {
        ENVIRONMENT: "local",
        SCHEDULE: "ticks",
        MASTER_KEY: btoa("0123456789abcdef0123456789abcdef"),
        SESSION_KEY: btoa("fedcba9876543210fedcba9876543210"),
        BOOTSTRAP_KEY: "a-bootstrap-key-for-the-tests",
        EGRESS_ALLOW: "127.0.0.1,localhost",
        CORS_ORIGINS: "*",
        SIGNUP: "open",
        ORGANIZATIONS: "owners",
        MIGRATIONS: await readD1Migrations(`${root}/migrations`),
      },
    },
  });

// What is found only while files run would be bundled then, and modules that are loaded already a second time.
const bundled = { optimizer: { ssr: { enabled: true, include: packages, noDiscovery: true } } };

const patience = {
  provide: { isLong, isRecording: process.env["TRIBUTARY_TEST"] === "record" },
  // Files share runtimes, and what one left behind may meet another: a test fails when it fails twice.
  retry: 1,
  testTimeout: isLong ? LONG_TEST_MS : TEST_MS,
  hookTimeout: TEST_MS,
  expect: { poll: { timeout: WAIT_MS, interval: 20 } },
};

/**
 * Files of `clock` take longest: they begin first, so that none is left over when all others are done. Those that kill, and
 * those of clusters, wait most: they begin before `e2e`, whose files run while they wait.
 */
const FIRST = ["clock", "rules", "doors", "kill", "cluster", "e2e"];
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ project }: TestSpecification): number => FIRST.indexOf(project.name);
    return (await super.sort(files)).toSorted((left, right) => place(left) - place(right));
  }
}

/** Of the files that start stacks of their own, for most of the time to wait for them. */
const stacks = {
  maxWorkers: 6,
  sequence: { groupOrder: 1 },
  // Of tests that say that they may: they only wait.
  maxConcurrency: 100,
};

/**
 * `doors`, `clock` and `rules` run inside the Workers runtime, which takes seconds to load: the files of each share
 * three runtimes, one for each worker; those that move a runtime's clock are apart. Then `e2e` and `kill` run in Node
 * against `wrangler dev`, most files of `e2e` against one stack that they share, and `cluster` against many isolates.
 */
export default defineConfig(async () => ({
  root,
  test: {
    reporters: ["default", summary],
    // A module that is still looked for when a runtime is closed belongs to no test.
    onUnhandledError: (error: { name?: string }) => error.name !== "EnvironmentTeardownError",
    // One more than cores: files wait for what is due as often as they compute.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // All projects load the same few hundred files: one translates them for all.
    experimental: {
      fsModuleCache: true,
      fsModuleCachePath: join(root, "node_modules/.cache/modules", modules),
    },
    projects: [
      {
        root,
        plugins: [await workers(), withoutMaps],
        test: {
          name: "doors",
          include: doors,
          isolate: false,
          setupFiles: ["test/setup.ts"],
          deps: bundled,
          ...patience,
        },
      },
      {
        root,
        plugins: [await workers(), withoutMaps],
        test: {
          name: "clock",
          include: clock,
          isolate: false,
          setupFiles: ["test/setup.ts"],
          deps: bundled,
          ...patience,
        },
      },
      {
        root,
        plugins: [await workers(), withoutMaps],
        test: { name: "rules", include: rules, isolate: false, deps: bundled, ...patience },
      },
      {
        root,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.ts", "test/vendors/**/*.e2e.ts"],
          environment: "node",
          exclude: ["test/e2e/kill/**"],
          globalSetup: ["test/e2e/built.ts", "test/e2e/setup.ts"],
          ...stacks,
          ...patience,
        },
      },
      {
        root,
        test: {
          name: "kill",
          include: ["test/e2e/kill/*.e2e.ts"],
          environment: "node",
          globalSetup: "test/e2e/built.ts",
          ...stacks,
          ...patience,
          testTimeout: isLong ? LONG_TEST_MS : KILL_TEST_MS,
          hookTimeout: KILL_TEST_MS,
        },
      },
      {
        root,
        test: {
          name: "cluster",
          include: ["test/cluster/*.e2e.ts"],
          environment: "node",
          globalSetup: "test/e2e/built.ts",
          ...stacks,
          ...patience,
        },
      },
    ],
  },
}));
