import type { Config } from "../config";
import type { Answer } from "../http/client";
import { keyring } from "../db/sealed";
import { type DeliveryItem, type DeliveryMessage, deliveryMessage, type Outcome } from "./attempt";
import { parseRetryAfter, nextStep } from "./backoff";
import { post, send, TIMEOUT_MS } from "./client";
import { type Destination, retryPolicyOf } from "./destination";
import type { Handler, Handlers, Sending } from "./handler";
import { forgetDestination, readDestinations } from "./store";

/** The platform opens six connections at a time for one invocation. */
const CONNECTIONS = 6;
const SETTLE_TRIES = 4;
/** A try with less time than this left under its lease is left to the next one. */
const LEAST_MS = 5_000;
/** What could not be made or handed on is tried again after this. */
const TROUBLE_PAUSE_MS = 5_000;
/** Messages this isolate has handled: the queue may bring one twice. */
const HANDLED = 5_000;
const handled = new Set<string>();

export type DeliveryDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  config: Config;
  handlers: Handlers;
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
    message.items.map(async (item): Promise<Outcome | undefined> => {
      const found = destinations.get(item.destinationId);
      const body = item.body ?? bodies[item.seq];
      if (found === undefined || body === undefined) return dead(item, "destination-disabled");
      const { destination, settings } = found;
      if (!destination.enabled) return dead(item, "destination-disabled");
      const handler = doors.handlers[destination.kind];
      if (handler !== undefined)
        return limit(() =>
          viaHandler(
            handler,
            destination,
            { ...item, body, stream: message.stream },
            doors.config,
            {
              leaseUntil: message.leaseUntil,
            },
          ),
        );
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
  await settled(() =>
    stream.settle(
      message.bundle,
      outcomes.filter((outcome) => outcome !== undefined),
    ),
  );
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

/**
 * One notification whose request is made by the room it belongs to. What it means is told before it is
 * settled: when that fails, the notification stays as it was and comes again.
 */
async function viaHandler(
  handler: Handler,
  destination: Destination,
  item: Sending,
  config: Config,
  { leaseUntil }: { leaseUntil: number },
): Promise<Outcome | undefined> {
  const { seq, n } = item;
  const now = Date.now();
  try {
    const rendered = await handler.render(destination, item);
    if (rendered.kind === "settled") {
      const attempt = {
        n,
        at: now,
        status: null,
        durationMs: 0,
        error: rendered.error,
        responseHeaders: {},
        responseBody: "",
        truncated: false,
      };
      const outcome: Outcome = { seq, n, attempt, next: rendered.next };
      await handler.settled(destination, item, outcome, undefined);
      return outcome;
    }
    const timeoutMs = Math.min(rendered.timeoutMs, leaseUntil - now - 3_000);
    if (timeoutMs < LEAST_MS) return undefined;
    const { attempt, answer, refused } = await send(
      destination,
      item,
      { ...rendered, timeoutMs },
      config.egress,
      now,
    );
    const after = now + attempt.durationMs;
    const next: Outcome["next"] = refused
      ? { kind: "dead", at: after, reason: "refused" }
      : rendered.judge(verdictOf(attempt.status, answer), {
          now: after,
          chance: Math.random(),
          retryAfter: parseRetryAfter(attempt.responseHeaders["retry-after"] ?? null, after),
        });
    const outcome: Outcome = { seq, n, attempt, next };
    await handler.settled(destination, item, outcome, answer);
    return outcome;
  } catch (error) {
    console.error(
      JSON.stringify({ at: "deliveries", stream: item.stream, seq, error: String(error) }),
    );
    return { seq, n, next: { kind: "retrying", at: Date.now() + TROUBLE_PAUSE_MS } };
  }
}

function verdictOf(
  status: number | null,
  answer: Answer,
): { status: number | null; truncated: boolean } {
  return { status, truncated: answer.kind === "answered" && answer.truncated };
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
