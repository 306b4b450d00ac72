/**
 * The local stack behind `npm start` (see `start.mjs`): migrations, `wrangler dev`, the first
 * organization, cron ticks and the demo, all in the process group that this process leads.
 *
 * Environment: PORT, TRIBUTARY_STATE, TRIBUTARY_LOCAL (where the credentials go), TRIBUTARY_DEMO,
 * TRIBUTARY_TICK_SECONDS (0: no ticks), TRIBUTARY_BUNDLE (a bundle of the Worker, which is not built then), and every
 * variable of the Worker.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { claim, identityOf, migrationsOf, ownerOf, release, writePrivate } from "./state-folder.ts";
import { workerVariables } from "./worker-variables.ts";

const root = resolve(import.meta.dirname, "../..");
const { env } = process;
const port = Number(env.PORT || 8787);
const baseUrl = `http://127.0.0.1:${port}`;
const state = resolve(root, env.TRIBUTARY_STATE || ".wrangler/state");
const localFile = resolve(root, env.TRIBUTARY_LOCAL || ".tributary/local.json");
const logFile = join(state, "wrangler.log");
const tickMs = Number(env.TRIBUTARY_TICK_SECONDS || 60) * 1000;

/** Something the person at the terminal can act on: shown without a stack trace. */
class Failure extends Error {}

const stopping = new AbortController();
const children = new Set<ChildProcess>();
let ready = false;

function run(args: string[], stdio: "pipe" | "inherit"): ChildProcess {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: root,
    stdio: ["ignore", stdio, stdio],
    env: {
      // Wrangler's local trace collector takes a fifth of the CPU time of everything; the console shows what it would.
      X_LOCAL_OBSERVABILITY: "false",
      ...env,
      CI: "1",
      FORCE_COLOR: "0",
      TRIBUTARY_PREPARED: "1",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

const exited = (child: ChildProcess) =>
  new Promise<number>((resolve, reject) =>
    child.once("error", reject).once("exit", (code) => resolve(code ?? 1)),
  );

function wrangler(args: string[], log: NodeJS.WritableStream): ChildProcess {
  const child = run(["node_modules/wrangler/bin/wrangler.js", ...args], "pipe");
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  child.stderr?.on("data", (text: Buffer) => {
    if (ready && /error|exception/i.test(text.toString())) process.stderr.write(text);
  });
  return child;
}

function logTail(): string {
  return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-20).join("\n");
}

/** Whether something failed because two opened a new database at the same moment: it may be tried again. */
const wasLocked = (): boolean => logTail().includes("SQLITE_BUSY");

/** Waits three seconds for port and state folder, which a run that was killed a moment ago may still hold. */
async function takePlace(): Promise<void> {
  const giveUpAt = Date.now() + 3000;
  for (;;) {
    const owner = ownerOf(state);
    const taken = await portTaken();
    if (owner === undefined && !taken) break;
    if (Date.now() > giveUpAt) {
      throw new Failure(
        taken
          ? `Port ${port} is in use${owner ? ` by process ${owner}` : ""}: stop what listens there, or set PORT`
          : `State folder "${state}" is in use by process ${owner}: stop it, or set TRIBUTARY_STATE`,
      );
    }
    await sleep(100, undefined, { signal: stopping.signal });
  }
  claim(state);
  rmSync(localFile, { force: true });
}

const portTaken = () =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });

async function migrate(log: NodeJS.WritableStream, isNew: boolean): Promise<void> {
  const migrations = migrationsOf(state, join(root, "migrations"));
  if (!migrations.due) return;
  let code = await exited(wrangler(isNew ? migrations.all() : migrations.each, log));
  if (code !== 0 && wasLocked()) code = await exited(wrangler(migrations.each, log));
  stopping.signal.throwIfAborted();
  if (code !== 0) throw new Failure(`The migrations failed:\n${logTail()}`);
  migrations.done();
}

function serve(log: NodeJS.WritableStream, variables: string): ChildProcess {
  const options = {
    ip: "127.0.0.1",
    port,
    "inspector-port": 0,
    "persist-to": state,
    "env-file": variables,
    "log-level": "warn",
    "show-interactive-dev-session": false,
  };
  const entry = env.TRIBUTARY_BUNDLE
    ? [env.TRIBUTARY_BUNDLE, "--no-bundle", "--config=wrangler.toml"]
    : [];
  const named = Object.entries(options).map(([key, to]) => `--${key}=${to}`);
  return wrangler(["dev", ...entry, ...named], log);
}

/** Rejects when the Worker ends unasked, or cannot be built at all. */
function deathOf(worker: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (what: string) =>
      setTimeout(() => reject(new Failure(`${what}:\n${logTail()}`)), 100);
    worker.once("exit", (code) => fail(`wrangler dev ended with exit code ${code}`));
    worker.stderr?.on("data", (text: Buffer) => {
      if (!ready && text.includes("Build failed")) fail("The Worker could not be built");
    });
  });
}

/** Creates the first organization, or finds it: the first answer also says that the Worker is up. */
async function bootstrap({ keys, account }: ReturnType<typeof identityOf>): Promise<string> {
  const giveUpAt = Date.now() + 60_000;
  for (;;) {
    stopping.signal.throwIfAborted();
    try {
      const response = await fetch(`${baseUrl}/v1/bootstrap`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${keys.BOOTSTRAP_KEY}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ organizationName: "Local", ...account }),
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(15_000)]),
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text).organizationId;
      throw new Failure(`POST /v1/bootstrap answered ${response.status}: ${text.slice(0, 500)}`);
    } catch (error) {
      if (error instanceof Failure) throw error;
    }
    if (Date.now() > giveUpAt) throw new Failure(`The Worker did not start:\n${logTail()}`);
    await sleep(50, undefined, { signal: stopping.signal });
  }
}

/** Fires the cron, which never fires by itself locally. A tick that takes longer than its interval delays the next. */
async function tick(): Promise<void> {
  const cron = encodeURIComponent("* * * * *");
  const { signal } = stopping;
  for (let due = Date.now() + tickMs; ; due = Math.max(due + tickMs, Date.now())) {
    await sleep(due - Date.now(), undefined, { signal });
    await fetch(`${baseUrl}/cdn-cgi/local/scheduled?cron=${cron}&format=json`, { signal })
      .then((response) => response.text())
      .catch((error: unknown) => signal.aborted || console.error("The cron tick failed:", error));
  }
}

function demo(): void {
  const child = run(["src/cli/demo.ts", localFile], "inherit");
  child.once("exit", (code) => {
    if (!stopping.signal.aborted) console.error(`The demo ended with exit code ${code}`);
  });
}

async function main(): Promise<void> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Failure(`Expected PORT from 1 to 65535, got "${env.PORT}"`);
  }
  mkdirSync(state, { recursive: true });
  await takePlace();
  const log = createWriteStream(logFile);
  const identity = identityOf(state);
  // On a new state nothing can look at the database yet: both take their time at the same time.
  const isNew = !existsSync(join(state, "v3"));
  const migrated = migrate(log, isNew);
  if (!isNew) await migrated;
  const variables = join(state, "variables.env");
  writePrivate(variables, workerVariables(identity.keys, baseUrl));
  const begin = async () => {
    const death = deathOf(serve(log, variables));
    await Promise.race([migrated, death]);
    return { death, organizationId: await Promise.race([bootstrap(identity), death]) };
  };
  const { death, organizationId } = await begin().catch(async (error: unknown) => {
    await migrated;
    if (!isNew || !wasLocked()) throw error;
    return begin();
  });
  ready = true;
  const local = { baseUrl, organizationId, ...identity.account };
  writePrivate(localFile, `${JSON.stringify(local, null, 2)}\n`);
  console.log(`
Tributary is running
  API          ${baseUrl}   (reference at ${baseUrl}/docs)
  console      ${baseUrl}/console
  credentials  ${relative(process.cwd(), localFile)}
  log          ${relative(process.cwd(), logFile)}
Stop it with Ctrl-C
`);
  if (env.TRIBUTARY_DEMO !== "0") demo();
  await Promise.race([death, tickMs > 0 ? tick() : sleep(2 ** 31 - 1, undefined, stopping)]);
}

async function stop(): Promise<void> {
  ready = false;
  stopping.abort();
  const ended = [...children].map(exited);
  for (const child of children) child.kill("SIGTERM");
  await Promise.race([Promise.allSettled(ended), sleep(5000)]);
  release(state);
}

process.on("SIGTERM", () => stopping.abort());
// `start.mjs` was killed: no process of its group may outlive it.
process.on("disconnect", () => stopping.signal.aborted || process.kill(-process.pid, "SIGKILL"));

let code = 0;
try {
  await main();
} catch (error) {
  if (!stopping.signal.aborted) {
    code = 1;
    console.error(error instanceof Failure ? error.message : error);
  }
}
await stop();
process.exit(code);
