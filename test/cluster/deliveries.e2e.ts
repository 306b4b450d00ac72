import { afterAll, beforeAll, expect, it } from "vitest";
import { createClient } from "../../src/sdk/client.ts";
import { cases } from "../cases.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Cluster, report, startCluster } from "./cluster.ts";
import { flowOf } from "./flow.ts";

/** What leaves a platform of many isolates that come and go, whose queues hand one batch in five over twice. */

const ISOLATES = cases(3, 20);
const EVENTS = cases(150, 5_000);
const SENDERS = 20;

let cluster: Cluster;
let receiver: Receiver;

beforeAll(async () => {
  [cluster, receiver] = await Promise.all([
    startCluster({
      isolates: ISOLATES,
      spares: cases(3, 10),
      seed: 7,
      restarts: 0.02,
      duplicates: 0.2,
    }),
    startReceiver(),
  ]);
});
afterAll(async () => {
  await cluster.stop();
  await receiver.close();
});

const at = (path: string) => receiver.deliveries.filter((one) => one.path === path);

it("an event that is accepted anywhere arrives, and all its tries carry one id, whichever isolates make them", async () => {
  const client = createClient({ baseUrl: cluster.baseUrl });
  await client.signUp({ username: "many", password: "a-good-password" });
  const { flowId } = await client.flows.create({
    name: "many",
    flow: flowOf("storm", `${receiver.url}/storm`),
  });
  await client.flows.start(flowId);
  let sent = 0;
  const sender = async () => {
    for (let n = (sent += 1); n <= EVENTS; n = sent += 1) {
      const key = { idempotencyKey: `storm-${n}` };
      // One in five is sent twice: as a rule, to two isolates.
      const answers = await Promise.all(
        Array.from({ length: n % 5 === 0 ? 2 : 1 }, () => client.sendAppEvent("storm", { n }, key)),
      );
      expect(new Set(answers.map(({ triggers }) => triggers[0]?.correlationId)).size).toBe(1);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const byEvent = () => Map.groupBy(at("/storm"), ({ body }) => body.n);
  await receiver.waitFor(() => byEvent().size === EVENTS);
  const ids = byEvent();
  expect(
    [...ids.values()].filter((some) => new Set(some.map(({ webhookId }) => webhookId)).size !== 1),
  ).toEqual([]);
  const counts = await cluster.counts();
  expect(counts.failures).toEqual([]);
  expect(counts.restarted).toBeGreaterThan(0);
  expect(counts.duplicates).toBeGreaterThan(0);
  expect(counts.dealt.filter((work) => work === 0)).toEqual([]);
  report(counts);
});
