import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Receiver } from "../vendors/receiver.ts";
import { authorization, call, costOf, settledLedger } from "./costs.ts";
import type { Ledger } from "./ledger.ts";
import { payload } from "./payload.ts";
import type { Cost } from "./report.ts";
import { round } from "./report.ts";
import type { Running } from "./server.ts";

/**
 * App events, from the app's POST to the step's POST: against the floor Worker in the same run, what they cost, and one
 * event that starts two hundred flows. `npm run bench` prints it; figures only.
 */

const CLIENTS = 32;
const FLOWS = 200;
const PATIENCE_MS = 90_000;
const EVENTS = "/plugins/appmixer/utils/appevents/events";

type Speed = { acceptedPerSecond: number; deliveredPerSecond: number };
type Door = (id: string) => Promise<Response>;

export type AppEventFigures = {
  floor: Speed[];
  tributary: Speed[];
  cost: Cost;
  fanOut: { flows: number; answeredMs: number; objectRequests: number; deliveredMs: number };
};

export async function appEvents(
  { tributary, floor }: { tributary: Running; floor: Running },
  receiver: Receiver,
  { rounds, events }: { rounds: number; events: number },
): Promise<AppEventFigures> {
  receiver.setSecret(undefined);
  const url = `${receiver.url}/app-events`;
  const user = await newUser(tributary);
  await user.startFlow("load", url);
  const onFloor: Door = (id) =>
    fetch(floor.url, { method: "POST", body: JSON.stringify({ stream: "app", ids: [id], url }) });
  const onTributary: Door = (id) => user.fire("load", payload(id));
  await measure(onFloor, receiver, 300);
  await measure(onTributary, receiver, 300);
  const speeds: Pick<AppEventFigures, "floor" | "tributary"> = { floor: [], tributary: [] };
  let cost: Cost | undefined;
  for (let done = 0; done < rounds; done += 1) {
    speeds.floor.push(await measure(onFloor, receiver, events));
    const before = await settledLedger(tributary);
    speeds.tributary.push(await measure(onTributary, receiver, events));
    const after = await settledLedger(tributary);
    cost = costOf("app event, one flow, at load", before, after, events);
  }
  if (cost === undefined) throw new Error("Expected a round at least");
  return { ...speeds, cost, fanOut: await fanOut(tributary, receiver) };
}

/** A row for the floor's share, accepted and delivered. */
export function appEventRows({ floor, tributary }: AppEventFigures) {
  const middle = (speeds: readonly Speed[], read: (speed: Speed) => number): number => {
    const sorted = speeds.map(read).toSorted((left, right) => left - right);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  return (["acceptedPerSecond", "deliveredPerSecond"] as const).map((name) => {
    const [least, ours] = [floor, tributary].map((speeds) => middle(speeds, (it) => it[name]));
    return {
      "app events/s": name.replace("PerSecond", ""),
      floor: Math.round(least ?? 0),
      tributary: Math.round(ours ?? 0),
      "of floor": round((ours ?? 0) / (least ?? 1)),
    };
  });
}

/** As fast as so many clients are answered; every event arrives once, or it throws. */
async function measure(door: Door, receiver: Receiver, events: number): Promise<Speed> {
  const run = randomBytes(4).toString("hex");
  const arrived = new Map<string, number>();
  receiver.deliveries.length = 0;
  receiver.requests.length = 0;
  receiver.respond = ({ body }) => {
    const id = String(body?.id);
    if (!arrived.has(id)) arrived.set(id, performance.now());
    return { status: 200 };
  };
  const ids = Array.from({ length: events }, (_, index) => `${run}-${index}`);
  const began = performance.now();
  const next = ids.values();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (const id of next) {
        const answer = await door(id);
        const text = await answer.text();
        if (!answer.ok) throw new Error(`The door answered ${answer.status}: ${text}`);
      }
    }),
  );
  const accepted = performance.now();
  const giveUpAt = accepted + PATIENCE_MS;
  while (ids.some((id) => !arrived.has(id)) && performance.now() < giveUpAt) await sleep(20);
  const missing = ids.filter((id) => !arrived.has(id)).length;
  if (missing > 0 || receiver.deliveries.length !== events)
    throw new Error(`${missing} events are missing, ${receiver.deliveries.length} came`);
  const perSecond = (until: number): number => events / ((until - began) / 1000);
  return {
    acceptedPerSecond: perSecond(accepted),
    deliveredPerSecond: perSecond(Math.max(...arrived.values())),
  };
}

/**
 * One event to two hundred flows: what it took until the answer, while the receiver answers nobody. Object requests of
 * consumers that began meanwhile are in the figure: `test/app-events/cost.test.ts` counts those of the answer alone.
 */
async function fanOut(tributary: Running, receiver: Receiver): Promise<AppEventFigures["fanOut"]> {
  const user = await newUser(tributary);
  const paths = Array.from({ length: FLOWS }, (_, n) => `${receiver.url}/many/${n}`).values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const path of paths) await user.startFlow("many", path);
    }),
  );
  const gate = Promise.withResolvers<void>();
  receiver.deliveries.length = 0;
  receiver.respond = async () => {
    await gate.promise;
    return { status: 200 };
  };
  const before = await settledLedger(tributary);
  const began = performance.now();
  const answer = await user.fire("many", payload("many"));
  const { triggers } = (await answer.json()) as { triggers: unknown[] };
  const answeredMs = performance.now() - began;
  const after: Ledger = await call(tributary, "GET", "/bench/ledger", {});
  gate.resolve();
  if (triggers.length !== FLOWS) throw new Error(`Expected ${FLOWS} flows, got ${triggers.length}`);
  await receiver.waitFor(FLOWS, PATIENCE_MS);
  return {
    flows: FLOWS,
    answeredMs: round(answeredMs),
    objectRequests: after.objectRequests - before.objectRequests,
    deliveredMs: round(performance.now() - began),
  };
}

/** A virtual user, made with the organization's key. */
async function newUser(server: Running) {
  const email = `${randomBytes(6).toString("hex")}@yourapp.com`;
  const body = { email, password: "password-of-the-bench" };
  const { token } = await call(server, "POST", "/user", authorization.key, body);
  const headers = { authorization: `Bearer ${token}` };
  return {
    fire: (event: string, data: string) =>
      fetch(`${server.url}${EVENTS}/${event}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: data,
      }),
    async startFlow(event: string, url: string): Promise<void> {
      const flow = {
        T: {
          type: "appmixer.utils.appevents.OnAppEvent",
          source: {},
          config: { properties: { event } },
        },
        P: {
          type: "appmixer.utils.http.Post",
          source: { in: { T: ["out"] } },
          config: {
            transform: { in: { T: { out: { lambda: { url, body: "{{{$.T.out.data}}}" } } } } },
          },
        },
      };
      const { flowId } = await call(server, "POST", "/flows", headers, { name: "Bench", flow });
      await call(server, "POST", `/flows/${flowId}/coordinator`, headers, { command: "start" });
    },
  };
}
