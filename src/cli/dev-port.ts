import { execFileSync } from "node:child_process";

const DEFAULT_PORT = 8787;

/** The port that a `wrangler dev` was told on its command line, which is `pid` or a process above it. */
export function portOf(pid: number): number {
  for (let above = pid, steps = 0; above > 1 && steps < 6; steps += 1) {
    const line = processLine(above);
    const port = /wrangler.* dev\b.*--port[= ](\d+)/.exec(line.command)?.[1];
    if (port !== undefined) return Number(port);
    above = line.parent;
  }
  return DEFAULT_PORT;
}

function processLine(pid: number): { parent: number; command: string } {
  try {
    const asked = ["-o", "ppid=,command=", "-p", String(pid)];
    const [, parent = "0", command = ""] =
      /^\s*(\d+)\s+(.*)$/s.exec(execFileSync("ps", asked, { encoding: "utf8" })) ?? [];
    return { parent: Number(parent), command };
  } catch {
    return { parent: 0, command: "" };
  }
}
