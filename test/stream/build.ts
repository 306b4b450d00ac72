import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Outcome } from "../../src/delivery/attempt";
import type { Commit, NewEvent, Target } from "../../src/stream/event";
import type { EventStream } from "../../src/stream/stream.object";

export type Stream = DurableObjectStub<EventStream>;

/** A stream nobody used yet. */
export function freshStream(source = `instance:${1e6 + Math.floor(Math.random() * 1e9)}`): Stream {
  return env.EVENT_STREAMS.getByName(`1/${source}`);
}

export function event(id: string, change: Partial<NewEvent> = {}): NewEvent {
  return {
    id,
    objectType: "accounts",
    objectId: `object-${id}`,
    eventType: "CREATED",
    date: Date.UTC(2026, 0, 1),
    data: JSON.stringify({ id }),
    to: [0],
    ...change,
  };
}

export function events(count: number, prefix = "e"): NewEvent[] {
  return Array.from({ length: count }, (_, index) => event(`${prefix}${index + 1}`));
}

export function target(change: Partial<Target> = {}): Target {
  return {
    destinationId: "nowhere",
    envelope: { format: "verbatim" },
    most: 10,
    ordering: "none",
    ...change,
  };
}

export function commit(change: Partial<Commit> = {}): Commit {
  return { events: [], targets: [target()], ...change };
}

export const ATTEMPT = {
  n: 1,
  at: 1,
  status: 200,
  durationMs: 5,
  error: null,
  responseHeaders: {},
  responseBody: "",
  truncated: false,
};

export const delivered = (seq: number, n = 1): Outcome => ({
  seq,
  n,
  attempt: { ...ATTEMPT, n },
  next: { kind: "delivered", at: Date.now() },
});

/** What the object puts on a queue is lost, until it wakes up anew. */
export async function withoutQueues(stream: Stream): Promise<void> {
  const lost = { sendBatch: async () => {} };
  await runInDurableObject(stream, (object) => {
    const given = Reflect.get(object, "env");
    Reflect.set(object, "env", { ...given, DELIVERIES: lost, DELIVERIES_SLOW: lost });
  });
}

/** The object after a crash: it lost what it held in memory. */
export async function restarted(stream: Stream): Promise<Stream> {
  const name = stream.name ?? "";
  await runInDurableObject(stream, async (_, state) => state.abort("crash")).catch(() => {});
  return env.EVENT_STREAMS.getByName(name);
}

/** The leases of all that is on the queues run out. */
export async function expireLeases(stream: Stream): Promise<void> {
  await runInDurableObject(stream, (object) => {
    const { inFlight } = Reflect.get(object, "parts").dispatcher;
    for (const lease of Reflect.get(inFlight, "running").values()) lease.until = 1;
  });
}
