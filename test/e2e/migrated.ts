import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { migrationsOf } from "../../src/cli/state-folder.ts";

const root = resolve(import.meta.dirname, "../..");

/** Migrates one state, of which every stack but those that test the start itself begins with a copy. */
export function setup(): (() => void) | undefined {
  if (process.env["TRIBUTARY_TEST_STATE"] !== undefined) return undefined;
  const state = mkdtempSync(join(tmpdir(), "tributary-migrated-"));
  const apply = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", state];
  execFileSync(process.execPath, ["node_modules/wrangler/bin/wrangler.js", ...apply], {
    cwd: root,
    stdio: "pipe",
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
  });
  migrationsOf(state, join(root, "migrations")).done();
  process.env["TRIBUTARY_TEST_STATE"] = state;
  return () => rmSync(state, { recursive: true, force: true });
}
