import { expect } from "vitest";
import { connect, eventsOf } from "../e2e/polled.ts";
import { startReceiver } from "../vendors/receiver.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import type { Cluster } from "./cluster.ts";
import { everywhere, made, scopesOf, userWithFlow } from "./world.ts";

/** What isolates, objects and queues have to say to one another, whichever versions of them do. */

/** Steps that succeed, and one that is tried again, looked at and sent anew. */
export async function appEvents(cluster: Cluster, events: number): Promise<void> {
  const receiver = await startReceiver();
  const { client, token } = await userWithFlow(cluster, "both", `${receiver.url}/both`);
  const tried = new Set<number>();
  receiver.respond = ({ body: { n } }) => {
    const isFirst = !tried.has(n);
    tried.add(n);
    return { status: isFirst && n === 0 ? 503 : 200 };
  };
  for (let n = 0; n < events; n += 1) await client.sendAppEvent("both", { n });
  await receiver.waitFor(events);
  await cluster.turn(70_000);
  await receiver.waitFor(events + 1);
  const user = await made(cluster, ["GET", "/user"], undefined, token);
  const source = encodeURIComponent(`user:${user.id}`);
  await everywhere(cluster, async (isolate) => {
    const list = await made(cluster, ["GET", `/v1/deliveries?source=${source}`], isolate);
    expect(list.items).toHaveLength(events);
    const path = `/v1/deliveries/${encodeURIComponent(list.items[isolate].id)}`;
    await made(cluster, ["GET", path], isolate);
    await made(cluster, ["POST", `${path}/resend`], isolate);
    await made(cluster, ["GET", `/v1/streams/${source}/events`], isolate);
  });
  await receiver.waitFor(events + 1 + cluster.isolates);
  await receiver.close();
}

/** A destination that fails so often, is paced, tested, recovered, and told what it missed. */
export async function resources(cluster: Cluster, events: number, failures: number): Promise<void> {
  const receiver = await startReceiver();
  const scopes = await scopesOf(cluster, "both", `${receiver.url}/hook`, 2);
  const told = () => new Set(receiver.deliveries.map(({ body }) => body.payload?.name));
  const destination = `/v1/destinations/${scopes.destinationId}`;
  await made(cluster, ["PATCH", destination, { retrySchedule: [0] }]);
  await cluster.turn(5_000);
  const since = new Date(cluster.now() - 60_000).toISOString();
  receiver.respond = () => ({ status: 500 });
  // Fewer failures than open the circuit.
  for (let n = 0; n < failures; n += 1) await scopes.make(n, n % cluster.isolates);
  await receiver.waitFor(() => told().size === failures);
  receiver.respond = () => ({ status: 200 });
  await everywhere(cluster, (isolate) => made(cluster, ["GET", destination], isolate));
  await made(cluster, ["POST", `${destination}/enable`]);
  await made(cluster, ["POST", `${destination}/test`]);
  await made(cluster, ["POST", `${destination}/recover`, { since }]);
  await made(cluster, ["PATCH", destination, { rate: 50 }]);
  await cluster.turn(5_000);
  for (let n = failures; n < events; n += 1) await scopes.make(n, n % cluster.isolates);
  await receiver.waitFor(() => told().size >= events);
  await receiver.close();
}

/** An account that is polled by hand and by the schedule, whose stream is replayed, and which is deleted. */
export async function polls(cluster: Cluster, rounds: number): Promise<void> {
  const sandbox = await startSandbox({ now: cluster.now });
  const { id, receiver } = await connect(cluster, {
    element: { key: "sandbox" },
    configuration: {
      "base.url": sandbox.url,
      "sandbox.api.key": sandbox.apiKey,
      "event.notification.enabled": true,
      "event.objects": "contacts",
    },
  });
  const told = () => new Set(eventsOf(receiver.deliveries).map(({ objectId }) => objectId));
  const from = new Date(cluster.now() - 600_000).toISOString();
  for (let round = 1; round <= rounds; round += 1) {
    sandbox.create("contacts", { lastName: `${round}` });
    if (round % 2 === 0)
      await everywhere(cluster, (isolate) =>
        made(cluster, ["POST", `/v1/instances/${id}/poll`], isolate),
      );
    else await cluster.tick();
    await receiver.waitFor(() => told().size === round);
  }
  const to = new Date(cluster.now() + 600_000).toISOString();
  const before = receiver.deliveries.length;
  await made(cluster, ["POST", `/v1/streams/instance:${id}/replay`, { from, to }]);
  await receiver.waitFor(before + 1);
  const { status } = await cluster.call("DELETE", `/elements/api-v2/instances/${id}`);
  expect(status).toBe(200);
  await Promise.all([sandbox.close(), receiver.close()]);
}
