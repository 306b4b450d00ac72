import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WAIT_MS } from "../patience.ts";
import { living, type Stack, startStack } from "./stack.ts";

let latest: Stack | undefined;
const start = async (options: Parameters<typeof startStack>[0]) =>
  (latest = await startStack(options));

const alive = (pids: number[]) => living().filter(({ pid }) => pids.includes(pid));

async function until(holds: () => boolean, timeoutMs = WAIT_MS) {
  const giveUpAt = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > giveUpAt)
      throw new Error(`Waited ${timeoutMs} ms in vain:\n${latest?.output()}`);
    await sleep(50);
  }
}

describe("npm start", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await start({ fresh: true });
  });
  afterAll(async () => {
    await stack?.kill9();
    await stack?.stop();
  });

  it("names the port or the state folder that is taken", async () => {
    const { baseUrl, state } = stack;
    const { port } = new URL(baseUrl);
    const refused = async (env: Record<string, string>, why: string) =>
      expect(startStack({ env, fresh: true })).rejects.toThrow(why);
    await Promise.all([
      refused({ PORT: port }, `Port ${port} is in use`),
      refused({ TRIBUTARY_STATE: state }, `State folder "${state}" is in use`),
    ]);
  });

  it("keeps everything on a second start and creates nothing anew", async () => {
    const first = stack.local;
    for (const file of ["tributary.json", "variables.env", "../local.json"]) {
      expect(statSync(`${stack.state}/${file}`).mode & 0o777).toBe(0o600);
    }
    const created = await stack.call("POST", "/elements/api-v2/instances", {
      element: { key: "sandbox" },
      configuration: { "sandbox.api.key": "k", "event.vendor.type": "polling" },
      tags: ["kept"],
      name: "Kept",
    });
    expect(created.status).toBe(200);

    await stack.restart();

    expect(stack.local).toEqual(first);
    const { body } = await stack.call("GET", "/elements/api-v2/instances");
    expect(body).toEqual([expect.objectContaining({ id: created.body.id, name: "Kept" })]);
  });

  it("leaves no process behind when it alone is killed, and starts again", async () => {
    const processes = stack.processes();
    process.kill(processes[0] ?? 0, "SIGKILL");
    await until(() => alive(processes).length === 0);
    await stack.restart();
  });

  it("starts again on the same state after everything was killed at once", async () => {
    const { local } = stack;
    const processes = stack.processes();
    await stack.kill9();
    await until(() => alive(processes).length === 0);
    await stack.restart();
    expect(stack.local).toEqual(local);
  });

  it("leaves no process behind on SIGTERM and exits with 0", async () => {
    const processes = stack.processes();
    expect(processes.length).toBeGreaterThan(3);
    expect(await stack.stop()).toBe(0);
    await until(() => alive(processes).length === 0);
  });
});

it("npm start prints a verified callback of the demo, again after a restart", async () => {
  const stack = await start({ env: { TRIBUTARY_DEMO: "1" } });
  onTestFinished(async () => {
    await stack.kill9();
    await stack.stop();
  });
  const callbacks = () => stack.output().match(/^.*signature verified$/gm)?.length ?? 0;
  await until(() => callbacks() >= 1);
  const before = callbacks();
  await stack.restart();
  await until(() => callbacks() > before);
  expect(stack.output()).not.toContain("NOT VERIFIED");
  const { body } = await stack.call("GET", "/elements/api-v2/instances?tags[]=demo");
  expect(body).toHaveLength(1);
});
