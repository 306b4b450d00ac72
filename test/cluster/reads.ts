import { expect, it } from "vitest";
import { cases } from "../cases.ts";
import { cluster, receiver } from "./shared.ts";
import { userWithFlow } from "./world.ts";

/** What events read of D1 when there are many sources, each with an event now and then, and many isolates to take them. */

const USERS = cases(5, 60);
const ROUNDS = cases(4, 20);

it("the app events of many users, each dealt to another isolate than the one before, hardly read D1, nor do their deliveries", async () => {
  const users = await Promise.all(
    Array.from({ length: USERS }, async (_, index) => {
      const name = `rare-${index}`;
      const { client } = await userWithFlow(cluster, name, `${receiver.url}/rare/${index}`);
      return (n: number) => client.sendAppEvent(name, { n });
    }),
  );
  const arrived = () => receiver.deliveries.filter(({ path }) => path.startsWith("/rare/")).length;
  const used = { d1Reads: 0, objectRequests: 0 };
  for (let n = 0; n <= ROUNDS; n += 1) {
    const before = await cluster.counts();
    await Promise.all(users.map((send) => send(n)));
    await receiver.waitFor(() => arrived() === USERS * (n + 1));
    const after = await cluster.counts();
    // The first event of a user finds what nobody has asked for before.
    if (n > 0) {
      used.d1Reads += after.d1Reads - before.d1Reads;
      used.objectRequests += after.objectRequests - before.objectRequests;
    }
    // What an isolate believes for some seconds is old by the next event of the same user.
    await cluster.turn(6_000);
  }
  const events = USERS * ROUNDS;
  const perEvent = { d1Reads: used.d1Reads / events, objectRequests: used.objectRequests / events };
  console.log(JSON.stringify({ isolates: cluster.isolates, events, perEvent }));
  expect(perEvent.d1Reads).toBeLessThanOrEqual(0.05);
});
