/**
 * Installs the dependencies when `node_modules` is missing or is not what the lock file says.
 * Runs on Node 20 without any dependency; also `pretest` and `predeploy`.
 */
import { spawn } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** @param {string} path */
function packages(path) {
  try {
    return JSON.parse(readFileSync(root + path, "utf8")).packages;
  } catch {
    return {};
  }
}

function installed() {
  const found = packages("node_modules/.package-lock.json");
  return Object.entries(packages("package-lock.json")).every(
    ([path, wanted]) => path === "" || wanted.optional || found[path]?.version === wanted.version,
  );
}

/**
 * @param {{ signal?: AbortSignal }} [options] the signal ends a running `npm ci`, children included
 * @returns {Promise<void>} rejects when `npm ci` fails
 */
export async function install({ signal } = {}) {
  if (installed()) return;
  console.log("Installing dependencies (npm ci) …");
  const windows = process.platform === "win32";
  const npm = spawn("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    detached: !windows,
    shell: windows,
  });
  const stop = () => (windows || !npm.pid ? npm.kill() : process.kill(-npm.pid, "SIGTERM"));
  signal?.addEventListener("abort", stop);
  const code = await new Promise((resolve, reject) => npm.on("error", reject).on("exit", resolve));
  signal?.removeEventListener("abort", stop);
  if (code !== 0 && !signal?.aborted) throw new Error(`npm ci failed with exit code ${code}`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const stopped = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => stopped.abort());
  try {
    await install({ signal: stopped.signal });
    if (stopped.signal.aborted) process.exitCode = 130;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
