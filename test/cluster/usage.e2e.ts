import { afterAll, beforeAll, expect, it } from "vitest";
import { cases } from "../cases.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Cluster, report, startCluster } from "./cluster.ts";
import { call, inTurns, userWithFlow } from "./world.ts";

/** What many isolates count of what they did. */

const ISOLATES = cases(3, 20);
const USERS = cases(8, 200);
const EACH = cases(30, 50);
const MINUTE = 60_000;

let cluster: Cluster;
let receiver: Receiver;

beforeAll(async () => {
  [cluster, receiver] = await Promise.all([
    startCluster({ isolates: ISOLATES, seed: 5, spares: 2 }),
    startReceiver(),
  ]);
});
afterAll(async () => {
  report(await cluster.counts());
  await cluster.stop();
  await receiver.close();
});

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

it("every event and delivery is counted once, wherever, and no isolate has to be asked for it", async () => {
  const users = await Promise.all(
    numbers(USERS).map((n) => userWithFlow(cluster, `counted-${n}`, `${receiver.url}/${n}`)),
  );
  await inTurns(numbers(USERS * EACH), 20, async (n) => {
    await users[n % USERS]?.client.sendAppEvent(`counted-${n % USERS}`, { n });
  });
  // Isolates that are retired write down what they have when they are left alone.
  await cluster.restartIsolate(0);
  await cluster.restartIsolate(1);
  const db = await cluster.d1();
  const written = () =>
    db
      .prepare(
        `SELECT count(DISTINCT f.id) AS rows, sum(e.value ->> 5) AS events, sum(e.value ->> 6) AS delivered
         FROM usage_flushes AS f, json_each(f.body) AS e`,
      )
      .first<{ rows: number; events: number; delivered: number }>();
  const all = USERS * EACH;
  await expect.poll(written, { interval: 1_000 }).toMatchObject({ events: all, delivered: all });
  await cluster.turn(6 * MINUTE);
  await cluster.tick();
  expect(await written()).toMatchObject({ rows: 0 });
  const { body } = await call(cluster, ["GET", "/v1/usage?by=source"]);
  expect(body.total).toMatchObject({ events: all, deliveries: all });
  const counted = body.items.filter(({ events }: { events: number }) => events === EACH);
  expect(counted).toHaveLength(USERS);
});
