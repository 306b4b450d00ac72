import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { cpuMsOf } from "./stolen.ts";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { migrationsOf } from "../../src/cli/state-folder.ts";

const root = resolve(import.meta.dirname, "../..");
const readyMs = 100_000;

export type Running = {
  url: string;
  /** Kills everything at one blow and starts it again on the same state and port. */
  crash: () => Promise<void>;
  /** CPU time of its runtime so far, in milliseconds: of the Worker, its objects, the queues and D1; null where nobody tells. */
  cpuMs: () => number | null;
};

const children = new Set<ChildProcess>();

/** Ends every process that was started here, with its children. */
export function stopAll(): void {
  for (const { pid, exitCode } of children)
    if (pid !== undefined && exitCode === null) process.kill(-pid, "SIGKILL");
}

function wrangler(args: string[]): { child: ChildProcess; printed: () => string } {
  const child = spawn(process.execPath, ["node_modules/wrangler/bin/wrangler.js", ...args], {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      X_LOCAL_OBSERVABILITY: "false",
      ...process.env,
      CI: "1",
      TRIBUTARY_PREPARED: "1",
      FORCE_COLOR: "0",
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  let printed = "";
  child.stdout.on("data", (text: Buffer) => (printed += text));
  child.stderr.on("data", (text: Buffer) => (printed += text));
  return { child, printed: () => printed };
}

async function once(args: string[]): Promise<void> {
  const { child, printed } = wrangler(args);
  const code = await new Promise((done) => child.once("exit", done));
  if (code !== 0) throw new Error(`wrangler ${args.join(" ")} failed:\n${printed()}`);
}

/**
 * Builds the Worker of a `wrangler.toml` as for production and runs that bundle under `wrangler dev`, on a
 * state of its own in `folder`: what others edit meanwhile does not reach it. `entry` replaces its `main`,
 * so that bindings and queue settings are production's whatever they become.
 */
export async function startWorker(
  toml: string,
  entry: string,
  folder: string,
  variables: Record<string, string> = {},
): Promise<Running> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "wrangler.toml");
  const state = join(folder, "state");
  const text = readFileSync(join(root, toml), "utf8").replace(
    '"migrations"',
    JSON.stringify(join(root, "migrations")),
  );
  const withMain = (main: string) =>
    writeFileSync(config, text.replace(/^main = .*$/m, `main = ${JSON.stringify(main)}`));
  withMain(join(root, entry));
  await once(["deploy", "--dry-run", `--config=${config}`, `--outdir=${join(folder, "bundle")}`]);
  withMain(join(folder, "bundle", `${basename(entry, ".ts")}.js`));
  if (text.includes("migrations_dir"))
    await once([...migrationsOf(state, join(root, "migrations")).all(), `--config=${config}`]);
  const envFile = join(folder, "variables.env");
  const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(envFile, lines.join(""));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<ChildProcess> => {
    const { child, printed } = wrangler([
      "dev",
      "--no-bundle",
      `--config=${config}`,
      `--port=${port}`,
      "--ip=127.0.0.1",
      "--inspector-port=0",
      `--persist-to=${state}`,
      `--env-file=${envFile}`,
      "--log-level=warn",
      "--show-interactive-dev-session=false",
    ]);
    for (const giveUpAt = Date.now() + readyMs; ;) {
      const signal = AbortSignal.timeout(2_000);
      const isUp = await fetch(`${url}/health`, { signal })
        .then(async (answer) => (await answer.text()) !== "" && answer.ok)
        .catch(() => false);
      if (isUp) return child;
      if (child.exitCode !== null || printed().includes("ERROR") || Date.now() > giveUpAt)
        throw new Error(`The Worker ${entry} did not start:\n${printed()}`);
      await sleep(50);
    }
  };
  let running = await start();
  return {
    url,
    crash: async () => {
      const ended = new Promise((exit) => running.once("exit", exit));
      if (running.pid !== undefined) process.kill(-running.pid, "SIGKILL");
      await ended;
      running = await start();
    },
    cpuMs: () => cpuMsOf(running.pid),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

export const removeFolder = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true });
