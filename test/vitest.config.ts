import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";

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

/** Whether a file, or one it imports, touches the platform: it needs a runtime of its own. */
function touchesPlatform(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  if (/from "cloudflare:/.test(text)) return true;
  return [...text.matchAll(/^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/gms)].some(
    ([, path = ""]) => {
      const target = join(dirname(file), path);
      const found = [target, `${target}.ts`, `${target}.tsx`].find(
        (one) => existsSync(one) && statSync(one).isFile(),
      );
      return found !== undefined && /\.tsx?$/.test(found) && touchesPlatform(found, seen);
    },
  );
}

const all = tests(join(root, "test"));
const doors = all.filter((file) => touchesPlatform(file));
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

/**
 * Three projects: `doors` and `rules` run inside the Workers runtime, each file of doors in one of its own,
 * rules — which touch no storage — together in one; `e2e` runs in Node against `wrangler dev`.
 */
export default defineConfig(async () => ({
  root,
  test: {
    reporters: ["default", summary],
    maxWorkers: 2,
    projects: [
      {
        root,
        plugins: [await workers()],
        test: {
          name: "doors",
          include: doors,
          setupFiles: ["test/setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        root,
        plugins: [await workers()],
        test: { name: "rules", include: rules, isolate: false, testTimeout: 30_000 },
      },
      {
        root,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.ts", "test/vendors/**/*.e2e.ts"],
          environment: "node",
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
}));
