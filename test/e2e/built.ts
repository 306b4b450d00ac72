import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { migrationsOf } from "../../src/cli/state-folder.ts";

const root = resolve(import.meta.dirname, "../..");

function wrangler(args: readonly string[]): void {
  execFileSync(process.execPath, ["node_modules/wrangler/bin/wrangler.js", ...args], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
  });
}

/**
 * Bundles the Worker once and migrates one state: every stack but those that test the start itself runs that bundle,
 * and begins with a copy of that state.
 */
export function setup(): (() => void) | undefined {
  if (process.env["TRIBUTARY_TEST_STATE"] !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tributary-built-"));
  const state = join(folder, "state");
  const migrations = migrationsOf(state, join(root, "migrations"));
  wrangler(migrations.all());
  migrations.done();
  wrangler(["deploy", "--dry-run", "--outdir", join(folder, "bundle")]);
  process.env["TRIBUTARY_TEST_STATE"] = state;
  process.env["TRIBUTARY_TEST_BUNDLE"] = join(folder, "bundle/index.js");
  return () => rmSync(folder, { recursive: true, force: true });
}
