import { join } from "node:path";
import type { Receiver } from "../vendors/receiver.ts";
import { authorization, call, costOf, settledLedger } from "./costs.ts";
import { type Cost, costRow, print, round } from "./report.ts";
import { type Running, startWorker } from "./server.ts";

/** How fast resources are written beside a Worker that only inserts their rows, and what a change costs. */

const CLIENTS = 16;
const WRITES = 75;
const TURNS = 8;
const COUNTED = 200;
const HOOKS = 1_000;

type Post = (name: string) => Promise<Response>;
type Speed = { perSecond: number; p50Ms: number; p99Ms: number };
export type ResourceFigures = { speeds: Record<string, Speed>; costs: Cost[] };

/**
 * Measures and prints. `tributary` is the bench's Worker with its organization; the other Worker is started
 * in `folder`.
 */
export async function resourceFigures(
  tributary: Running,
  receiver: Receiver,
  folder: string,
): Promise<ResourceFigures> {
  const inserts = await startWorker(
    "test/bench/inserts/wrangler.toml",
    "test/bench/inserts/worker.ts",
    join(folder, "inserts"),
  );
  receiver.respond = () => ({ status: 200 });
  const root = "/apis/management/v1";
  const make = (path: string, body: unknown) =>
    call(tributary, "POST", root + path, authorization.key, body);
  const hook = (name: string, scope: string) =>
    make("/resourcehooks", {
      name,
      spec: {
        triggers: [
          {
            group: "management",
            kind: "APIService",
            name: "*",
            type: ["created"],
            scope: { kind: "Environment", name: scope },
          },
        ],
        webhooks: ["w"],
      },
    });
  const post = (url: string, headers: Record<string, string>, name: string) =>
    fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify({ name, title: "x".repeat(200) }),
    });
  const insert: Post = (name) => post(inserts.url, {}, name);
  const create =
    (scope: string): Post =>
    (name) =>
      post(`${tributary.url}${root}/environments/${scope}/apiservices`, authorization.key, name);
  for (const name of ["plain", "hooked"]) await make("/environments", { name });
  await make("/webhooks", { name: "w", spec: { url: `${receiver.url}/resources` } });
  await hook("one", "hooked");

  const speeds = await inTurns("a", {
    "a Worker that only inserts": insert,
    "create, no hook matches": create("plain"),
    "create, one hook matches": create("hooked"),
  });
  const costs = [
    await counted("resource created, no hook", tributary, create("plain")),
    await counted("resource created, one hook", tributary, create("hooked")),
  ];
  for (let index = 0; index < HOOKS; index += CLIENTS)
    await Promise.all(
      Array.from({ length: CLIENTS }, (_, client) => hook(`h${index + client}`, "elsewhere")),
    );
  Object.assign(
    speeds,
    await inTurns("b", {
      "a Worker that only inserts, meanwhile": insert,
      [`create, one of ${HOOKS} hooks matches`]: create("hooked"),
    }),
  );
  costs.push(await counted(`resource created, one of ${HOOKS} hooks`, tributary, create("hooked")));
  report(speeds, costs);
  return { speeds, costs };
}

function report(speeds: Record<string, Speed>, costs: readonly Cost[]): void {
  let floor = Number.NaN;
  print(
    Object.entries(speeds).map(([what, { perSecond, p50Ms, p99Ms }]) => {
      // Each turn has its floor before it: the machine is not the same all the time.
      if (what.startsWith("a Worker")) floor = perSecond;
      return {
        "resources written/s": what,
        "per second": Math.round(perSecond),
        "of inserts": round(perSecond / floor),
        "p50 ms": round(p50Ms),
        "p99 ms": round(p99Ms),
      };
    }),
  );
  print(costs.map(costRow));
}

async function counted(what: string, tributary: Running, write: Post): Promise<Cost> {
  await written(await write(`counted-${what.length}-first`));
  const before = await settledLedger(tributary);
  for (let index = 0; index < COUNTED; index += 1)
    await written(await write(`counted-${what.length}-${index}`));
  return costOf(what, before, await settledLedger(tributary), COUNTED);
}

/** Several targets in turns from sixteen clients, so that all meet the same machine. */
async function inTurns(
  prefix: string,
  posts: Record<string, Post>,
): Promise<Record<string, Speed>> {
  const times = new Map(Object.keys(posts).map((what) => [what, { all: [] as number[], ms: 0 }]));
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const [what, write] of Object.entries(posts)) {
      const names = Array.from({ length: WRITES }, (_, index) => `${prefix}${turn}-${index}`);
      const next = names.values();
      const own = times.get(what);
      const began = performance.now();
      await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          for (const name of next) {
            const from = performance.now();
            await written(await write(name));
            own?.all.push(performance.now() - from);
          }
        }),
      );
      if (own !== undefined) own.ms += performance.now() - began;
    }
  return Object.fromEntries(
    [...times].map(([what, { all, ms }]) => {
      const sorted = all.toSorted((left, right) => left - right);
      const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
      return [what, { perSecond: all.length / (ms / 1000), p50Ms: at(0.5), p99Ms: at(0.99) }];
    }),
  );
}

async function written(response: Response): Promise<void> {
  const text = await response.text();
  if (response.status !== 201)
    throw new Error(`The write was answered ${response.status}: ${text}`);
}
