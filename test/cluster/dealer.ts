import type { Control, Use } from "./isolate.ts";
import { type Example, type Recording, shapeOf } from "./recording.ts";

/**
 * Deals requests, queue batches and cron ticks to the isolates of a cluster, as the platform's front does. A slot is a
 * place in the deal; each is filled by a service that runs nothing else. When an isolate is restarted its slot is filled by
 * a service that never ran, so all module state is gone. The old one gets no more work and ends what it has begun, like an
 * isolate that a deploy or a lack of memory retires.
 */

export type Settings = {
  /** Slots in the deal; services beyond them are spares for restarts. */
  isolates: number;
  services: number;
  /** The services that objects live in. */
  homes: string[];
  seed: number;
  /** The chance that a piece of work finds its isolate restarted. */
  restarts: number;
  /** The chance that a queue hands a batch over twice, to two isolates: it promises at least once. */
  duplicates: number;
  /** Whether all calls of objects are kept (`recording.ts`). */
  isRecorded: boolean;
  queues: Record<
    string,
    { maxConcurrency: number; maxRetries: number; deadLetterQueue: string | null }
  >;
};

export type Report = {
  /** Of all isolates that ever ran, and of the objects. */
  isolates: Use[];
  objects: Use[];
  restarted: number;
  /** Requests and batches by slot. */
  dealt: number[];
  batches: Record<string, number>;
  duplicates: number;
  /** Batches that isolates are at, by queue. */
  underWay: Record<string, number>;
  /** Messages that were handed over again, by queue. */
  retried: Record<string, number>;
  /** Scheduled polls handed over a minute or later after they were due. */
  latePolls: number;
  failures: string[];
};

type Message = { id: string; timestamp: Date; attempts: number; body: unknown };
type Isolate = Fetcher & {
  queue(name: string, messages: Message[]): Promise<QueueResult>;
  scheduled(options: { scheduledTime: Date; cron: string }): Promise<{ outcome: string }>;
};
type QueueResult = {
  outcome: string;
  retryBatch: { retry: boolean; delaySeconds?: number };
  retryMessages: { msgId: string; delaySeconds?: number }[];
};
type Bindings = Record<string, unknown> & { SETTINGS: Settings };

/** A message that this dealer put back, since the local broker knows only what its own consumer answers. */
type Again = { again: { id: string; at: number; attempts: number; body: unknown } };
const isAgain = (body: unknown): body is Again =>
  typeof body === "object" &&
  body !== null &&
  "again" in body &&
  Object.keys(body).length === 1 &&
  typeof body.again === "object";

const LATE_MS = 60_000;

let offsetMs = 0;
const slots: number[] = [];
let nextService = 0;
let state = 0;
const begun = new Set<number>();
const report = {
  restarted: 0,
  dealt: [] as number[],
  batches: {} as Record<string, number>,
  duplicates: 0,
  retried: {} as Record<string, number>,
  latePolls: 0,
  failures: [] as string[],
};
const underWay: Record<string, number> = {};
const messagesByShape: Record<string, Map<string, unknown>> = {};

/** Mulberry32: the same deal for the same seed, as far as work comes in the same order. */
function chance(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

function fill({ isolates, seed }: Settings): void {
  if (slots.length > 0) return;
  state = seed;
  for (; nextService < isolates; nextService += 1) slots.push(nextService);
  report.dealt = slots.map(() => 0);
}

/** Whether there was a service left that never ran. */
function restart(slot: number, { services }: Settings): boolean {
  if (nextService >= services) return false;
  slots[slot] = nextService;
  nextService += 1;
  report.restarted += 1;
  return true;
}

const control = (env: Bindings, name: string) => env[`CONTROL_${name}`] as Service<typeof Control>;

async function isolateAt(env: Bindings, wanted?: number): Promise<Isolate> {
  const { SETTINGS } = env;
  const slot = wanted ?? Math.floor(chance() * SETTINGS.isolates);
  if (wanted === undefined && chance() < SETTINGS.restarts) restart(slot, SETTINGS);
  const service = slots[slot];
  if (service === undefined) throw new Error(`There is no isolate ${slot}`);
  report.dealt[slot] = (report.dealt[slot] ?? 0) + 1;
  if (!begun.has(service)) {
    await control(env, String(service)).begin(offsetMs, SETTINGS.isRecorded);
    begun.add(service);
  }
  return env[`ISOLATE_${service}`] as Isolate;
}

/** Hands a batch to an isolate, and does with each message what the platform does with the answer. */
async function deal(queue: string, messages: Message[], env: Bindings): Promise<void> {
  const { maxRetries, deadLetterQueue } = env.SETTINGS.queues[queue] ?? {
    maxRetries: 0,
    deadLetterQueue: null,
  };
  report.batches[queue] = (report.batches[queue] ?? 0) + 1;
  const isolate = await isolateAt(env);
  const result = await isolate.queue(queue, messages);
  const again = new Map(
    result.retryMessages.map(({ msgId, delaySeconds }) => [msgId, delaySeconds]),
  );
  const isFailed = result.outcome !== "ok";
  if (isFailed) report.failures.push(`${queue}: ${result.outcome}`);
  for (const { id, timestamp, attempts, body } of messages) {
    if (!isFailed && !result.retryBatch.retry && !again.has(id)) continue;
    report.retried[queue] = (report.retried[queue] ?? 0) + 1;
    const isLast = attempts > maxRetries;
    const to = isLast ? deadLetterQueue : queue;
    if (to === null) continue;
    const next: Again = {
      again: { id, at: timestamp.getTime(), attempts: isLast ? 0 : attempts, body },
    };
    const delaySeconds = isLast ? 0 : (again.get(id) ?? result.retryBatch.delaySeconds ?? 0);
    await (env[queueBinding(to)] as Queue).send(next, { delaySeconds });
  }
}

export const queueBinding = (queue: string): string => `QUEUE_${queue}`;

function read({ id, timestamp, body }: Message_): Message {
  if (!isAgain(body)) return { id, timestamp, attempts: 1, body };
  const { again } = body;
  return {
    id: again.id,
    timestamp: new Date(again.at),
    attempts: again.attempts + 1,
    body: again.body,
  };
}
type Message_ = Pick<globalThis.Message, "id" | "timestamp" | "body">;

function countLate(queue: string, messages: readonly Message[]): void {
  if (queue !== "tributary-polls") return;
  for (const { body } of messages) {
    const { ids = [], dueAt = Infinity } = body as { ids?: unknown[]; dueAt?: number };
    if (Date.now() + offsetMs >= dueAt + LATE_MS) report.latePolls += ids.length;
  }
}

/** `/cluster/…`: what the test asks; `cluster-isolate` names the slot that answers a request. */
export default {
  async fetch(request: Request, env: Bindings) {
    fill(env.SETTINGS);
    const { pathname, searchParams } = new URL(request.url);
    const asked = pathname.startsWith("/cluster/") ? pathname.slice("/cluster/".length) : undefined;
    if (asked !== undefined) return Response.json((await answer(asked, searchParams, env)) ?? null);
    const slot = request.headers.get("cluster-isolate");
    const isolate = await isolateAt(env, slot === null ? undefined : Number(slot));
    return isolate.fetch(request);
  },

  async queue(batch: MessageBatch, env: Bindings, context: ExecutionContext) {
    fill(env.SETTINGS);
    const { queue } = batch;
    const messages = batch.messages.map(read);
    countLate(queue, messages);
    const byShape = (messagesByShape[queue] ??= new Map());
    for (const { body } of messages) byShape.set(shapeOf(body), body);
    const copies = chance() < env.SETTINGS.duplicates ? 2 : 1;
    report.duplicates += copies - 1;
    const works = Array.from({ length: copies }, () =>
      deal(queue, messages, env).catch((error: unknown) => {
        report.failures.push(`${queue}: ${String(error)}`);
      }),
    );
    underWay[queue] = (underWay[queue] ?? 0) + 1;
    const all = Promise.all(works).then(() => {
      underWay[queue] = (underWay[queue] ?? 0) - 1;
    });
    // The local broker hands over one batch at a time, the platform so many at once.
    const most = env.SETTINGS.queues[queue]?.maxConcurrency ?? 1;
    if (underWay[queue] < most) context.waitUntil(all);
    else await all;
  },
};

async function recorded(env: Bindings): Promise<Recording> {
  const asked: Example[] = [];
  for (const name of [...[...begun].map(String), ...env.SETTINGS.homes])
    asked.push(...JSON.parse(await control(env, name).asked()));
  const messages = Object.entries(messagesByShape).map(([queue, all]) => [
    queue,
    [...all.values()],
  ]);
  return { asked, messages: Object.fromEntries(messages) };
}

async function answer(asked: string, search: URLSearchParams, env: Bindings): Promise<unknown> {
  const { SETTINGS } = env;
  switch (asked) {
    case "tick": {
      const scheduledTime = new Date(Date.now() + offsetMs);
      return (await isolateAt(env)).scheduled({ scheduledTime, cron: "* * * * *" });
    }
    case "restart":
      return { isFresh: restart(Number(search.get("isolate")), SETTINGS) };
    case "turn":
      offsetMs += Number(search.get("ms"));
      for (const service of begun)
        await control(env, String(service)).begin(offsetMs, SETTINGS.isRecorded);
      for (const home of SETTINGS.homes) {
        await control(env, home).begin(offsetMs, SETTINGS.isRecorded);
        await control(env, home).turnAlarms(Number(search.get("ms")));
      }
      return { offsetMs };
    case "report": {
      const services = [...begun].map((service) => control(env, String(service)).use());
      const isolates = await Promise.all(services);
      const objects = await Promise.all(SETTINGS.homes.map((home) => control(env, home).use()));
      return { ...report, underWay, isolates, objects } satisfies Report;
    }
    case "recorded":
      return recorded(env);
    case "ask":
      return control(env, "objects").ask(JSON.parse(search.get("call") ?? ""));
    default:
      throw new Error(`Nobody asks for ${asked}`);
  }
}
