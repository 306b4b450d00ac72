import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cases } from "../../cases.ts";
import { WAIT_MS } from "../../patience.ts";
import { type Receiver, startReceiver } from "../../vendors/receiver.ts";
import { type Stack, startStack } from "../stack.ts";

const EVENTS = cases(400, 10_000);
const CONCURRENT = 50;
/** One event in ten is told this much later. */
const LATER_MS = 15_000;
const PATIENCE_MS = 240_000 + EVENTS * 60;

let stack: Stack;
let receiver: Receiver;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([startStack(), startReceiver()]);
});
afterAll(async () => {
  await stack.stop();
  await receiver.close();
});

const v1 = async (path: string, body: object): Promise<{ status: number; body: any }> => {
  const response = await fetch(`${stack.baseUrl}/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${stack.local.apiKey}` },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(WAIT_MS),
  });
  return { status: response.status, body: await response.json() };
};

it(
  "tells every published event once to each destination, none before its time, over two crashes of everything",
  async () => {
    await v1("/tenants", { id: "storm" });
    for (const name of ["one", "two"])
      expect(
        (await v1("/destinations", { url: `${receiver.url}/${name}`, tenant: "storm" })).status,
      ).toBe(201);
    const due = new Map<number, number>();
    let [sent, accepted, repeated] = [0, 0, 0];
    const publish = async (n: number): Promise<boolean> => {
      const at = due.get(n);
      const deliverAt = at === undefined ? {} : { deliverAt: new Date(at).toISOString() };
      const event = { type: "storm.came", id: `storm-${n}`, data: { n }, ...deliverAt };
      try {
        const { status, body } = await v1("/tenants/storm/events", event);
        return status === 202 && body.destinations === 2;
      } catch {
        return false;
      }
    };
    const until = async (n: number): Promise<void> => {
      while (!(await publish(n))) await sleep(200);
    };
    // One in five comes twice at once, one in five again later, whatever became of the first.
    const sender = async (): Promise<void> => {
      for (let n = (sent += 1); n <= EVENTS; n = sent += 1) {
        if (n % 10 === 0) due.set(n, Date.now() + LATER_MS);
        const chance = Math.random();
        await Promise.all(chance < 0.2 ? [until(n), until(n)] : [until(n)]);
        accepted += 1;
        if (chance > 0.8) await until(1 + Math.floor(Math.random() * n));
        if (chance < 0.2 || chance > 0.8) repeated += 1;
      }
    };
    const crash = async (after: number): Promise<void> => {
      while (accepted < after) await sleep(20);
      await stack.kill9();
      await stack.restart();
    };
    const crashes = (async () => {
      await crash(EVENTS / 4);
      await crash(EVENTS / 2);
    })();
    await Promise.all([crashes, ...Array.from({ length: CONCURRENT }, sender)]);
    expect(accepted).toBe(EVENTS);
    expect(repeated).toBeGreaterThan(0);

    const toldTo = (name: string) =>
      Map.groupBy(
        receiver.deliveries.filter(({ path }) => path === `/${name}`),
        ({ body }) => body.data.n as number,
      );
    const giveUpAt = Date.now() + PATIENCE_MS;
    while (toldTo("one").size + toldTo("two").size < 2 * EVENTS && Date.now() < giveUpAt)
      await sleep(500);
    for (const name of ["one", "two"]) {
      const told = toldTo(name);
      expect(told.size).toBe(EVENTS);
      // A crash may repeat a call, under the same id.
      const ids = [...told.values()].map((all) => new Set(all.map(({ webhookId }) => webhookId)));
      expect(ids.filter(({ size }) => size !== 1)).toEqual([]);
      const early = [...due].filter(([n, at]) => told.get(n)?.some((one) => one.at < at));
      expect(early).toEqual([]);
    }
  },
  2 * PATIENCE_MS + 360_000,
);
