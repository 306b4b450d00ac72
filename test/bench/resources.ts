/**
 * Figures of the resource API under `wrangler dev`: writes a second against a Worker that only inserts
 * the same row, and the time a change takes with a thousand hooks. Run: `node test/bench/resources.ts`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startStack } from "../e2e/stack.ts";
import { startReceiver } from "../vendors/receiver.ts";

const root = resolve(import.meta.dirname, "../..");
const CLIENTS = 16;
const WRITES = 150;
const TURNS = 4;

type Post = (index: number) => Promise<Response>;

type Figures = { perSecond: number; p50Ms: number; p99Ms: number };

/** Posts of several targets in turns from sixteen clients, so that all meet the same machine. */
async function inTurns(posts: Record<string, Post>): Promise<Record<string, Figures>> {
  const times = new Map(Object.keys(posts).map((name) => [name, { all: [] as number[], ms: 0 }]));
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const [name, post] of Object.entries(posts)) {
      const own = times.get(name);
      if (own === undefined) continue;
      let next = turn * WRITES;
      const end = next + WRITES;
      const began = performance.now();
      await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          while (next < end) {
            const index = (next += 1);
            const from = performance.now();
            const response = await post(index);
            const text = await response.text();
            if (!response.ok) throw new Error(`${response.status}: ${text}`);
            own.all.push(performance.now() - from);
          }
        }),
      );
      own.ms += performance.now() - began;
      await sleep(500);
    }
  return Object.fromEntries(
    [...times].map(([name, { all, ms }]) => {
      const sorted = all.toSorted((left, right) => left - right);
      const at = (part: number) => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0);
      return [
        name,
        { perSecond: Math.round(all.length / (ms / 1000)), p50Ms: at(0.5), p99Ms: at(0.99) },
      ];
    }),
  );
}

/** A Worker that inserts one row, as large as a resource's and with its indexes, and nothing else. */
async function insertOnly() {
  const folder = mkdtempSync(join(tmpdir(), "tributary-bench-"));
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  writeFileSync(
    join(folder, "worker.js"),
    `let ready;
    const table = (db) => db.batch([
      db.prepare("CREATE TABLE IF NOT EXISTS r (o INTEGER, k TEXT, s TEXT, n TEXT, q INTEGER, c TEXT, PRIMARY KEY (o, k, s, n)) WITHOUT ROWID"),
      db.prepare("CREATE INDEX IF NOT EXISTS r1 ON r (o, k, q)"),
      db.prepare("CREATE INDEX IF NOT EXISTS r2 ON r (o, k, s, q)"),
    ]);
    export default { async fetch(request, env) {
      await (ready ??= table(env.DB));
      const { name } = await request.json();
      await env.DB.prepare("INSERT INTO r VALUES (1, 'APIService', 'Environment/e', ?, ?, ?)")
        .bind(name, Date.now(), JSON.stringify({ name, filler: "x".repeat(200) })).run();
      return Response.json({ name }, { status: 201 });
    } };`,
  );
  writeFileSync(
    join(folder, "wrangler.toml"),
    `name = "insert-only"\nmain = "worker.js"\ncompatibility_date = "2026-10-23"\n
[[d1_databases]]\nbinding = "DB"\ndatabase_name = "r"\ndatabase_id = "0"\n`,
  );
  const child = spawn(
    process.execPath,
    [`${root}/node_modules/wrangler/bin/wrangler.js`, "dev", `--port=${port}`, "--ip=127.0.0.1"],
    {
      cwd: folder,
      detached: true,
      stdio: "ignore",
      env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" },
    },
  );
  const post: Post = (index) =>
    fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: JSON.stringify({ name: `r${index}` }),
    });
  const stop = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const giveUpAt = Date.now() + 60_000;
    for (;;) {
      const response = await post(0).catch(() => undefined);
      if (response?.ok === true) break;
      if (Date.now() > giveUpAt) throw new Error("The insert-only Worker did not start");
      await sleep(100);
    }
    return { post, stop };
  } catch (error) {
    stop();
    throw error;
  }
}

const baseline = await insertOnly();

const stack = await startStack();
const receiver = await startReceiver();
try {
  const { baseUrl, apiKey } = stack.local;
  const call = (path: string, body: unknown) =>
    fetch(`${baseUrl}/apis/management/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}` },
      body: JSON.stringify(body),
    });
  await call("/environments", { name: "e" });
  await call("/environments", { name: "hooked" });
  const create = (scope: string, prefix: string) => (index: number) =>
    call(`/environments/${scope}/apiservices`, {
      name: `${prefix}${index}`,
      title: "x".repeat(200),
    });
  const hook = (name: string, scope: string) =>
    call("/resourcehooks", {
      name,
      spec: {
        triggers: [
          {
            group: "management",
            kind: "APIService",
            name: "*",
            type: ["created"],
            scope: { kind: "Environment", name: scope },
          },
        ],
        webhooks: ["w"],
      },
    });
  await call("/webhooks", { name: "w", spec: { url: `${receiver.url}/` } });
  await hook("one", "hooked");
  const few = await inTurns({
    "insert only": baseline.post,
    "create, no hook matches": create("e", "a"),
    "create, one hook matches": create("hooked", "b"),
  });
  console.table(few);
  for (let index = 0; index < 1000; index += 20)
    await Promise.all(Array.from({ length: 20 }, (_, i) => hook(`h${index + i}`, "elsewhere")));
  console.table(await inTurns({ "create, one of 1,001 hooks matches": create("hooked", "c") }));
} finally {
  baseline.stop();
  await stack.stop();
  await receiver.close();
}
