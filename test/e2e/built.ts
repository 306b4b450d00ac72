import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { migrateNow, runWrangler } from "../../src/cli/migrate.ts";

const root = resolve(import.meta.dirname, "../..");

/**
 * Bundles the Worker once and migrates one state: every stack but those that test the start itself runs that bundle,
 * and begins with a copy of that state.
 */
export function setup(): (() => void) | undefined {
  if (process.env["TRIBUTARY_TEST_STATE"] !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tributary-built-"));
  const state = join(folder, "state");
  migrateNow(root, state);
  runWrangler(root, ["deploy", "--dry-run", "--outdir", join(folder, "bundle")]);
  process.env["TRIBUTARY_TEST_STATE"] = state;
  process.env["TRIBUTARY_TEST_BUNDLE"] = join(folder, "bundle/index.js");
  return () => rmSync(folder, { recursive: true, force: true });
}
