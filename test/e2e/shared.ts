import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";
import { WAIT_MS } from "../patience.ts";
import { callAs, type Local, type Platform } from "./stack.ts";

/**
 * The stack that files share which need no settings of their own and never move its clock, kill or restart it.
 * Whoever uses it looks only at what it made itself, under names of its own.
 */
export async function sharedStack(): Promise<Platform> {
  const file = inject("sharedStack");
  const giveUpAt = Date.now() + WAIT_MS;
  while (!existsSync(file)) {
    if (Date.now() > giveUpAt) throw new Error("The shared stack did not start");
    await sleep(50);
  }
  const local: Local = JSON.parse(readFileSync(file, "utf8"));
  return {
    baseUrl: local.baseUrl,
    local,
    call: (method, path, body) => callAs(local, method, path, body),
  };
}
