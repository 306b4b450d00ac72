import { afterAll, beforeAll } from "vitest";
import { cases } from "../cases.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Cluster, report, startCluster } from "./cluster.ts";

/** One cluster and one receiver for tests that look only at what they made themselves. */
export let cluster: Cluster;
export let receiver: Receiver;

beforeAll(async () => {
  [cluster, receiver] = await Promise.all([
    startCluster({ isolates: cases(3, 20), spares: 3, seed: 11 }),
    startReceiver(),
  ]);
});
afterAll(async () => {
  report(await cluster.counts());
  await cluster.stop();
  await receiver.close();
});
