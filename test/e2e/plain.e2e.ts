import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WAIT_MS } from "../patience.ts";
import { callAs, freePort, type Local } from "./stack.ts";

/** `npx wrangler dev` in a fresh clone after `npm ci`, and nothing else. */

const root = resolve(import.meta.dirname, "../..");
let clone: string;
let home: string;
const running = new Set<ChildProcess>();

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "tributary-clone-"));
  home = mkdtempSync(join(tmpdir(), "tributary-home-"));
  for (const name of ["src", "migrations", "wrangler.toml", "package.json", "tsconfig.json"])
    cpSync(join(root, name), join(clone, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
});

afterAll(async () => {
  for (const child of running) await stop(child);
  for (const folder of [clone, home]) rmSync(folder, { recursive: true, force: true });
});

/** Runs it until it is ready; what it printed by then. */
async function dev(port: number): Promise<{ child: ChildProcess; printed: string }> {
  const child = spawn("npx", ["wrangler", "dev", "--port", String(port)], {
    cwd: clone,
    detached: true,
    env: { PATH: process.env["PATH"], HOME: home, WRANGLER_SEND_METRICS: "false" },
  });
  running.add(child);
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (text: Buffer) => (printed += text));
  const giveUpAt = Date.now() + WAIT_MS;
  while (!printed.includes("Ready on")) {
    if (child.exitCode !== null || Date.now() > giveUpAt) throw new Error(printed);
    await sleep(50);
  }
  return { child, printed };
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  process.kill(-child.pid, "SIGINT");
  await ended;
}

const credentials = (): Local =>
  JSON.parse(readFileSync(join(clone, ".tributary/local.json"), "utf8"));

describe("plain wrangler dev", () => {
  it("has keys, tables and an organization whose credentials it says, and has them again at the next start", async () => {
    const port = await freePort();
    const first = await dev(port);
    const local = credentials();
    expect(local.baseUrl).toBe(`http://127.0.0.1:${port}`);
    expect(first.printed).toContain(local.apiKey);
    const { status, body } = await callAs(local, "POST", "/elements/api-v2/instances", {
      element: { key: "sandbox" },
      configuration: { "sandbox.api.key": "k" },
      name: "Kept",
    });
    expect(status, JSON.stringify(body)).toBe(200);
    const ready = await fetch(`${local.baseUrl}/readyz`);
    expect(await ready.json()).toMatchObject({ status: "ok" });
    await stop(first.child);

    const other = await freePort();
    const second = await dev(other);
    const moved = { ...local, baseUrl: `http://127.0.0.1:${other}` };
    expect(credentials()).toEqual(moved);
    expect((await callAs(moved, "GET", `/elements/api-v2/instances/${body.id}`)).status).toBe(200);
    await stop(second.child);
  });
});
