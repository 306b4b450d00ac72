import { setTimeout as sleep } from "node:timers/promises";
import { startSandbox } from "../vendors/sandbox.ts";
import { authorization, call, settledLedger } from "./costs.ts";
import { round } from "./report.ts";
import type { Running } from "./server.ts";

const INSTANCES = 1_000;
const WINDOW_MS = 1_000;
const GIVE_UP_MS = 180_000;

/**
 * 1,000 instances of one account, all due in one tick, under a budget of so many requests in any second:
 * how fast they were polled and the most that any second saw, both as the vendor saw it.
 */
export async function vendorBudget(
  server: Running,
  requests = 20,
): Promise<Record<string, string | number>> {
  const vendor = await startSandbox({ rateLimitPerMinute: Infinity });
  try {
    for (let made = 0; made < INSTANCES; made += 10)
      await Promise.all(Array.from({ length: 10 }, () => createInstance(server, vendor, requests)));
    const before = await settledLedger(server);
    vendor.requests.length = 0;
    const tick = await fetch(`${server.url}/cdn-cgi/local/scheduled?cron=*+*+*+*+*&format=json`);
    if (!tick.ok) throw new Error(`The tick answered ${tick.status}`);
    await tick.text();
    for (const giveUpAt = Date.now() + GIVE_UP_MS; vendor.requests.length < INSTANCES;) {
      if (Date.now() > giveUpAt)
        throw new Error(`Expected ${INSTANCES} polls, the vendor saw ${vendor.requests.length}`);
      await sleep(50);
    }
    const times = vendor.requests.map(({ at }) => at);
    const after = await settledLedger(server);
    const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
    return {
      "1,000 instances, one account": `${requests} requests in any second`,
      "polls/s": round((times.length - 1) / seconds),
      "most in a second": mostIn(times, WINDOW_MS),
      polls: vendor.requests.length,
      "object requests a poll": round((after.objectRequests - before.objectRequests) / INSTANCES),
    };
  } finally {
    await vendor.close();
  }
}

function createInstance(
  server: Running,
  vendor: { url: string; apiKey: string },
  requests: number,
): Promise<unknown> {
  return call(server, "POST", "/elements/api-v2/instances", authorization.secrets, {
    element: { key: "sandbox" },
    configuration: {
      "base.url": vendor.url,
      "sandbox.api.key": vendor.apiKey,
      "event.vendor.type": "polling",
      "event.poller.refresh_interval": "1",
      "event.objects": "contacts",
      "vendor.rate": `${requests}/${WINDOW_MS / 1_000}`,
    },
  });
}

/** The most of `times`, in order, that any window saw. */
function mostIn(times: readonly number[], windowMs: number): number {
  let most = 0;
  let from = 0;
  for (const [index, at] of times.entries()) {
    while ((times[from] ?? 0) <= at - windowMs) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
