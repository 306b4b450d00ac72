import { readFileSync } from "node:fs";

type Ticks = { stolen: number; all: number };

/** CPU time of this machine since it started, of which so much went to its host's other guests; Linux alone tells. */
export function cpuTicks(): Ticks | null {
  if (process.platform !== "linux") return null;
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { stolen: ticks[7] ?? 0, all: ticks.reduce((sum, each) => sum + each, 0) };
}

/** Percent of the CPU time since `before` that the host took away; null where nobody tells. */
export function stolenSince(before: Ticks | null): number | null {
  const now = cpuTicks();
  if (before === null || now === null) return null;
  return Math.round((100 * (now.stolen - before.stolen)) / Math.max(1, now.all - before.all));
}
