import { readdirSync, readFileSync } from "node:fs";
import type { Stack } from "../../e2e/stack.ts";

/**
 * Tells the CPU time that the stack's runtime has used so far, in ms; undefined where nobody knows. On a busy machine
 * `/health` also waits for others; what the runtime computes for a request is what it would wait for on an idle one.
 */
export function runtimeCpu({ processes }: Pick<Stack, "processes">): () => number | undefined {
  try {
    const all = processes().filter(isRuntime);
    const used = () => all.reduce((sum, pid) => sum + usedBy(pid), 0) / 1e6;
    used();
    return used;
  } catch {
    return () => undefined;
  }
}

const isRuntime = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "workerd";

/** Nanoseconds on a core, of all threads. */
const usedBy = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    const [used = "0"] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ");
    return sum + Number(used);
  }, 0);
