import { setTimeout as sleep } from "node:timers/promises";
import type { Receiver } from "../vendors/receiver.ts";
import type { Sandbox } from "../vendors/sandbox.ts";
import { dollarsPerMillion, type Ledger, perThing } from "./ledger.ts";
import type { Cost } from "./report.ts";
import { type Running, startWorker } from "./server.ts";

const IDLE_INSTANCES = 100;
const IDLE_TICKS = 5;
export const POLLED_INSTANCES = 4;
export const CHANGES = 500;
/** A stream's delivery lease (45 s) and a little: then its alarm looks around. */
const ALARM_MS = 48_000;

export const secret = (name: string) => `${name}-of-the-bench-0123456789abcdef`;
export const signingSecret = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
export const authorization = {
  key: { authorization: `Bearer ${secret("key")}` },
  secrets: { authorization: `User ${secret("user")}, Organization ${secret("organization")}` },
};

/** A platform with its organization, on a state of its own in `folder`. */
export async function startTributary(folder: string): Promise<Running> {
  const server = await startWorker("wrangler.toml", "test/bench/worker.ts", folder, {
    ENVIRONMENT: "local",
    SCHEDULE: "ticks",
    EGRESS_ALLOW: "127.0.0.1,localhost",
    MASTER_KEY: btoa("0123456789abcdef0123456789abcdef"),
    SESSION_KEY: secret("session"),
    BOOTSTRAP_KEY: secret("bootstrap"),
  });
  const bearer = { authorization: `Bearer ${secret("bootstrap")}` };
  await call(server, "POST", "/v1/bootstrap", bearer, {
    organizationName: "Bench",
    organizationSecret: secret("organization"),
    userSecret: secret("user"),
    apiKey: secret("key"),
    email: "bench@tributary.local",
    password: secret("password"),
  });
  return server;
}

export async function call(
  server: Running,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<any> {
  const answer = await fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

/** The ledger once nothing moves any more. */
export async function settledLedger(server: Running): Promise<Ledger> {
  for (let before = ""; ;) {
    const ledger: Ledger = await call(server, "GET", "/bench/ledger", {});
    const text = JSON.stringify(ledger);
    if (text === before) return ledger;
    before = text;
    await sleep(400);
  }
}

async function tick(server: Running): Promise<void> {
  const answer = await fetch(`${server.url}/cdn-cgi/local/scheduled?cron=*+*+*+*+*&format=json`);
  if (!answer.ok) throw new Error(`The tick answered ${answer.status}`);
  await answer.text();
}

async function createInstance(
  server: Running,
  sandbox: Sandbox,
  callbackUrl: string,
  more: Record<string, string>,
): Promise<number> {
  const { id } = await call(server, "POST", "/elements/api-v2/instances", authorization.secrets, {
    element: { key: "sandbox" },
    configuration: {
      "base.url": sandbox.url,
      "sandbox.api.key": sandbox.apiKey,
      "event.notification.enabled": true,
      "event.vendor.type": "polling",
      "event.notification.callback.url": callbackUrl,
      "event.notification.webhook.secret": signingSecret,
      "event.poller.refresh_interval": "1",
      "event.objects": "contacts",
      ...more,
    },
  });
  return id;
}

/** Instances that are due in every tick and whose vendor has nothing new. */
export async function idlePolls(
  server: Running,
  sandbox: Sandbox,
  callbackUrl: string,
): Promise<Cost> {
  for (let made = 0; made < IDLE_INSTANCES; made += 1)
    await createInstance(server, sandbox, callbackUrl, {});
  const tickAll = async (ticks: number): Promise<Ledger> => {
    const wanted = sandbox.requests.length + ticks * IDLE_INSTANCES;
    for (let done = 0; done < ticks; done += 1) await tick(server);
    while (sandbox.requests.length < wanted) await sleep(50);
    return settledLedger(server);
  };
  const before = await tickAll(1);
  const after = await tickAll(IDLE_TICKS);
  return costOf("idle poll", before, after, IDLE_TICKS * IDLE_INSTANCES);
}

/** Instances with a backlog of changes, then one change each, then what their alarms and the purge cost. */
export async function polledChanges(
  server: Running,
  sandbox: Sandbox,
  receiver: Receiver,
): Promise<{ costs: Cost[]; perSecond: number }> {
  const ids: number[] = [];
  const anHourAgo = Date.now() - 3_600_000;
  for (let made = 0; made < CHANGES; made += 1)
    sandbox.create("contacts", { lastName: `Bench ${made}` }, anHourAgo + made);
  for (let made = 0; made < POLLED_INSTANCES; made += 1)
    ids.push(
      await createInstance(server, sandbox, `${receiver.url}/polled`, {
        "event.poller.since": new Date(anHourAgo - 1000).toISOString(),
      }),
    );
  const poll = async (changes: number) => {
    const began = performance.now();
    const before = await settledLedger(server);
    receiver.deliveries.length = 0;
    receiver.respond = () => ({ status: 200 });
    await Promise.all(
      ids.map((id) => call(server, "POST", `/v1/instances/${id}/poll`, authorization.key)),
    );
    await receiver.waitFor((all) => eventsOf(all).length >= changes * ids.length, 60_000);
    const seconds = (performance.now() - began) / 1000;
    const after = await settledLedger(server);
    const events = eventsOf(receiver.deliveries);
    if (new Set(events).size !== changes * ids.length || events.length !== changes * ids.length)
      throw new Error(
        `Expected each of ${changes * ids.length} changes once, got ${events.length}`,
      );
    return { before, after, seconds };
  };
  const full = await poll(CHANGES);
  sandbox.create("contacts", { lastName: "Alone" });
  const alone = await poll(1);
  const settled = await settledLedger(server);
  await sleep(ALARM_MS);
  await call(server, "POST", "/bench/expire", authorization.key, ids);
  const purged = await settledLedger(server);
  const changes = CHANGES * ids.length;
  return {
    costs: [
      costOf("polled change, full notifications", full.before, full.after, changes),
      costOf("  its alarms and purge, later", settled, purged, changes),
      costOf("polled change, alone in its poll", alone.before, alone.after, ids.length),
    ],
    perSecond: changes / full.seconds,
  };
}

const eventsOf = (deliveries: Receiver["deliveries"]): string[] =>
  deliveries.flatMap(({ body, standardVerified }) => {
    if (standardVerified !== true) throw new Error("A signature was not verified");
    const { instanceId, events } = body.message;
    return events.map(({ objectId }: { objectId: string }) => `${instanceId}/${objectId}`);
  });

/** What a server used so far. */
export type Used = { ledger: Ledger; cpuMs: number | null };

export async function usedBy(server: Running): Promise<Used> {
  return { ledger: await settledLedger(server), cpuMs: server.cpuMs() };
}

/** What each of `count` things used, with the CPU time of the local runtime. */
export function costWithCpu(what: string, before: Used, after: Used, count: number): Cost {
  const cost = costOf(what, before.ledger, after.ledger, count);
  if (before.cpuMs === null || after.cpuMs === null) return cost;
  return { ...cost, cpuMs: (after.cpuMs - before.cpuMs) / count };
}

export function costOf(what: string, before: Ledger, after: Ledger, count: number): Cost {
  const used = perThing(before, after, count);
  return { what, used, dollars: dollarsPerMillion(used) };
}
