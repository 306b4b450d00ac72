import { waitUntil } from "cloudflare:workers";
import { RENEW_EVERY_MS } from "./poll.io";

/**
 * The polls that run in this isolate. The stream grants the lease on a source to a holder, which is an isolate, and lets
 * the same holder in again at once. So an idle poll of the schedule needs no second request to give the lease back, where
 * no webhook wakes polls; but an isolate must know by itself that its own poll of an instance still runs, and begin no
 * other. Other isolates wait until the lease is given back or ends.
 */

/** A poll that shows no sign of life for this long was cut off together with its request, and will never end. */
const ALIVE_MS = 3 * RENEW_EVERY_MS;

const running = new Map<number, { promise: Promise<unknown>; aliveUntil: number }>();
let isolate: string | undefined;

/** The name under which this isolate holds leases. */
export const holder = (): string => (isolate ??= crypto.randomUUID());

/** The poll of an instance that runs in this isolate, if one does. */
export function runningPoll(id: number): Promise<unknown> | undefined {
  const entry = running.get(id);
  return entry !== undefined && entry.aliveUntil > Date.now() ? entry.promise : undefined;
}

/** Runs a poll of an instance to its end, even if the request that asked for it is closed; `onAlive` is to be called meanwhile. */
export async function runPoll<T>(
  id: number,
  poll: (onAlive: () => void) => Promise<T>,
): Promise<T> {
  const entry = { promise: Promise.resolve<unknown>(undefined), aliveUntil: Date.now() + ALIVE_MS };
  const promise = poll(() => void (entry.aliveUntil = Date.now() + ALIVE_MS));
  entry.promise = promise;
  running.set(id, entry);
  waitUntil(promise.catch(() => undefined));
  try {
    return await promise;
  } finally {
    if (running.get(id) === entry) running.delete(id);
  }
}
