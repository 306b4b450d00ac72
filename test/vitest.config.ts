import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
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

/** Two projects: `workerd` runs inside the Workers runtime, `e2e` in Node against `wrangler dev`. */
export default defineConfig(async () => ({
  root,
  test: {
    reporters: ["default", summary],
    projects: [
      {
        root,
        plugins: [
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
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          setupFiles: ["test/setup.ts"],
        },
      },
      {
        root,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.ts"],
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
