import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { migrationsOf } from "./state-folder.ts";

/** Runs `wrangler` on the Node that runs this, and says nothing unless it fails. @throws with what it printed. */
export function runWrangler(root: string, args: readonly string[]): void {
  execFileSync(process.execPath, ["node_modules/wrangler/bin/wrangler.js", ...args], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
  });
}

/** Brings a local state up to the migrations, if it lacks any; nothing else may run on it meanwhile. */
export function migrateNow(root: string, state: string): void {
  const isNew = !existsSync(join(state, "v3/d1"));
  const migrations = migrationsOf(state, join(root, "migrations"));
  if (!migrations.due) return;
  runWrangler(root, isNew ? migrations.all() : migrations.each);
  migrations.done();
}
