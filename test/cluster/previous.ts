import { execFileSync } from "node:child_process";
import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import previous from "./previous.json" with { type: "json" };

const root = resolve(import.meta.dirname, "../..");

/** Whether this checkout has the version before: one without history has not. */
export function hasPrevious(): boolean {
  try {
    execFileSync("git", ["cat-file", "-e", `${previous.commit}^{commit}`], {
      cwd: root,
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}

/** Builds the bundle of the version before, of its own sources, with the packages of today, in a folder of its own. */
export function buildPrevious(): { folder: string; bundle: string } {
  const folder = mkdtempSync(join(tmpdir(), "tributary-previous-"));
  const paths = ["src", "migrations", "wrangler.toml", "package.json", "tsconfig.json"];
  const archive = execFileSync("git", ["archive", previous.commit, ...paths], {
    cwd: root,
    maxBuffer: 2 ** 28,
  });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  execFileSync(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", "bundle"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
  });
  return { folder, bundle: join(folder, "bundle/index.js") };
}
