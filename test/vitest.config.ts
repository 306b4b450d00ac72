import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";
import { partition } from "../src/values/lists.ts";
import { KILL_TEST_MS, LONG_TEST_MS, TEST_MS, WAIT_MS } from "./patience.ts";

const root = new URL("..", import.meta.url).pathname;

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

const all = tests(join(root, "test"));
/** Files that put all of their runtime's objects under one clock of theirs. */
const ownsTheClock = (file: string): boolean =>
  closure(file).has(join(root, "test/delivery/virtual.ts"));

const [clock, doors] = partition(all.filter(touchesPlatform), ownsTheClock);
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
  provide: { isLong },
  testTimeout: isLong ? LONG_TEST_MS : TEST_MS,
  hookTimeout: TEST_MS,
  expect: { poll: { timeout: WAIT_MS } },
};

/**
 * `doors`, `clock` and `rules` run inside the Workers runtime, which takes seconds to load: the files of each share
 * two runtimes, one for each worker; those that move a runtime's clock are apart. Then `e2e` runs in Node against `wrangler dev`, most files against one stack
 * that they share, and `kill`, whose files mostly wait for leases to run out.
 */
export default defineConfig(async () => ({
  root,
  test: {
    reporters: ["default", summary],
    maxWorkers: 2,
    // All projects load the same few hundred files: one translates them for all.
    experimental: { fsModuleCache: true },
    projects: [
      {
        root,
        plugins: [await workers()],
        test: {
          name: "doors",
          include: doors,
          isolate: false,
          setupFiles: ["test/setup.ts"],
          ...patience,
        },
      },
      {
        root,
        plugins: [await workers()],
        test: {
          name: "clock",
          include: clock,
          isolate: false,
          setupFiles: ["test/setup.ts"],
          ...patience,
        },
      },
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
          globalSetup: ["test/e2e/migrated.ts", "test/e2e/setup.ts"],
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
          globalSetup: "test/e2e/migrated.ts",
          maxWorkers: 6,
          sequence: { groupOrder: 2 },
          ...patience,
          testTimeout: isLong ? LONG_TEST_MS : KILL_TEST_MS,
          hookTimeout: KILL_TEST_MS,
        },
      },
    ],
  },
}));
