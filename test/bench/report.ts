import type { Ledger } from "./ledger.ts";
import { type LoadResult, median } from "./load.ts";

/** `cpuMs`: of the whole local runtime, its queues and databases too. */
export type Cost = { what: string; used: Ledger; dollars: number; cpuMs?: number };
export type Speed = { what: string; floor: LoadResult[]; tributary: LoadResult[] };

export const round = (value: number): number => Math.round(value * 100) / 100;
const middle = (results: readonly LoadResult[], read: (result: LoadResult) => number): number =>
  round(median(results.map(read)));

/** Where the host took much of the CPU time away, a figure says more of the host. */
function stolenOf(results: readonly LoadResult[]): Record<string, string> {
  const shares = results.flatMap(({ stolen }) => stolen ?? []);
  return shares.length === 0 ? {} : { "stolen %": `${Math.min(...shares)}-${Math.max(...shares)}` };
}

export function speedRow({ what, floor, tributary }: Speed): Record<string, string | number> {
  const rates = [floor, tributary].map((all) => all.map((it) => Math.round(it.deliveredPerSecond)));
  const [least = [], ours = []] = rates;
  return {
    "delivered events/s": what,
    floor: median(least),
    "floor range": `${Math.min(...least)}-${Math.max(...least)}`,
    tributary: median(ours),
    range: `${Math.min(...ours)}-${Math.max(...ours)}`,
    "of floor": round(median(ours) / median(least)),
    ...stolenOf([...floor, ...tributary]),
  };
}

export function latencyRow(
  who: string,
  results: readonly LoadResult[],
): Record<string, string | number> {
  return {
    "ms at 100 events/s": who,
    "accepted→delivered p50": middle(results, (it) => it.acceptedToDelivered.p50),
    p99: middle(results, (it) => it.acceptedToDelivered.p99),
    "sent→delivered p50": middle(results, (it) => it.sentToDelivered.p50),
    "p99 ": middle(results, (it) => it.sentToDelivered.p99),
    ...stolenOf(results),
  };
}

export function isolationRow(
  dead: string,
  results: readonly LoadResult[],
): Record<string, string | number> {
  return {
    "99 destinations, of a hundred dead": dead,
    "accepted→delivered p50 ms": middle(results, (it) => it.acceptedToDelivered.p50),
    p99: middle(results, (it) => it.acceptedToDelivered.p99),
    ...stolenOf(results),
  };
}

export function costRow({ what, used, dollars, cpuMs }: Cost): Record<string, string | number> {
  return {
    "counted per": what,
    "object rows written": round(used.objectRowsWritten),
    read: round(used.objectRowsRead),
    "D1 rows written": round(used.d1RowsWritten),
    "read ": round(used.d1RowsRead),
    "object requests": round(used.objectRequests),
    "queue messages": round(used.queueMessages),
    operations: round(used.queueOperations),
    invocations: round(used.workerRequests),
    "$ per million": round(dollars),
    ...(cpuMs === undefined ? {} : { "CPU ms": round(cpuMs) }),
  };
}

/** A table whose rows are named by their first member; its key is the heading. */
export function print(rows: Record<string, string | number>[]): void {
  const [heading = ""] = Object.keys(rows[0] ?? {});
  const named = rows.map(({ [heading]: name, ...figures }) => [name, figures]);
  console.log(`\n${heading}`);
  console.table(Object.fromEntries(named));
}
