import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, eventsOf } from "../e2e/polled.ts";
import { startReceiver } from "../vendors/receiver.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { buildPrevious, hasPrevious } from "./previous.ts";
import { builtBundle } from "./services.ts";
import { everywhere, made, scopesOf, userWithFlow } from "./world.ts";

/**
 * After a deploy objects keep their old code for minutes, and isolates of both versions call them, and one another by
 * the queues. So each version's callers work with the other's objects and messages. `previous.json` names the version
 * before; a checkout without history can't build it, and skips this.
 */

const EVENTS = 12;
const FAILURES = 4;
const DEPLOYS: [string, (previous: string) => { bundles: string[]; objectsBundle: string }][] = [
  [
    "today's callers and the objects of the version before",
    (previous) => ({ bundles: [builtBundle()], objectsBundle: previous }),
  ],
  [
    "callers and messages of both versions and today's objects",
    (previous) => ({ bundles: [previous, builtBundle()], objectsBundle: builtBundle() }),
  ],
];

describe.skipIf(!hasPrevious())("two versions side by side", () => {
  let previous: ReturnType<typeof buildPrevious>;
  beforeAll(() => {
    previous = buildPrevious();
  });
  afterAll(() => rmSync(previous.folder, { recursive: true, force: true }));

  it.concurrent.each(DEPLOYS)("%s understand each other", async (_, deploy) => {
    const versions = deploy(previous.bundle);
    const cluster = await startCluster({
      isolates: 2,
      spares: 0,
      seed: 17,
      batchSize: 1,
      ...versions,
    });
    try {
      await appEvents(cluster);
      await resources(cluster);
      await polls(cluster);
      const { failures } = await cluster.counts();
      expect(failures).toEqual([]);
      expect(cluster.errors).toEqual([]);
    } finally {
      await cluster.stop();
    }
  });
});

/** Steps that succeed, and one that is tried again, looked at and sent anew. */
async function appEvents(cluster: Cluster): Promise<void> {
  const receiver = await startReceiver();
  const { client, token } = await userWithFlow(cluster, "both", `${receiver.url}/both`);
  const tried = new Set<number>();
  receiver.respond = ({ body: { n } }) => {
    const isFirst = !tried.has(n);
    tried.add(n);
    return { status: isFirst && n === 0 ? 503 : 200 };
  };
  for (let n = 0; n < EVENTS; n += 1) await client.sendAppEvent("both", { n });
  await receiver.waitFor(EVENTS);
  await cluster.turn(70_000);
  await receiver.waitFor(EVENTS + 1);
  const user = await made(cluster, ["GET", "/user"], undefined, token);
  const source = encodeURIComponent(`user:${user.id}`);
  await everywhere(cluster, async (isolate) => {
    const list = await made(cluster, ["GET", `/v1/deliveries?source=${source}`], isolate);
    expect(list.items).toHaveLength(EVENTS);
    const path = `/v1/deliveries/${encodeURIComponent(list.items[isolate].id)}`;
    await made(cluster, ["GET", path], isolate);
    await made(cluster, ["POST", `${path}/resend`], isolate);
    await made(cluster, ["GET", `/v1/streams/${source}/events`], isolate);
  });
  await receiver.waitFor(EVENTS + 1 + cluster.isolates);
  await receiver.close();
}

/** A destination that fails, is paced, tested, recovered, and told what it missed. */
async function resources(cluster: Cluster): Promise<void> {
  const receiver = await startReceiver();
  const scopes = await scopesOf(cluster, "both", `${receiver.url}/hook`, 2);
  const told = () => new Set(receiver.deliveries.map(({ body }) => body.payload?.name));
  const destination = `/v1/destinations/${scopes.destinationId}`;
  await made(cluster, ["PATCH", destination, { retrySchedule: [0] }]);
  await cluster.turn(5_000);
  const since = new Date(cluster.now() - 60_000).toISOString();
  receiver.respond = () => ({ status: 500 });
  // Fewer failures than open the circuit.
  for (let n = 0; n < FAILURES; n += 1) await scopes.make(n, n % cluster.isolates);
  await receiver.waitFor(() => told().size === FAILURES);
  receiver.respond = () => ({ status: 200 });
  await everywhere(cluster, (isolate) => made(cluster, ["GET", destination], isolate));
  await made(cluster, ["POST", `${destination}/enable`]);
  await made(cluster, ["POST", `${destination}/test`]);
  await made(cluster, ["POST", `${destination}/recover`, { since }]);
  await made(cluster, ["PATCH", destination, { rate: 50 }]);
  await cluster.turn(5_000);
  for (let n = FAILURES; n < EVENTS; n += 1) await scopes.make(n, n % cluster.isolates);
  await receiver.waitFor(() => told().size >= EVENTS);
  await receiver.close();
}

/** An account that is polled by hand and by the schedule, whose stream is replayed, and which is deleted. */
async function polls(cluster: Cluster): Promise<void> {
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
  for (let round = 1; round <= 4; round += 1) {
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
