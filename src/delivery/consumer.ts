import { keyring } from "../db/sealed";
import { type DeliveryItem, type DeliveryMessage, deliveryMessage, type Outcome } from "./attempt";
import { TIMEOUT_MS } from "./client";
import { accountPolicy, retryPolicyOf } from "./destination";
import { recordExceptions } from "./exceptions/store";
import { deliverGroup, type GroupDoors } from "./group/consumer";
import { type Limiter, limiter } from "./limiter";
import { dead, unsent } from "./outcome";
import { flushCounts } from "./rollup/store";
import { readDestinations } from "./store";

/** The platform opens six connections at a time for one invocation. */
const CONNECTIONS = 6;
const SETTLE_TRIES = 4;
/** What is delivered is not kept from being settled longer than this by its neighbours in the bundle. */
const PATIENCE_MS = 1_000;
/** Messages this isolate has handled: the queue may bring one twice. */
const HANDLED = 5_000;
const handled = new Set<string>();

export type DeliveryDoors = GroupDoors & { streams: Env["EVENT_STREAMS"] };

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
  await flushCounts(doors.db, Date.now());
}

async function deliverBundle(
  message: DeliveryMessage,
  doors: DeliveryDoors,
  limit: Limiter,
): Promise<void> {
  const now = Date.now();
  if (message.leaseUntil < now + TIMEOUT_MS + 1_000 || alreadyHandled(message)) return;
  const stream = doors.streams.getByName(message.stream);
  const destinations = await readDestinations(
    doors.db,
    keyring(doors.config.masterKeys),
    message.items.map(({ destinationId }) => destinationId),
    now,
  );
  const organizationId = Number(message.stream.slice(0, message.stream.indexOf("/")));
  const absent = message.items.filter(({ body }) => body === undefined).map(({ seq }) => seq);
  const bodies: Record<number, string> =
    absent.length === 0 ? {} : await stream.bodies(message.bundle, absent);
  const settle = async (outcomes: Outcome[], last: boolean): Promise<void> => {
    await settled(() => stream.settle(message.bundle, outcomes, last));
    await recordExceptions(
      doors.db,
      { name: message.stream, organizationId },
      message.items,
      outcomes,
      now,
    );
  };
  const deliver = async (id: string, group: DeliveryItem[]): Promise<Outcome[]> => {
    const found = destinations.get(id);
    if (found === undefined)
      return group.map((item) => unsent(item, dead("destination-disabled", now)));
    const items = group.flatMap((item) => {
      const body = item.body ?? bodies[item.seq];
      return body === undefined ? [] : { ...item, body, stream: message.stream };
    });
    const { destination, settings } = found;
    const policy = retryPolicyOf(destination, accountPolicy(settings));
    const { stream: name, leaseUntil } = message;
    return deliverGroup({ stream: name, destination, policy, items, leaseUntil }, doors, limit);
  };
  const groups = Map.groupBy(message.items, ({ destinationId }) => destinationId);
  await settleAsTheyEnd(
    [...groups].map(([id, items]) => deliver(id, items)),
    settle,
  );
}

/** Settles all together, but doesn't let those that are done wait long for one that hangs. */
async function settleAsTheyEnd(
  groups: Promise<Outcome[]>[],
  settle: (outcomes: Outcome[], last: boolean) => Promise<void>,
): Promise<void> {
  let done: Outcome[] = [];
  const all = Promise.all(
    groups.map(async (group) => {
      const outcomes = await group;
      done.push(...outcomes);
    }),
  );
  const slow = Symbol("slow");
  if ((await Promise.race([all, scheduler.wait(PATIENCE_MS).then(() => slow)])) === slow) {
    const early = done;
    done = [];
    if (early.length > 0) await settle(early, false);
    await all;
  }
  await settle(done, true);
}

function alreadyHandled(message: DeliveryMessage): boolean {
  const tries = message.items.map(({ seq, n }) => `${seq}.${n}`).join();
  const key = `${message.stream}#${message.bundle}#${tries}#${message.leaseUntil}`;
  if (handled.has(key)) return true;
  if (handled.size >= HANDLED) handled.clear();
  handled.add(key);
  return false;
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
