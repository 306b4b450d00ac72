import { readdirSync, readFileSync } from "node:fs";

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

/** What Linux counts CPU time in. */
const TICK_MS = 10;

/** CPU time of the runtimes among a group of processes, in milliseconds; null where nobody tells. */
export function cpuMsOf(group: number | undefined): number | null {
  if (process.platform !== "linux" || group === undefined) return null;
  const times = readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const [, command, rest = ""] = /\((.*)\) (.*)/.exec(statOf(name)) ?? [];
    const fields = rest.split(" ");
    const isOurs = command === "workerd" && Number(fields[2]) === group;
    return isOurs ? (Number(fields[11]) + Number(fields[12])) * TICK_MS : [];
  });
  return times.reduce((sum, one) => sum + one, 0);
}

/** Empty when the process has ended meanwhile. */
function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}
