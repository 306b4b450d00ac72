import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cases } from "../cases.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Cluster, report, startCluster } from "./cluster.ts";
import { inTurns, made, scopesOf, userWithFlow } from "./world.ts";

/** What leaves a platform of many isolates that come and go, whose queues hand one batch in five over twice. */

const ISOLATES = cases(3, 20);
const EVENTS = cases(80, 5_000);
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
      batchSize: 1,
    }),
    startReceiver(),
  ]);
});
afterAll(async () => {
  report(await cluster.counts());
  await cluster.stop();
  await receiver.close();
});

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const at = (path: string) => receiver.deliveries.filter((one) => one.path === path);

it("an event that is accepted anywhere arrives, and all its tries carry one id, whichever isolates make them", async () => {
  const { client } = await userWithFlow(cluster, "storm", `${receiver.url}/storm`);
  await inTurns(numbers(EVENTS), SENDERS, async (n) => {
    const key = { idempotencyKey: `storm-${n}` };
    // One in five is sent twice: as a rule, to two isolates.
    const answers = await Promise.all(
      Array.from({ length: n % 5 === 0 ? 2 : 1 }, () => client.sendAppEvent("storm", { n }, key)),
    );
    expect(new Set(answers.map(({ triggers }) => triggers[0]?.correlationId)).size).toBe(1);
  });
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
});

const SEATS = 100;
/** Of one isolate at a time. */
const MOST_GRANTED = 24;
const CALLS = cases(160, 1_500);

it("no more than a hundred calls are under way at an endpoint, over all isolates, and every one is made", async () => {
  let underWay = 0;
  let most = 0;
  // However slowly they come, they are held until there are more than one isolate's grants.
  const crowded = Promise.withResolvers<void>();
  receiver.respond = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    if (most > MOST_GRANTED) crowded.resolve();
    await crowded.promise;
    await sleep(1_000);
    underWay -= 1;
    return { status: 200 };
  };
  const crowd = await scopesOf(cluster, "crowd", `${receiver.url}/crowd`, 30);
  await inTurns(numbers(CALLS), 40, (n) => crowd.make(n));
  const told = () => new Set(at("/crowd").map(({ body }) => body.payload.name));
  await receiver.waitFor(() => told().size === CALLS);
  expect(most).toBeLessThanOrEqual(SEATS);
  expect(most).toBeGreaterThan(MOST_GRANTED);
});

it("a destination's rate is one for all isolates", async () => {
  receiver.respond = () => ({ status: 200 });
  const paced = await scopesOf(cluster, "paced", `${receiver.url}/paced`, 3);
  await made(cluster, ["PATCH", `/v1/destinations/${paced.destinationId}`, { rate: 10 }]);
  await inTurns(numbers(50), 20, (n) => paced.make(n));
  await receiver.waitFor(() => at("/paced").length >= 50);
  const times = at("/paced").map((one) => one.at);
  // A slow machine only takes longer; three isolates that count for themselves take a third.
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(3_900);
});
