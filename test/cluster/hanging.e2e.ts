import { afterAll, beforeAll, expect, it } from "vitest";
import { cases } from "../cases.ts";
import { createInstance } from "../e2e/polled.ts";
import { type Cluster, report, startCluster } from "./cluster.ts";
import { type HangingVendor, startHangingVendor } from "./hanging-vendor.ts";
import { inTurns } from "./world.ts";

/** Vendors that give no answer, among many that do. */

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ isolates: cases(3, 20), spares: 0, seed: 13 });
});
afterAll(async () => {
  report(await cluster.counts());
  await cluster.stop();
});

const ACCOUNTS = cases(60, 2_000);
/** Those that hang answer nothing for half a minute, each time that they are tried. */
const MINUTES = cases(1, 3);
const MINUTE = 60_000;
/** A vendor that gave no answer is left alone for so long at least, then twice as long. */
const SHORTEST_WAIT_MS = 45_000;

it("while a twentieth of the accounts hang, all others are polled each minute, once, as when none does", async () => {
  const vendor = await startHangingVendor();
  const { well, ill } = await accountsOf(vendor);
  const all = new Set([...well, ...ill.keys()]);
  /** Until all of `awaited` were polled since the tick. @returns who was, and how long after it. */
  const polledAfterTick = async (awaited: ReadonlySet<string>) => {
    vendor.taken();
    const from = Date.now();
    await cluster.tick();
    const polls: { key: string; at: number }[] = [];
    const missing = () => {
      polls.push(...vendor.taken());
      return [...awaited.difference(new Set(polls.map(({ key }) => key)))];
    };
    await expect.poll(missing).toEqual([]);
    return polls.map(({ key, at }) => ({ key, afterMs: at - from }));
  };
  for (let n = 0; n < 2; n += 1) {
    log("none hangs", await polledAfterTick(all), all);
    await idle();
    await cluster.turn(MINUTE);
  }
  vendor.hang();
  const since = cluster.now();
  const tries: string[] = [];
  for (let n = 0; n < MINUTES; n += 1) {
    const tickedAt = cluster.now();
    const polls = await polledAfterTick(well);
    log(`minute ${n} with some that hang`, polls, well);
    const ofWell = polls.filter(({ key }) => well.has(key)).map(({ key }) => key);
    expect(ofWell.toSorted()).toEqual([...well].toSorted());
    await expect.poll(() => withoutTryAfter(tickedAt, ill)).toEqual([]);
    await idle();
    tries.push(...polls.map(({ key }) => key), ...vendor.taken().map(({ key }) => key));
    await cluster.turn(MINUTE);
  }
  const most = 1 + Math.log2(1 + (cluster.now() - since) / SHORTEST_WAIT_MS);
  for (const key of ill.keys()) {
    const times = tries.filter((one) => one === key).length;
    expect(times).toBeGreaterThanOrEqual(Math.min(MINUTES, 2));
    expect(times).toBeLessThanOrEqual(most);
  }
  await vendor.close();
});

/** A scheduled poll that meets one of its account is given up, so a minute begins when the last one's polls have ended. */
const idle = (): Promise<unknown> =>
  expect
    .poll(async () => Object.values((await cluster.counts()).underWay))
    .toSatisfy((batches) => batches.every((count: number) => count === 0));

/** Accounts by their keys at the vendor: those that are well, and those that will hang, with the tokens of their instances. */
async function accountsOf(vendor: HangingVendor) {
  const numbers = Array.from({ length: ACCOUNTS }, (_, n) => n);
  const hanging = new Set(
    numbers.toSorted((a, b) => scattered(a) - scattered(b)).slice(0, ACCOUNTS / 20),
  );
  const well = new Set<string>();
  const ill = new Map<string, string>();
  await inTurns(numbers, 20, async (n) => {
    const key = `account-${n}`;
    const { token } = await createInstance(cluster, {
      element: { key: "sandbox" },
      configuration: {
        "base.url": hanging.has(n) ? vendor.ill : vendor.well,
        "sandbox.api.key": key,
        "event.vendor.type": "polling",
        "event.notification.enabled": true,
        "event.notification.callback.url": null,
        "event.objects": "contacts",
        "event.poller.refresh_interval": 1,
      },
    });
    if (hanging.has(n)) ill.set(key, token);
    else well.add(key);
  });
  return { well, ill };
}

const scattered = (n: number): number => Math.imul(n + 1, 0x9e3779b1) >>> 0;

/** The accounts of which it isn't noted yet that they hang, or that they still do: no try after that instant is planned. */
async function withoutTryAfter(at: number, ill: ReadonlyMap<string, string>): Promise<string[]> {
  const keys: string[] = [];
  await inTurns([...ill], 20, async ([key, token]) => {
    const response = await cluster.fetch("/elements/api-v2/instances/event-poller-records", {
      headers: { authorization: `User ${cluster.local.userSecret}, Element ${token}` },
    });
    const [record]: any[] = await response.json();
    if (!(Date.parse(record?.unreachable?.nextTry) > at)) keys.push(key);
  });
  return keys;
}

function log(
  title: string,
  polls: { key: string; afterMs: number }[],
  whose: ReadonlySet<string>,
): void {
  const times = polls.filter(({ key }) => whose.has(key)).map(({ afterMs }) => afterMs);
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1];
  console.log(
    `${title}: polled ${sorted.length}, half of them within ${at(0.5)} ms, 95 % ${at(0.95)} ms, all ${at(1)} ms`,
  );
}
