import type { Config } from "../config";
import { keyring } from "../db/sealed";
import { type DeliveryItem, type DeliveryMessage, deliveryMessage, type Outcome } from "./attempt";
import { parseRetryAfter, nextStep } from "./backoff";
import { post, TIMEOUT_MS } from "./client";
import { type Destination, retryPolicyOf } from "./destination";
import { forgetDestination, readDestinations } from "./store";

/** The platform opens six connections at a time for one invocation. */
const CONNECTIONS = 6;
const SETTLE_TRIES = 4;
/** Messages this isolate has handled: the queue may bring one twice. */
const HANDLED = 5_000;
const handled = new Set<string>();

export type DeliveryDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  config: Config;
};

/** Every message is acknowledged after one attempt: what became of it is in the stream. */
export async function consumeDeliveries(batch: MessageBatch, doors: DeliveryDoors): Promise<void> {
  const limit = limiter(CONNECTIONS);
  await Promise.all(
    batch.messages.map(async (message) => {
      const parsed = deliveryMessage.safeParse(message.body);
      if (!parsed.success) {
        console.error(
          JSON.stringify({ at: "deliveries", error: "unreadable message", id: message.id }),
        );
        message.retry();
        return;
      }
      try {
        await deliverBundle(parsed.data, doors, limit);
      } catch (error) {
        // The lease runs out and the stream sends it again.
        console.error(
          JSON.stringify({ at: "deliveries", stream: parsed.data.stream, error: String(error) }),
        );
      }
      message.ack();
    }),
  );
}

async function deliverBundle(
  message: DeliveryMessage,
  doors: DeliveryDoors,
  limit: Limiter,
): Promise<void> {
  const now = Date.now();
  const key = `${message.stream}#${message.bundle}#${message.items.map(({ seq, n }) => `${seq}.${n}`).join()}#${message.leaseUntil}`;
  if (message.leaseUntil < now + TIMEOUT_MS + 1_000 || handled.has(key)) return;
  if (handled.size >= HANDLED) handled.clear();
  handled.add(key);
  const stream = doors.streams.getByName(message.stream);
  const destinations = await readDestinations(
    doors.db,
    keyring(doors.config.masterKeys),
    message.items.map(({ destinationId }) => destinationId),
    now,
  );
  const absent = message.items.filter(({ body }) => body === undefined).map(({ seq }) => seq);
  const bodies: Record<number, string> =
    absent.length === 0 ? {} : await stream.bodies(message.bundle, absent);
  const outcomes = await Promise.all(
    message.items.map(async (item): Promise<Outcome> => {
      const found = destinations.get(item.destinationId);
      const body = item.body ?? bodies[item.seq];
      if (found === undefined || body === undefined) return dead(item, "destination-disabled");
      const { destination, settings } = found;
      if (!destination.enabled) return dead(item, "destination-disabled");
      if (!destination.active || destination.url === null)
        return { seq: item.seq, n: item.n, next: { kind: "held" } };
      const { url } = destination;
      return limit(() =>
        attempt({ ...destination, url }, { ...item, body }, doors.config, {
          failurePolicy: settings["notification.webhook.failure.policy"] ?? "retry",
          retryProfile: settings["notification.webhook.retry.profile"] ?? "default",
        }),
      );
    }),
  );
  await settled(() => stream.settle(message.bundle, outcomes));
}

async function attempt(
  destination: Destination & { url: string },
  item: DeliveryItem & { body: string },
  config: Config,
  account: Parameters<typeof retryPolicyOf>[1],
): Promise<Outcome> {
  const now = Date.now();
  const tried = await post(destination, item, config.egress, now);
  const { attempt: record } = tried;
  if (tried.refused)
    return {
      seq: item.seq,
      n: item.n,
      attempt: record,
      next: { kind: "dead", at: now, reason: "refused" },
    };
  const after = now + record.durationMs;
  const control = record.responseHeaders["webhook-delivery"];
  const next = nextStep(record, {
    policy: retryPolicyOf(destination, account),
    tries: item.tries + 1,
    firstFailedAt: item.firstFailedAt,
    retryAfter: parseRetryAfter(record.responseHeaders["retry-after"] ?? null, after),
    control: control === "disable" || control === "abort-message" ? control : undefined,
    now: after,
    chance: Math.random(),
  });
  if (next.kind !== "delivered") forgetDestination(destination.id);
  return { seq: item.seq, n: item.n, attempt: record, next };
}

function dead(item: DeliveryItem, reason: "destination-disabled"): Outcome {
  return { seq: item.seq, n: item.n, next: { kind: "dead", at: Date.now(), reason } };
}

async function settled(settle: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await settle();
      return;
    } catch (error) {
      if (tries >= SETTLE_TRIES) throw error;
      await scheduler.wait(50 * 4 ** tries);
    }
  }
}

type Limiter = <T>(task: () => Promise<T>) => Promise<T>;

/** Runs at most `width` tasks at a time, in the order they came. */
function limiter(width: number): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
