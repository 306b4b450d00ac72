import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cases } from "../../cases.ts";
import { KILL_WAIT_MS, WAIT_MS } from "../../patience.ts";
import { type Receiver, startReceiver } from "../../vendors/receiver.ts";
import { type Stack, startStack } from "../stack.ts";

const ROUNDS = cases(2, 10);
const EVENTS = 60;
/** Calls a second to the endpoint that is deleted: most of its events wait when it is. */
const RATE = 5;
/** A call that had begun before the answer to the DELETE arrives within this time. */
const UNDER_WAY_MS = 2_000;

let stack: Stack;
let receiver: Receiver;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([startStack(), startReceiver()]);
});
afterAll(async () => {
  await stack.stop();
  await receiver.close();
});

type Reply = { status: number; body: any };
const v1 = async (method: string, path: string, body?: object): Promise<Reply> => {
  const response = await fetch(`${stack.baseUrl}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${stack.local.apiKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(WAIT_MS),
  });
  return { status: response.status, body: await response.json() };
};

/** Asks until there is an answer of one of these kinds, whatever is killed meanwhile. */
async function insisted(ask: () => Promise<Reply>, ...wanted: number[]): Promise<Reply> {
  for (;;) {
    const reply = await ask().catch(() => undefined);
    if (reply !== undefined && wanted.includes(reply.status)) return reply;
    await sleep(100);
  }
}

type Round = { tenant: string; gone: string; deletedAt: number };

/** A tenant with two endpoints, of which one is deleted while its events wait and everything is killed. */
async function round(number: number): Promise<Round> {
  const tenant = `round-${number}`;
  await v1("POST", "/tenants", { id: tenant });
  const endpoint = async (name: string, more: object = {}): Promise<string> => {
    const url = `${receiver.url}/${tenant}/${name}`;
    return (await v1("POST", "/destinations", { url, tenant, ...more })).body.id;
  };
  const [, gone] = [await endpoint("kept"), await endpoint("gone", { rate: RATE })];
  const publishing = Promise.all(
    Array.from({ length: EVENTS }, async (_, n) => {
      const event = { type: "a.b", id: `${tenant}-${n}`, data: { n } };
      await insisted(() => v1("POST", `/tenants/${tenant}/events`, event), 202);
    }),
  );
  // Each round is killed at another moment: before the DELETE comes, while it is done, after it was answered.
  await sleep(200);
  const deleting = insisted(() => v1("DELETE", `/destinations/${gone}`), 200, 404).then(() =>
    Date.now(),
  );
  await sleep((number * 37) % 150);
  await stack.kill9();
  await stack.restart();
  const [deletedAt] = await Promise.all([deleting, publishing]);
  return { tenant, gone, deletedAt };
}

it(
  "nothing goes to an endpoint after its DELETE was answered, and its neighbour gets every event once, whenever everything is killed",
  async () => {
    const rounds: Round[] = [];
    for (let number = 0; number < ROUNDS; number += 1) rounds.push(await round(number));
    const arrived = (tenant: string, name: string) =>
      receiver.deliveries.filter(({ path }) => path === `/${tenant}/${name}`);
    const isOver = async ({ tenant, gone }: Round): Promise<boolean> => {
      const path = `/deliveries?source=tenant:${tenant}&limit=200`;
      const items: { destinationId: string; status: string }[] = (await v1("GET", path)).body.items;
      const endOf = (destinationId: string) => (destinationId === gone ? "dead" : "delivered");
      return items.every(
        ({ destinationId, status }) => status === "delivered" || status === endOf(destinationId),
      );
    };
    for (const one of rounds)
      for (const giveUpAt = Date.now() + KILL_WAIT_MS; !(await isOver(one)); await sleep(500))
        expect(Date.now()).toBeLessThan(giveUpAt);
    for (const { tenant, deletedAt } of rounds) {
      const kept = Map.groupBy(arrived(tenant, "kept"), ({ body }) => body.id as string);
      expect(kept.size).toBe(EVENTS);
      const gone = Map.groupBy(arrived(tenant, "gone"), ({ body }) => body.id as string);
      expect(gone.size).toBeLessThan(EVENTS);
      // What was under way when all was killed is sent again, under its own id.
      for (const all of [...kept.values(), ...gone.values()])
        expect(new Set(all.map(({ webhookId }) => webhookId)).size).toBe(1);
      const late = arrived(tenant, "gone").filter(({ at }) => at > deletedAt + UNDER_WAY_MS);
      expect(late).toEqual([]);
    }
  },
  ROUNDS * KILL_WAIT_MS,
);
