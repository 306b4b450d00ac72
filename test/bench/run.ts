/**
 * `npm run bench [-- --json FILE --rounds N --events N --recover N]`: what Tributary delivers and costs under the local runtime,
 * beside a floor Worker in the same run. Figures only: it fails when an event is lost, never on time.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startReceiver } from "../vendors/receiver.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import {
  authorization,
  call,
  CHANGES,
  costOf,
  idlePolls,
  POLLED_INSTANCES,
  polledChanges,
  secret,
  settledLedger,
  signingSecret,
} from "./costs.ts";
import { type Load, type LoadResult, runLoad } from "./load.ts";
import {
  type Cost,
  costRow,
  isolationRow,
  latencyRow,
  print,
  round,
  type Speed,
  speedRow,
} from "./report.ts";
import { deadAmong, mebibyte, recoverMany } from "./trouble.ts";
import { removeFolder, startWorker, stopAll } from "./server.ts";

const STREAMS = 50;

const { values: options } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "3" },
    events: { type: "string", default: "2000" },
    recover: { type: "string", default: "10000" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "tributary-bench-"));
process.once("exit", () => {
  stopAll();
  removeFolder(folder);
});
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));

const loadBefore = loadavg()[0] ?? 0;
const tributary = await startWorker(
  "wrangler.toml",
  "test/bench/worker.ts",
  join(folder, "tributary"),
  {
    ENVIRONMENT: "local",
    SCHEDULE: "ticks",
    EGRESS_ALLOW: "127.0.0.1,localhost",
    MASTER_KEY: btoa("0123456789abcdef0123456789abcdef"),
    SESSION_KEY: secret("session"),
    BOOTSTRAP_KEY: secret("bootstrap"),
  },
);
const floor = await startWorker(
  "test/bench/floor/wrangler.toml",
  "test/bench/floor/worker.ts",
  join(folder, "floor"),
);
const receiver = await startReceiver({ secret: signingSecret });
const sandbox = await startSandbox({ rateLimitPerMinute: Infinity });

await call(
  tributary,
  "POST",
  "/v1/bootstrap",
  { authorization: `Bearer ${secret("bootstrap")}` },
  {
    organizationName: "Bench",
    organizationSecret: secret("organization"),
    userSecret: secret("user"),
    apiKey: secret("key"),
    email: "bench@tributary.local",
    password: secret("password"),
  },
);
await call(tributary, "POST", "/bench/destinations", authorization.key, {
  count: STREAMS,
  url: `${receiver.url}/load`,
  signingSecret,
});

const idle = await idlePolls(tributary, sandbox, `${receiver.url}/idle`);

const load = { callbackUrl: `${receiver.url}/load`, events: Number(options.events), streams: 1 };
const onFloor = async (more: Partial<Load>): Promise<LoadResult> => {
  receiver.setSecret(undefined);
  return runLoad({ ...load, ...more, door: { url: floor.url, headers: {} } }, receiver);
};
const onTributary = async (more: Partial<Load>): Promise<LoadResult> => {
  receiver.setSecret(signingSecret);
  const door = { url: `${tributary.url}/bench/events`, headers: authorization.key };
  return runLoad({ ...load, ...more, door }, receiver);
};
const shapes = [
  { what: "one stream, one destination", more: {} },
  { what: `${STREAMS} streams, ${STREAMS} destinations`, more: { streams: STREAMS } },
  { what: "100 events/s, one stream", more: { ratePerSecond: 100, events: 1000 } },
];
const rounds = Number(options.rounds);
const speeds: Speed[] = shapes.map(({ what }) => ({ what, floor: [], tributary: [] }));
const costs: Cost[] = [];
for (const { more } of shapes) {
  const few = { ...more, events: 300 };
  await onFloor(few);
  await onTributary(few);
}
for (let round = 1; round <= rounds; round += 1)
  for (const [index, { what, more }] of shapes.entries()) {
    console.error(`round ${round} of ${rounds}: ${what}`);
    speeds[index]?.floor.push(await onFloor(more));
    const before = await settledLedger(tributary);
    speeds[index]?.tributary.push(await onTributary(more));
    const after = await settledLedger(tributary);
    if (round === rounds)
      costs.push(costOf(`event, ${what}`, before, after, more.events ?? load.events));
  }
receiver.setSecret(signingSecret);
const polled = await polledChanges(tributary, sandbox, receiver);

const door = { url: `${tributary.url}/bench/events`, headers: authorization.key };
console.error("one destination of a hundred stops answering");
const { before: wellBefore, after: wellAfter } = await deadAmong(tributary, receiver, { door });
const large = await mebibyte(tributary, receiver);
console.error(`${options.recover} dead notifications are recovered`);
const recovered = await recoverMany(tributary, receiver, { door }, Number(options.recover));

const all = speeds.flatMap((speed) => [...speed.floor, ...speed.tributary]);
const lost =
  [...all, wellBefore, wellAfter, recovered.live].reduce(
    (sum, { missing, repeated, unverified }) => sum + missing + repeated + unverified,
    0,
  ) +
  recovered.missing +
  (large.intact ? 0 : 1);
const [latency] = speeds.slice(-1);
const report = {
  machine: { cpus: cpus().length, loadBefore, loadAfter: loadavg()[0] ?? 0, node: process.version },
  rounds,
  lostRepeatedOrUnverified: lost,
  speeds,
  polledPerSecond: polled.perSecond,
  oneDeadAmongAHundred: { before: wellBefore, after: wellAfter },
  mebibyte: large,
  recovered,
  costs: [idle, ...polled.costs, ...costs],
};
const { machine } = report;
console.log(
  `\n${machine.cpus} cores, load ${round(loadBefore)} before, ${round(machine.loadAfter)} after`,
);
console.log(`every event verified once at the receiver: ${lost === 0 ? "yes" : `NO, ${lost} not`}`);
print(speeds.slice(0, -1).map(speedRow));
console.log(
  `${POLLED_INSTANCES * CHANGES} polled changes: ${Math.round(polled.perSecond)} events/s`,
);
if (latency !== undefined)
  print([latencyRow("floor", latency.floor), latencyRow("tributary", latency.tributary)]);
print([isolationRow("before", wellBefore), isolationRow("after its first timeout", wellAfter)]);
console.log(`an event of 1 MiB, sent until delivered whole: ${Math.round(large.ms)} ms`);
console.log(
  `${recovered.count} dead notifications, everything killed once on the way: died in ${Math.round(recovered.diedSeconds)} s, recovered in ${Math.round(recovered.recoveredSeconds)} s, ${recovered.repeated} of them twice; other events p50 ${Math.round(recovered.quiet.acceptedToDelivered.p50)} ms before, meanwhile p50 ${Math.round(recovered.live.acceptedToDelivered.p50)} ms, p99 ${Math.round(recovered.live.acceptedToDelivered.p99)} ms`,
);
print(report.costs.map(costRow));
console.log(
  "$: reference platform.md §5, beyond what is included; without CPU time and object duration,",
);
console.log("which can't be counted locally");
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
process.exit(lost === 0 ? 0 : 1);
