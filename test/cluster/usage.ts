import { beforeAll, expect, it } from "vitest";
import { cases } from "../cases.ts";
import { cluster, receiver } from "./shared.ts";
import { call, inTurns, made, userWithFlow } from "./world.ts";

/** What many isolates count of what they did. */

const USERS = cases(4, 200);
const EACH = cases(20, 50);
const ALL = USERS * EACH;
const MINUTE = 60_000;

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

let sources: string[];

/** Long before it is looked for: isolates that are retired write down what they have when they are left alone. */
beforeAll(async () => {
  const users = await Promise.all(
    numbers(USERS).map((n) =>
      userWithFlow(cluster, `counted-${n}`, `${receiver.url}/counted/${n}`),
    ),
  );
  sources = await Promise.all(
    users.map(async ({ token }) => {
      const { id } = await made(cluster, ["GET", "/user"], undefined, token);
      return `user:${id}`;
    }),
  );
  await inTurns(numbers(ALL), 20, async (n) => {
    await users[n % USERS]?.client.sendAppEvent(`counted-${n % USERS}`, { n });
  });
  const arrived = () => receiver.deliveries.filter(({ path }) => path.startsWith("/counted/"));
  await receiver.waitFor(() => arrived().length >= ALL);
  await cluster.restartIsolate(0);
  await cluster.restartIsolate(1);
});

it("every event and delivery is counted once, wherever, and no isolate has to be asked for it", async () => {
  const db = await cluster.d1();
  const written = () =>
    db
      .prepare(
        `SELECT count(DISTINCT f.id) AS rows, sum(e.value ->> 5) AS events, sum(e.value ->> 6) AS delivered
         FROM usage_flushes AS f, json_each(f.body) AS e
         WHERE e.value ->> 2 IN (SELECT value FROM json_each(?))`,
      )
      .bind(JSON.stringify(sources))
      .first<{ rows: number; events: number; delivered: number }>();
  await expect.poll(written, { interval: 1_000 }).toMatchObject({ events: ALL, delivered: ALL });
  await cluster.turn(6 * MINUTE);
  await cluster.tick();
  expect(await written()).toMatchObject({ rows: 0 });
  const { body } = await call(cluster, ["GET", "/v1/usage?by=source"]);
  const counted = body.items.filter(({ key }: { key: string }) => sources.includes(key));
  expect(counted).toHaveLength(USERS);
  for (const one of counted) expect(one).toMatchObject({ events: EACH, deliveries: EACH });
});
