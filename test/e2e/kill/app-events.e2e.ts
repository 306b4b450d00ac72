import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createClient } from "../../../src/sdk/client.ts";
import { WAIT_MS } from "../../patience.ts";
import { type Receiver, startReceiver } from "../../vendors/receiver.ts";
import { type Stack, startStack } from "../stack.ts";
import { cases } from "../../cases.ts";

const EVENTS = cases(600, 10_000);
const CONCURRENT = 50;
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

const flow = (url: string) => ({
  T: {
    type: "appmixer.utils.appevents.OnAppEvent",
    source: {},
    config: { properties: { event: "storm" } },
  },
  P: {
    type: "appmixer.utils.http.Post",
    source: { in: { T: ["out"] } },
    config: { transform: { in: { T: { out: { lambda: { url, body: "{{{$.T.out.data}}}" } } } } } },
  },
});

it(
  "runs every accepted event exactly once in each flow, over two crashes of everything",
  async () => {
    const client = createClient({ baseUrl: stack.baseUrl });
    const { token } = await client.signUp({ username: "storm", password: "a-good-password" });
    for (const name of ["one", "two"]) {
      const { flowId } = await client.flows.create({ name, flow: flow(`${receiver.url}/${name}`) });
      await client.flows.start(flowId);
    }
    let sent = 0;
    let accepted = 0;
    let repeated = 0;
    let differing = 0;
    const answered = new Map<number, string>();
    const path = "/plugins/appmixer/utils/appevents/events/storm";
    const send = async (n: number): Promise<boolean> => {
      try {
        const response = await fetch(stack.baseUrl + path, {
          method: "POST",
          headers: {
            authorization: `Bearer ${token}`,
            "content-type": "application/json",
            "idempotency-key": `storm-${n}`,
          },
          body: JSON.stringify({ n }),
          signal: AbortSignal.timeout(WAIT_MS),
        });
        const { triggers } = (await response.json()) as { triggers: { correlationId: string }[] };
        if (response.status !== 200 || triggers.length !== 2) return false;
        const runs = triggers.map(({ correlationId }) => correlationId).join();
        // Whatever is answered to a key, it names the same two runs.
        if ((answered.get(n) ?? runs) !== runs) differing += 1;
        answered.set(n, runs);
        return true;
      } catch {
        return false;
      }
    };
    const until = async (n: number) => {
      while (!(await send(n))) await sleep(200);
    };
    // One in five comes twice at once, one in five again later, whatever became of the first.
    const sender = async () => {
      for (let n = (sent += 1); n <= EVENTS; n = sent += 1) {
        const chance = Math.random();
        await Promise.all(chance < 0.2 ? [until(n), until(n)] : [until(n)]);
        accepted += 1;
        if (chance > 0.8) await until(1 + Math.floor(Math.random() * n));
        if (chance < 0.2 || chance > 0.8) repeated += 1;
      }
    };
    const crash = async (after: number) => {
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
    expect(differing).toBe(0);

    const idsOf = (name: string) => {
      const ids = new Map<number, Set<string | undefined>>();
      for (const delivery of receiver.deliveries)
        if (delivery.path === `/${name}`) {
          const seen = ids.get(delivery.body.n) ?? new Set();
          ids.set(delivery.body.n, seen.add(delivery.webhookId));
        }
      return ids;
    };
    const done = () => idsOf("one").size + idsOf("two").size;
    const giveUpAt = Date.now() + PATIENCE_MS;
    while (done() < 2 * EVENTS && Date.now() < giveUpAt) await sleep(500);
    for (const name of ["one", "two"]) {
      const ids = idsOf(name);
      expect(ids.size).toBe(EVENTS);
      expect([...ids.values()].filter((seen) => seen.size !== 1)).toEqual([]);
    }
    console.log(
      JSON.stringify({ events: EVENTS, deliveries: receiver.deliveries.length, repeated }),
    );
  },
  2 * PATIENCE_MS + 360_000,
);
