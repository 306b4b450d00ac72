import { randomBytes } from "node:crypto";
import type { Receiver } from "../vendors/receiver.ts";
import { authorization, call, costWithCpu, signingSecret, type Used, usedBy } from "./costs.ts";
import { dollarsPerMillion, type Ledger } from "./ledger.ts";
import type { Load } from "./load.ts";
import type { Cost } from "./report.ts";
import type { Running } from "./server.ts";

/**
 * What an application publishes to its tenants: from its POST to the POSTs to their endpoints. `npm run bench` prints it;
 * figures only.
 */

const CLIENTS = 32;
const FURTHER = 5;
const BATCH = 100;
const MANY = 1_000;
const PATIENCE_MS = 90_000;
const TYPE = "load.made";

const tenantOf = (name: string): string => `load-${name}`;
const pathTo = (tenant: string): string => `/v1/tenants/${tenantOf(tenant)}/events`;
const eventOf = (id: string) => ({ type: TYPE, id, data: { at: id, note: "x".repeat(400) } });

/** Tenants `0`, `1` … with an endpoint each, and the door by which an event is published to one of them. */
export async function publishingDoor(
  server: Running,
  { url }: Receiver,
  tenants: number,
): Promise<Load["door"]> {
  for (let index = 0; index < tenants; index += 1)
    await newTenant(server, String(index), [{ url: `${url}/load` }]);
  return {
    url: server.url,
    headers: authorization.key,
    request: (tenant, id) => ({ path: pathTo(tenant), body: eventOf(id) }),
  };
}

/** A tenant with endpoints that sign with the bench's secret. */
async function newTenant(
  server: Running,
  name: string,
  endpoints: readonly { url: string; eventTypes?: string[] }[],
): Promise<void> {
  const ask = (path: string, body: object) =>
    call(server, "POST", `/v1${path}`, authorization.key, body);
  await ask("/tenants", { id: tenantOf(name) });
  await inTurn(endpoints, 8, async (endpoint) => {
    const { id } = await ask("/destinations", { tenant: tenantOf(name), ...endpoint });
    await ask(`/destinations/${id}/rotate`, { secret: signingSecret, overlapSeconds: 0 });
  });
}

/** What an event costs besides: for each further destination, in batches, and among a thousand endpoints. */
export async function publishedCosts(
  server: Running,
  receiver: Receiver,
  events: number,
): Promise<Cost[]> {
  const to = (path: string) => ({ url: `${receiver.url}/${path}` });
  const several = Array.from({ length: 1 + FURTHER }, (_, index) => to(`several/${index}`));
  await newTenant(server, "several", several);
  const others = Array.from({ length: MANY - 1 }, (_, index) => ({
    ...to(`many/${index}`),
    eventTypes: [`other-${index}.*`],
  }));
  await newTenant(server, "many", [to("many"), ...others]);
  const lone = (tenant: string) => (id: string) => ({ path: pathTo(tenant), body: eventOf(id) });
  const singly = async (tenant: string, count: number, copies: number): Promise<[Used, Used]> => {
    const ids = newIds(count);
    return measured(server, receiver, ids.map(lone(tenant)), count * copies);
  };
  const ids = newIds(events);
  const batches = Array.from({ length: Math.ceil(events / BATCH) }, (_, index) => ({
    path: `${pathTo("0")}/batch`,
    body: { events: ids.slice(index * BATCH, (index + 1) * BATCH).map(eventOf) },
  }));
  for (const tenant of ["0", "several", "many"])
    await singly(tenant, 100, tenant === "several" ? 1 + FURTHER : 1);
  const one = await singly("0", events, 1);
  const all = await singly("several", events, 1 + FURTHER);
  const batched = await measured(server, receiver, batches, events);
  const among = await singly("many", events, 1);
  return [
    furtherCost(costWithCpu("", ...one, events), costWithCpu("", ...all, events)),
    costWithCpu(`  in batches of ${BATCH}`, ...batched, events),
    costWithCpu(`  to one of ${MANY} destinations`, ...among, events),
  ];
}

const newIds = (count: number): string[] => {
  const run = randomBytes(4).toString("hex");
  return Array.from({ length: count }, (_, index) => `${run}-${index}`);
};

/** Sends requests as fast as the clients are answered. @returns what was used before, and after the last delivery. */
async function measured(
  server: Running,
  receiver: Receiver,
  requests: readonly { path: string; body: object }[],
  deliveries: number,
): Promise<[Used, Used]> {
  const before = await usedBy(server);
  receiver.deliveries.length = 0;
  receiver.requests.length = 0;
  receiver.respond = () => ({ status: 200 });
  await inTurn(requests, CLIENTS, ({ path, body }) =>
    call(server, "POST", path, authorization.key, body),
  );
  const arrived = await receiver.waitFor(deliveries, PATIENCE_MS);
  const distinct = new Set(arrived.map(({ path, body }) => `${path} ${body.id}`));
  if (distinct.size !== deliveries || arrived.some((one) => one.standardVerified !== true))
    throw new Error(`Expected ${deliveries} deliveries, each once and signed`);
  return [before, await usedBy(server)];
}

/** What events to several destinations took more than those to one, for each of the others. */
function furtherCost(one: Cost, all: Cost): Cost {
  const units = Object.keys(all.used) as (keyof Ledger)[];
  const used = Object.fromEntries(
    units.map((unit) => [unit, (all.used[unit] - one.used[unit]) / FURTHER]),
  ) as Ledger;
  const cpu =
    one.cpuMs === undefined || all.cpuMs === undefined
      ? {}
      : { cpuMs: (all.cpuMs - one.cpuMs) / FURTHER };
  return { what: "  each further destination", used, dollars: dollarsPerMillion(used), ...cpu };
}

async function inTurn<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>) {
  const next = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of next) await work(item);
    }),
  );
}
