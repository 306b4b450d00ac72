import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";
import { KILL_TEST_MS, TEST_MS, WAIT_MS } from "./patience.ts";

const root = new URL("..", import.meta.url).pathname;

/** The last line of `npm test`, for people and programs. */
const summary: Reporter = {
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const broken = errors.length + modules.filter((module) => module.errors().length > 0).length;
    console.log(`tests: ${count("passed")} passed, ${count("failed") + broken} failed`);
  },
};

const tests = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join(folder, file));

/** A file and all files of ours that it imports, directly or not. */
function closure(file: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(file)) return seen;
  const text = readFileSync(file, "utf8");
  seen.set(file, text);
  for (const [, path = ""] of text.matchAll(
    /^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/gms,
  )) {
    const target = join(dirname(file), path);
    const found = [target, `${target}.ts`, `${target}.tsx`].find(
      (one) => existsSync(one) && statSync(one).isFile(),
    );
    if (found !== undefined && /\.tsx?$/.test(found)) closure(found, seen);
  }
  return seen;
}

/** Files that touch the platform need a runtime with storage. */
const touchesPlatform = (file: string): boolean =>
  closure(file)
    .values()
    .some((text) => /from "cloudflare:/.test(text));

/** They look at all that their runtime holds, or at what it remembers. */
const ALONE = [
  "delivery/size",
  "delivery/steps",
  "http/doors",
  "inbound/together",
  "polling/budget",
  "polling/pitfalls/vendors",
  "polling/snapshot",
  "resources/fuzz",
  "operations/lessons",
  "operations/stats",
];
/** All others share a runtime and its storage, and the first organization, with their neighbours. */
const NEIGHBOURS = [
  ["accounts", "console"],
  ["elements", "hub", "instances"],
  ["inbound", "polling", "simulation"],
  ["delivery", "stream", "operations"],
  ["app-events", "flows", "resources"],
];

function runtimeOf(file: string): string {
  const name = relative(join(root, "test"), file).replace(".test.ts", "");
  if (ALONE.includes(name)) return name;
  const [room = ""] = name.split("/");
  return NEIGHBOURS.find((rooms) => rooms.includes(room))?.join(", ") ?? room;
}

const all = tests(join(root, "test"));
const doors = Map.groupBy(all.filter(touchesPlatform), runtimeOf);
const rules = all.filter((file) => !touchesPlatform(file));

const workers = async () =>
  cloudflareTest({
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      bindings: {
        ENVIRONMENT: "local",
        SCHEDULE: "ticks",
        MASTER_KEY: btoa("0123456789abcdef0123456789abcdef"),
        SESSION_KEY: btoa("fedcba9876543210fedcba9876543210"),
        BOOTSTRAP_KEY: "a-bootstrap-key-for-the-tests",
        EGRESS_ALLOW: "127.0.0.1,localhost",
        CORS_ORIGINS: "*",
        SIGNUP: "open",
        MIGRATIONS: await readD1Migrations(`${root}/migrations`),
      },
    },
  });

const patience = {
  testTimeout: TEST_MS,
  hookTimeout: TEST_MS,
  expect: { poll: { timeout: WAIT_MS } },
};

/**
 * `doors` and `rules` run inside the Workers runtime, which takes seconds to load: files of neighbouring
 * rooms share one, and rules, which touch no storage. Then `e2e` runs in Node against `wrangler dev`, each
 * file a stack of its own.
 */
export default defineConfig(async () => ({
  root,
  test: {
    reporters: ["default", summary],
    maxWorkers: 2,
    // All projects load the same few hundred files: one translates them for all.
    experimental: { fsModuleCache: true },
    projects: [
      ...(await Promise.all(
        [...doors].map(async ([name, include]) => ({
          root,
          plugins: [await workers()],
          test: {
            name: `doors of ${name}`,
            include,
            isolate: false,
            setupFiles: ["test/setup.ts"],
            ...patience,
          },
        })),
      )),
      {
        root,
        plugins: [await workers()],
        test: { name: "rules", include: rules, isolate: false, ...patience },
      },
      {
        root,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.ts", "test/vendors/**/*.e2e.ts"],
          environment: "node",
          exclude: ["test/e2e/kill/**"],
          globalSetup: "test/e2e/browser.ts",
          sequence: { groupOrder: 1 },
          ...patience,
        },
      },
      {
        root,
        test: {
          name: "kill",
          include: ["test/e2e/kill/*.e2e.ts"],
          environment: "node",
          maxWorkers: 6,
          sequence: { groupOrder: 2 },
          ...patience,
          testTimeout: KILL_TEST_MS,
        },
      },
    ],
  },
}));
