import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Receiver } from "../vendors/receiver.ts";
import { cpuTicks, stolenSince } from "./stolen.ts";

/** What the floor and the bench's door take: events by id, each accepted, stored and sent by itself. */
export type BenchRequest = { stream: string; ids: string[]; url: string };

export type Load = {
  /** Takes one request of events; `request`: in another form than the floor's. */
  door: {
    url: string;
    headers: Record<string, string>;
    request?: (stream: string, id: string) => { path: string; body: unknown };
  };
  callbackUrl: string;
  streams: number;
  /** Goes before a stream's number; a destination has the same name. */
  prefix?: string;
  events: number;
  /** Absent: as fast as `CLIENTS` clients are answered. */
  ratePerSecond?: number;
};

export type LoadResult = {
  deliveredPerSecond: number;
  missing: number;
  repeated: number;
  unverified: number;
  /** From the answer to the door's caller until the receiver has the whole body. */
  acceptedToDelivered: Quantiles;
  /** From the moment the caller began to send. */
  sentToDelivered: Quantiles;
  /** Percent of the CPU time that the machine's host took away meanwhile. */
  stolen: number | null;
};
export type Quantiles = { p50: number; p99: number };

const CLIENTS = 32;
const PATIENCE_MS = 60_000;

/** Sends events one a request, waits for all of them at the receiver, and tells how it went. */
export async function runLoad(load: Load, receiver: Receiver): Promise<LoadResult> {
  const run = randomBytes(4).toString("hex");
  const ids = Array.from({ length: load.events }, (_, index) => `${run}-${index}`);
  const sentAt = new Map<string, number>();
  const acceptedAt = new Map<string, number>();
  const arrivedAt = new Map<string, number>();
  let repeated = 0;
  let unverified = 0;
  receiver.deliveries.length = 0;
  receiver.requests.length = 0;
  receiver.respond = ({ body, standardVerified }) => {
    const id = String(body?.id);
    // What an earlier run left behind.
    if (!sentAt.has(id)) return { status: 200 };
    if (arrivedAt.has(id)) repeated += 1;
    else arrivedAt.set(id, performance.now());
    if (standardVerified === false) unverified += 1;
    return { status: 200 };
  };
  const send = async (id: string, index: number): Promise<void> => {
    sentAt.set(id, performance.now());
    const stream = `${load.prefix ?? ""}${index % load.streams}`;
    const { path, body } = load.door.request?.(stream, id) ?? {
      path: "",
      body: { stream, ids: [id], url: load.callbackUrl },
    };
    const ask = () =>
      fetch(load.door.url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...load.door.headers },
        body: JSON.stringify(body),
      });
    // A connection that was idle for long may be closed just then.
    const answer = await ask().catch(ask);
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`The door answered ${answer.status}: ${text}`);
    acceptedAt.set(id, performance.now());
  };
  const began = performance.now();
  const ticks = cpuTicks();
  await (load.ratePerSecond === undefined
    ? sendAll(ids, send)
    : sendPaced(ids, send, load.ratePerSecond));
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (ids.some((id) => !arrivedAt.has(id)) && performance.now() < giveUpAt) await sleep(20);
  const seconds = (Math.max(...arrivedAt.values()) - began) / 1000;
  const since = (start: Map<string, number>): Quantiles =>
    quantiles([...arrivedAt].map(([id, at]) => Math.max(0, at - (start.get(id) ?? at))));
  return {
    deliveredPerSecond: arrivedAt.size / seconds,
    missing: ids.length - arrivedAt.size,
    repeated,
    unverified,
    acceptedToDelivered: since(acceptedAt),
    sentToDelivered: since(sentAt),
    stolen: stolenSince(ticks),
  };
}

type Send = (id: string, index: number) => Promise<void>;

async function sendAll(ids: readonly string[], send: Send): Promise<void> {
  const next = ids.entries();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (const [index, id] of next) await send(id, index);
    }),
  );
}

async function sendPaced(ids: readonly string[], send: Send, perSecond: number): Promise<void> {
  const began = performance.now();
  const sent: Promise<void>[] = [];
  for (const [index, id] of ids.entries()) {
    const waitMs = began + (index * 1000) / perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    sent.push(send(id, index));
  }
  await Promise.all(sent);
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5) ?? 0, p99: at(0.99) ?? 0 };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
