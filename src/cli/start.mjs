/**
 * `npm start`: begins on Node 20 without dependencies, installs, then runs `stack.ts` on the Node
 * of `node_modules` as the leader of a process group, and ends that whole group with itself:
 * on a signal gently, and when it is killed the stack notices the broken channel.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const windows = process.platform === "win32";
const graceMs = 10_000;

const stopped = new AbortController();
/** @type {import("node:child_process").ChildProcess} */
let stack;

/** Ends what is left of the stack's process group at once. */
function sweep() {
  try {
    if (stack?.pid) process.kill(windows ? stack.pid : -stack.pid, "SIGKILL");
  } catch {
    // nothing left
  }
}

function stop() {
  if (stopped.signal.aborted) return sweep();
  stopped.abort();
  stack?.kill("SIGTERM");
  setTimeout(sweep, graceMs).unref();
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, stop);

// A shell between npm and this process may die without passing the signal on.
const parent = process.ppid;
if (process.env.npm_lifecycle_event === "start") {
  setInterval(() => process.ppid !== parent && !stopped.signal.aborted && stop(), 500).unref();
}

try {
  await install({ signal: stopped.signal });
  if (!stopped.signal.aborted) process.exitCode = await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
if (stopped.signal.aborted) process.exitCode = 0;

/** @returns {Promise<number>} the stack's exit code, once its whole group is gone */
async function run() {
  const node = `${root}node_modules/node/bin/node${windows ? ".exe" : ""}`;
  stack = spawn(node, ["--disable-warning=ExperimentalWarning", `${root}src/cli/stack.ts`], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    detached: !windows,
  });
  const code = await new Promise((resolve, reject) =>
    stack?.on("error", reject).on("exit", (code) => resolve(code ?? 1)),
  );
  sweep();
  return code;
}
