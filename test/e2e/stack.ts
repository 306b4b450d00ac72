import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WAIT_MS } from "../patience.ts";

const root = resolve(import.meta.dirname, "../..");

/** What `npm start` writes into `.tributary/local.json`. */
export type Local = Record<
  | "baseUrl"
  | "organizationId"
  | "organizationSecret"
  | "userSecret"
  | "apiKey"
  | "email"
  | "password",
  string
>;

/** A platform that runs somewhere, and what its first organization says to it. */
export type Platform = {
  readonly baseUrl: string;
  readonly local: Local;
  /** Calls the platform as the organization's admin; a body is sent as JSON. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }>;
};

export type Stack = Platform & {
  /** The state folder; it outlives `kill9` and `restart`, and goes with `stop`. */
  readonly state: string;
  /** All that was printed, by every run so far. */
  readonly output: () => string;
  /** Ids of the living processes of the stack. */
  readonly processes: () => number[];
  /** One minute of schedule time. */
  tick(): Promise<void>;
  /** Sends SIGTERM, waits for the end, removes the state; the exit code. */
  stop(): Promise<number | null>;
  /** Kills every process of the stack at one blow. */
  kill9(): Promise<void>;
  /** Starts again on the same state and port, after SIGTERM if it still runs. */
  restart(): Promise<void>;
};

type Options = {
  env?: Record<string, string>;
  /** Where state and credentials are; a new one when absent. */
  folder?: string;
  /** Builds and migrates by itself, as on a clean clone, instead of starting a bundle on a copy of a migrated state. */
  fresh?: boolean;
  /** Fills the folder, whose `state` it then runs on, before the first start. */
  prepare?: (folder: string) => void;
};

/** Starts what `npm start` starts, on a free port and a state of its own, without demo or ticks. */
export async function startStack(options: Options = {}): Promise<Stack> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "tributary-"));
  if (options.prepare) options.prepare(folder);
  else if (options.fresh !== true) copyMigrated(join(folder, "state"));
  const port = await freePort();
  const env = {
    ...process.env,
    PORT: String(port),
    TRIBUTARY_STATE: join(folder, "state"),
    TRIBUTARY_LOCAL: join(folder, "local.json"),
    TRIBUTARY_DEMO: "0",
    TRIBUTARY_TICK_SECONDS: "0",
    TRIBUTARY_BUNDLE: options.fresh === true ? "" : process.env["TRIBUTARY_TEST_BUNDLE"],
    ...options.env,
  };
  let printed = "";
  let child: ChildProcess | undefined;
  let local: Local | undefined;

  const start = async () => {
    const started = spawn("node", ["src/cli/start.mjs"], { cwd: root, env, detached: true });
    child = started;
    started.stdout.on("data", (text: Buffer) => (printed += text));
    started.stderr.on("data", (text: Buffer) => (printed += text));
    const from = printed.length;
    const giveUpAt = Date.now() + WAIT_MS;
    while (!printed.slice(from).includes("Tributary is running")) {
      if (started.exitCode !== null || Date.now() > giveUpAt) {
        await end("SIGTERM");
        if (!local) rmSync(folder, { recursive: true, force: true });
        throw new Error(`The stack did not start:\n${printed}`);
      }
      await sleep(20);
    }
    local = JSON.parse(readFileSync(env.TRIBUTARY_LOCAL, "utf8"));
  };

  const processes = () => (child?.pid ? descendants(child.pid) : []);

  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child.kill(signal);
    await ended;
    return child.exitCode;
  };

  await start();
  const ready = () => {
    if (!local) throw new Error("The stack has not started");
    return local;
  };
  return {
    get baseUrl() {
      return ready().baseUrl;
    },
    get local() {
      return ready();
    },
    state: env.TRIBUTARY_STATE,
    output: () => printed,
    processes,
    call: (method, path, body) => callAs(ready(), method, path, body),
    async tick() {
      const path = "/cdn-cgi/local/scheduled?cron=*+*+*+*+*&format=json";
      const response = await fetch(ready().baseUrl + path);
      if (!response.ok) throw new Error(`The tick answered ${response.status}`);
      await response.text();
    },
    async stop() {
      const code = await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
    async kill9() {
      for (const pid of processes()) process.kill(pid, "SIGKILL");
      await end("SIGKILL");
    },
    async restart() {
      await end("SIGTERM");
      await start();
    },
  };
}

/** Calls a platform as the admin of its first organization. */
export async function callAs(local: Local, method: string, path: string, body?: unknown) {
  const { baseUrl, userSecret, organizationSecret } = local;
  const response = await fetch(baseUrl + path, {
    method,
    headers: {
      authorization: `User ${userSecret}, Organization ${organizationSecret}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Migrations take as long as the rest of a start: they were done once, by `built.ts`. */
function copyMigrated(state: string): void {
  const migrated = process.env["TRIBUTARY_TEST_STATE"];
  if (migrated !== undefined) cpSync(migrated, state, { recursive: true });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Every living process: a zombie is dead, whoever forgot to bury it. */
export function living() {
  return execFileSync("ps", ["-eo", "pid=,ppid=,pgid=,stat="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => !state?.startsWith("Z"))
    .map(([pid, parent, group]) => ({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
    }));
}

/** The living processes of the groups that `pid` and its children belong to. */
function descendants(pid: number): number[] {
  const rows = living();
  const groups = new Set([pid]);
  for (const row of rows) if (row.parent === pid) groups.add(row.group);
  return rows.filter((row) => groups.has(row.group)).map((row) => row.pid);
}
