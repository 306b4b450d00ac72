import { env } from "cloudflare:workers";
import type { Commit, NewEvent, Target } from "../../src/stream/event";
import type { EventStream } from "../../src/stream/stream.object";

/** A stream nobody used yet. */
export function freshStream(
  source = `instance:${1e6 + Math.floor(Math.random() * 1e9)}`,
): DurableObjectStub<EventStream> {
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
