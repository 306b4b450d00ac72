import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { cases } from "../cases.ts";
import { connect, createInstance, eventsOf } from "../e2e/polled.ts";
import { CLIENT, CODE } from "../vendors/grants.ts";
import { hubspotEmulator } from "../vendors/hubspot.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import { serveVendor } from "../vendors/serve.ts";
import { type Cluster, report, startCluster } from "./cluster.ts";
import { type HangingVendor, startHangingVendor } from "./hanging-vendor.ts";
import { call, everywhere, inTurns, made } from "./world.ts";

/** What isolates of many must do one at a time, and what they count. */

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ isolates: cases(3, 20), spares: 2, seed: 13 });
});
afterAll(async () => {
  report(await cluster.counts());
  await cluster.stop();
});

it("a vendor's token that has ended is renewed once, whichever isolates find out together", async () => {
  const hubspot = await serveVendor(hubspotEmulator());
  const { token } = await createInstance(cluster, {
    element: { key: "hubspot" },
    providerData: { code: CODE },
    configuration: {
      "oauth.api.key": CLIENT.id,
      "oauth.api.secret": CLIENT.secret,
      "base.url": hubspot.url,
      "oauth.base.url": hubspot.url,
    },
  });
  const authorization = `User ${cluster.local.userSecret}, Element ${token}`;
  const askAll = () =>
    everywhere(cluster, async (isolate) => {
      const init = { headers: { authorization } };
      return (await cluster.fetch("/elements/api-v2/hubs/crm/contacts", init, isolate)).status;
    });
  const fine = Array.from({ length: cluster.isolates }, () => 200);
  expect(await askAll()).toEqual(fine);
  for (let round = 1; round <= 3; round += 1) {
    const granted = hubspot.oauth.granted.length;
    hubspot.oauth.expire();
    hubspot.delayNext({ delayMs: 300, path: "/oauth" });
    expect(await askAll()).toEqual(fine);
    expect(hubspot.oauth.granted.length).toBe(granted + 1);
  }
  await hubspot.close();
});

it("an account is polled by one isolate at a time, tells each change once, and its usage adds up", async () => {
  const sandbox = await startSandbox();
  const { id, receiver } = await connect(cluster, {
    element: { key: "sandbox" },
    configuration: {
      "base.url": sandbox.url,
      "sandbox.api.key": sandbox.apiKey,
      "event.notification.enabled": true,
      "event.objects": "contacts",
    },
  });
  const openRequests: number[] = [];
  sandbox.onRequest = () => {
    openRequests.push(sandbox.requests.filter(({ status }) => status === 0).length);
  };
  const changes = 6 * cluster.isolates;
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < changes / 3; n += 1) sandbox.create("contacts", { lastName: `${n}` });
    sandbox.delayNext({ delayMs: 100, times: 100, path: "/v1/contacts" });
    await Promise.all([
      cluster.tick(),
      everywhere(cluster, (isolate) =>
        made(cluster, ["POST", `/v1/instances/${id}/poll`], isolate),
      ),
    ]);
  }
  const told = () => eventsOf(receiver.deliveries).map(({ objectId }) => objectId);
  await receiver.waitFor(() => told().length >= changes);
  const ids = sandbox.records("contacts").map((one) => one.id);
  expect(told()).toHaveLength(ids.length);
  expect(new Set(told())).toEqual(new Set(ids));
  expect(Math.max(...openRequests)).toBe(1);
  const used = async () => {
    await cluster.turn(300_000);
    await cluster.tick();
    const { body } = await call(cluster, ["GET", "/v1/usage?by=source"]);
    return body.items.find(({ key }: { key: string }) => key.includes(String(id)));
  };
  await expect.poll(used).toMatchObject({ events: changes });
  await Promise.all([sandbox.close(), receiver.close()]);
});

const ACCOUNTS = 2_000;
const MINUTES = 3;
const MINUTE = 60_000;
/** A vendor that gave no answer is left alone for so long at least, then twice as long. */
const SHORTEST_WAIT_MS = 45_000;

// Of the long form alone: it takes minutes. The gate simulates it, and polls silent vendors in `polling/hanging.test.ts`.
it.runIf(inject("isLong"))(
  "while a twentieth of the accounts hang, all others are polled each minute, once, as when none does",
  async () => {
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
      tries.push(...polls.map(({ key }) => key), ...vendor.taken().map(({ key }) => key));
      await cluster.turn(MINUTE);
    }
    const most = 1 + Math.log2(1 + (cluster.now() - since) / SHORTEST_WAIT_MS);
    for (const key of ill.keys()) {
      const times = tries.filter((one) => one === key).length;
      expect(times).toBeGreaterThan(1);
      expect(times).toBeLessThanOrEqual(most);
    }
    await vendor.close();
  },
);

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
