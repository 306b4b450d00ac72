import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/**
 * Another client, on a thread of its own, that asks for `/health` all the time: how long it waits while somebody
 * attacks. Its thread sends and reads nothing else, so what it waits for is the platform.
 */

/** What the threads share: times waited since it was last asked, in ms, and how many there were. */
const [LONGEST, BEATS, FIRST_TIME, MOST_TIMES] = [0, 1, 2, 200_000];
const PAUSE_MS = 4;

export type Pulse = {
  /** Forgets what was waited so far. */
  begin(): void;
  /** The longest wait since `begin`, that of a request under way now included. */
  longest(): Promise<number>;
  /** All waits since `begin`, in ms. */
  waits(): number[];
  stop(): Promise<void>;
};

export async function startPulse(baseUrl: string): Promise<Pulse> {
  const shared = new SharedArrayBuffer((FIRST_TIME + MOST_TIMES) * 8);
  const times = new Float64Array(shared);
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { baseUrl, shared } });
  const beats = () => times[BEATS] ?? 0;
  let from = 0;
  const until = async (count: number) => {
    while (beats() < count) await sleep(1);
  };
  await until(20);
  return {
    begin() {
      from = beats();
      times[LONGEST] = 0;
    },
    async longest() {
      // The second from now began after the attack was over.
      await until(beats() + 2);
      return times[LONGEST] ?? 0;
    },
    waits: () =>
      Array.from({ length: Math.min(beats() - from, MOST_TIMES) }, (_, index) => {
        return times[FIRST_TIME + ((from + index) % MOST_TIMES)] ?? 0;
      }),
    async stop() {
      await worker.terminate();
    },
  };
}

async function beat(baseUrl: string, times: Float64Array): Promise<void> {
  const { send } = await import("./client.ts");
  for (;;) {
    const { ms } = await send(baseUrl, { method: "GET", path: "/health" });
    const count = times[BEATS] ?? 0;
    times[FIRST_TIME + (count % MOST_TIMES)] = ms;
    times[LONGEST] = Math.max(times[LONGEST] ?? 0, ms);
    times[BEATS] = count + 1;
    await sleep(PAUSE_MS);
  }
}

if (!isMainThread && parentPort !== null) {
  const { baseUrl, shared } = workerData as { baseUrl: string; shared: SharedArrayBuffer };
  await beat(baseUrl, new Float64Array(shared));
}
