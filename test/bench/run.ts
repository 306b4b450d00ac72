/**
 * `npm run bench [-- --only throughput,trouble --json FILE --rounds N --events N --recover N]`: what Tributary delivers
 * and costs under the local runtime, beside a floor Worker in the same run. Figures only: it fails when an
 * event is lost, never on time.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startReceiver } from "../vendors/receiver.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import { appEventRows, appEvents } from "./app-events.ts";
import {
  authorization,
  call,
  CHANGES,
  costWithCpu,
  idlePolls,
  POLLED_INSTANCES,
  polledChanges,
  signingSecret,
  startTributary,
  usedBy,
} from "./costs.ts";
import { inboundWebhooks, parsedRow } from "./inbound.ts";
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
import { publishedCosts, publishingDoor } from "./published.ts";
import { resourceFigures } from "./resources.ts";
import { removeFolder, type Running, startWorker, stopAll } from "./server.ts";
import { deadAmong, mebibyte, recoverMany } from "./trouble.ts";
import { schemaChecks } from "./schema-check.ts";
import { vendorBudget } from "./vendor-budget.ts";

const STREAMS = 50;

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    json: { type: "string" },
    rounds: { type: "string", default: "3" },
    events: { type: "string", default: "2000" },
    recover: { type: "string", default: "10000" },
  },
});
const rounds = Number(options.rounds);

const folder = mkdtempSync(join(tmpdir(), "tributary-bench-"));
process.once("exit", () => {
  stopAll();
  removeFolder(folder);
});
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));

const loadBefore = loadavg()[0] ?? 0;
const tributary = await startTributary(join(folder, "tributary"));
const floor = await startWorker(
  "test/bench/floor/wrangler.toml",
  "test/bench/floor/worker.ts",
  join(folder, "floor"),
);
const receiver = await startReceiver({ secret: signingSecret });
const sandbox = await startSandbox({ rateLimitPerMinute: Infinity });

await call(tributary, "POST", "/bench/destinations", authorization.key, {
  count: STREAMS,
  url: `${receiver.url}/load`,
  signingSecret,
});

type Figures = { lost: number } & Record<string, unknown>;

/** Events that did not arrive just once, with a signature that verifies. */
const lostIn = (results: readonly LoadResult[]): number =>
  results.reduce(
    (sum, { missing, repeated, unverified }) => sum + missing + repeated + unverified,
    0,
  );

const doorOf = ({ url }: Running): Load["door"] => ({
  url: `${url}/bench/events`,
  headers: authorization.key,
});
const door = doorOf(tributary);
const load = { callbackUrl: `${receiver.url}/load`, events: Number(options.events), streams: 1 };

type Shape = { what: string; more: Partial<Load> };

/** The same load on the floor and on Tributary, in turns; what an event costs. */
async function besideFloor(
  shapes: readonly Shape[],
): Promise<{ lost: number; speeds: Speed[]; costs: Cost[] }> {
  const onFloor = async (more: Partial<Load>): Promise<LoadResult> => {
    receiver.setSecret(undefined);
    return runLoad({ ...load, ...more, door: { url: floor.url, headers: {} } }, receiver);
  };
  const onTributary = async (more: Partial<Load>): Promise<LoadResult> => {
    receiver.setSecret(signingSecret);
    return runLoad({ ...load, door, ...more }, receiver);
  };
  const speeds: Speed[] = shapes.map(({ what }) => ({ what, floor: [], tributary: [] }));
  const costs: Cost[] = [];
  for (const { more } of shapes) {
    const few = { ...more, events: 300 };
    await onFloor(few);
    await onTributary(few);
  }
  for (let done = 1; done <= rounds; done += 1)
    for (const [index, { what, more }] of shapes.entries()) {
      console.error(`round ${done} of ${rounds}: ${what}`);
      speeds[index]?.floor.push(await onFloor(more));
      const before = await usedBy(tributary);
      speeds[index]?.tributary.push(await onTributary(more));
      const after = await usedBy(tributary);
      if (done === rounds)
        costs.push(costWithCpu(`event, ${what}`, before, after, more.events ?? load.events));
    }
  receiver.setSecret(signingSecret);
  const all = speeds.flatMap((speed) => [...speed.floor, ...speed.tributary]);
  return { lost: lostIn(all), speeds, costs };
}

/** How many events a second are accepted and delivered. */
async function throughput(): Promise<Figures> {
  const figures = await besideFloor([
    { what: "one stream, one destination", more: {} },
    { what: `${STREAMS} streams, ${STREAMS} destinations`, more: { streams: STREAMS } },
  ]);
  print(figures.speeds.map(speedRow));
  print(figures.costs.map(costRow));
  return figures;
}

/** How long an event takes when a hundred come in a second. */
async function pace(): Promise<Figures> {
  const figures = await besideFloor([
    { what: "100 events/s, one stream", more: { ratePerSecond: 100, events: 1000 } },
  ]);
  for (const { floor: least, tributary: ours } of figures.speeds)
    print([latencyRow("floor", least), latencyRow("tributary", ours)]);
  print(figures.costs.map(costRow));
  return figures;
}

async function polls(): Promise<Figures> {
  const idle = await idlePolls(tributary, sandbox, `${receiver.url}/idle`);
  const polled = await polledChanges(tributary, sandbox, receiver);
  const changes = POLLED_INSTANCES * CHANGES;
  console.log(`${changes} polled changes: ${Math.round(polled.perSecond)} events/s`);
  const costs = [idle, ...polled.costs];
  print(costs.map(costRow));
  return { lost: 0, perSecond: polled.perSecond, costs };
}

async function inbound(): Promise<Figures> {
  const figures = await inboundWebhooks(tributary, receiver, folder);
  print(figures.costs.map(costRow));
  print(figures.parsed.map(parsedRow));
  return { lost: 0, ...figures };
}

async function budget(): Promise<Figures> {
  const figures = await vendorBudget(tributary);
  print([figures]);
  return { lost: 0, ...figures };
}

async function apps(): Promise<Figures> {
  const figures = await appEvents({ tributary, floor }, receiver, { rounds, events: load.events });
  print(appEventRows(figures));
  print([costRow(figures.cost)]);
  console.log(figures.fanOut);
  return { lost: 0, ...figures };
}

/** What an application publishes: as fast as it is taken, a hundred a second, to several, in batches, among a thousand. */
async function published(): Promise<Figures> {
  const door = await publishingDoor(tributary, receiver, STREAMS);
  const figures = await besideFloor([
    { what: "published, one tenant, one destination", more: { door } },
    { what: `published, ${STREAMS} tenants`, more: { door, streams: STREAMS } },
    { what: "published, 100/s, one tenant", more: { door, ratePerSecond: 100, events: 1000 } },
  ]);
  print(figures.speeds.slice(0, 2).map(speedRow));
  for (const { floor: least, tributary: ours } of figures.speeds.slice(2))
    print([latencyRow("floor", least), latencyRow("tributary", ours)]);
  const others = await publishedCosts(tributary, receiver, load.events);
  const costs = [...figures.costs, ...others];
  print(costs.map(costRow));
  const checks = await schemaChecks(folder);
  print(checks);
  return { ...figures, costs, checks };
}

const resources = async (): Promise<Figures> => ({
  lost: 0,
  ...(await resourceFigures(tributary, receiver, folder)),
});

/** One dead destination among a hundred, a large event, many dead notifications recovered under a kill. */
async function trouble(): Promise<Figures> {
  const other = await startTributary(join(folder, "other"));
  const hundreds = {
    well: { server: other, door: doorOf(other) },
    ill: { server: tributary, door },
  };
  const { well, ill } = await deadAmong(hundreds, receiver, rounds);
  print([isolationRow("none", well), isolationRow("one, timed out before", ill)]);
  const large = await mebibyte(tributary, receiver);
  console.log(`an event of 1 MiB, sent until delivered whole: ${Math.round(large.ms)} ms`);
  const recovered = await recoverMany(tributary, receiver, { door }, Number(options.recover));
  const ms = (value: number): string => `${Math.round(value)} ms`;
  const { quiet, live } = recovered;
  console.log(
    `${recovered.count} dead notifications, everything killed once on the way: died in ${Math.round(recovered.diedSeconds)} s, ` +
      `recovered in ${Math.round(recovered.recoveredSeconds)} s, ${recovered.repeated} of them twice; other events p50 ` +
      `${ms(quiet.acceptedToDelivered.p50)} before, meanwhile p50 ${ms(live.acceptedToDelivered.p50)}, p99 ${ms(live.acceptedToDelivered.p99)}`,
  );
  const lost = lostIn([...well, ...ill, live]) + recovered.missing + (large.intact ? 0 : 1);
  return { lost, oneDeadAmongAHundred: { well, ill }, mebibyte: large, recovered };
}

const sections = {
  throughput,
  pace,
  published,
  polls,
  inbound,
  budget,
  apps,
  resources,
  trouble,
};
const chosen = options.only?.split(",") ?? Object.keys(sections);
const unknown = chosen.filter((name) => !Object.hasOwn(sections, name));
if (unknown.length > 0)
  throw new Error(`--only: Expected ${Object.keys(sections).join(", ")}, got '${unknown[0]}'`);
const report: Record<string, Figures> = {};
for (const [name, measure] of Object.entries(sections)) {
  if (!chosen.includes(name)) continue;
  console.log(`\n${name}`);
  report[name] = await measure();
}
const lost = Object.values(report).reduce((sum, figures) => sum + figures.lost, 0);
const machine = {
  cpus: cpus().length,
  loadBefore,
  loadAfter: loadavg()[0] ?? 0,
  node: process.version,
};
console.log(
  `\n${machine.cpus} cores, load ${round(loadBefore)} before, ${round(machine.loadAfter)} after`,
);
console.log(`every event verified once at the receiver: ${lost === 0 ? "yes" : `NO, ${lost} not`}`);
console.log(
  "$: Cloudflare's prices of November 2026, beyond what is included; without CPU time and object",
);
console.log("duration, which can't be counted locally");
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify({ machine, rounds, ...report }, null, 2)}\n`);
process.exit(lost === 0 ? 0 : 1);
