import { keyring } from "../db/sealed";
import { type DeliveryItem, type DeliveryMessage, deliveryMessage, type Outcome } from "./attempt";
import { TIMEOUT_MS } from "./callback.client";
import { accountPolicy, retryPolicyOf } from "./destination";
import { deliverGroup, type GroupDoors } from "./deliver.io";
import { Limiter } from "./limiter";
import { dead, putBack, unsent } from "./outcome";
import { flushCounts } from "../metering/store";
import { Settling } from "./settle.io";
import { readDestinations } from "./destinations.store";
import { Cache } from "../values/cache";

/** The platform opens six connections at a time for one invocation. */
const CONNECTIONS = 6;
/** What is delivered is not kept from being settled longer than this by its neighbours. */
const SETTLE_EVERY_MS = 1_000;
/** A queue waits so long for the calls of a batch, and longer for those that may take half a minute. */
const PATIENCE_MS = { callback: 1_000, handled: 6_000 };
/** Then they go on by themselves; the platform ends what takes longer than 30 s. */
const RUN_ON_MS = 28_000;
/** Messages this isolate has handled: the queue may bring one twice. */
const handled = new Cache<string, true>(5_000);

export type DeliveryDoors = GroupDoors & { streams: Env["EVENT_STREAMS"] };

/** What the messages of a batch share. */
type Run = {
  doors: DeliveryDoors;
  limiter: Limiter;
  destinations: Awaited<ReturnType<typeof readDestinations>>;
  /** Healthy destinations only: whoever turns out to hang is sent back, to come by the other lane. */
  isFast: boolean;
  /** No call goes on for longer. */
  endsAt: number;
};

/**
 * Every message is acknowledged after one attempt: what became of it is in the stream. Calls that hang go on
 * (`runOn` keeps the invocation alive) while the queue brings what is next, so nobody waits behind them.
 */
export async function consumeDeliveries(
  batch: MessageBatch,
  doors: DeliveryDoors,
  runOn: (work: Promise<void>) => void,
): Promise<void> {
  const now = Date.now();
  const messages = batch.messages.flatMap((message) => {
    const parsed = deliveryMessage.safeParse(message.body);
    if (!parsed.success) {
      console.error(
        JSON.stringify({ at: "deliveries", error: "unreadable message", id: message.id }),
      );
      message.retry();
      return [];
    }
    // The lease of one this old runs out: the stream sends it again.
    const isLate = parsed.data.leaseUntil < now + TIMEOUT_MS + 1_000;
    return isLate || alreadyHandled(parsed.data, now) ? [] : [parsed.data];
  });
  const ids = idsOf(messages);
  const destinations = await readDestinations(
    doors.db,
    keyring(doors.config.masterKeys),
    ids,
    now,
  ).catch((error: unknown) => complain(batch.queue, error));
  if (destinations === undefined) return;
  const isHandled = ids.some(
    (id) => doors.handlers[destinations.get(id)?.destination.kind ?? "webhook"] !== undefined,
  );
  const patienceMs = isHandled ? PATIENCE_MS.handled : PATIENCE_MS.callback;
  const run: Run = {
    doors,
    limiter: new Limiter(CONNECTIONS),
    destinations,
    isFast: !batch.queue.endsWith("-slow"),
    endsAt: now + patienceMs + RUN_ON_MS,
  };
  const streams = Map.groupBy(messages, ({ stream }) => stream);
  const work = Promise.all(
    [...streams].map(([name, some]) =>
      deliverMessages(name, some, run).catch((error: unknown) => complain(name, error)),
    ),
  );
  runOn(work.then(() => flushCounts(doors.db, Date.now())));
  await Promise.race([work, scheduler.wait(patienceMs)]);
}

/** What fails here is in the stream: the lease runs out and it is sent again. */
function complain(stream: string, error: unknown): undefined {
  console.error(JSON.stringify({ at: "deliveries", stream, error: String(error) }));
}

/**
 * The messages of one stream, settled together; those that are done don't wait long for one that hangs.
 * What waits in the batch behind a call that hangs is put back, and the stream told who it is.
 */
async function deliverMessages(
  name: string,
  messages: readonly DeliveryMessage[],
  run: Run,
): Promise<void> {
  const { doors, limiter, isFast } = run;
  const { laggards } = doors.standings;
  const settling = new Settling(name, doors);
  const deliver = async (message: DeliveryMessage): Promise<void> => {
    const groups = [...Map.groupBy(message.items, ({ destinationId }) => destinationId)];
    settling.begin(message, groups.length);
    const bodies = await bodiesOf(doors.streams.getByName(name), message);
    await Promise.all(
      groups.map(async ([id, group]) =>
        settling.end(message.bundle, await deliverTo(id, message, group, bodies, run)),
      ),
    );
  };
  const all = Promise.all(
    messages.map((message) => deliver(message).catch((error: unknown) => complain(name, error))),
  );
  const ids = new Set(idsOf(messages));
  // Whoever is in the slow lane is known.
  const untold = new Set(isFast ? ids : []);
  const settle = async (): Promise<void> => {
    const lagging = [...untold].filter((id) => laggards.has(id, Date.now()));
    for (const id of lagging) untold.delete(id);
    await settling.settle(lagging);
  };
  const slow = Symbol("slow");
  while ((await Promise.race([all, scheduler.wait(SETTLE_EVERY_MS).then(() => slow)])) === slow) {
    const now = Date.now();
    if ([...ids].some((id) => laggards.has(id, now)))
      limiter.dismiss((id) => !isFast && laggards.has(id, now));
    await settle();
  }
  await settle();
}

const idsOf = (messages: readonly DeliveryMessage[]): string[] =>
  messages.flatMap(({ items }) => items.map(({ destinationId }) => destinationId));

/** A message's notifications to one destination. */
async function deliverTo(
  id: string,
  { stream, leaseUntil }: DeliveryMessage,
  group: readonly DeliveryItem[],
  bodies: Record<number, string>,
  { doors, limiter, destinations, isFast, endsAt }: Run,
): Promise<Outcome[]> {
  const now = Date.now();
  const found = destinations.get(id);
  if (found === undefined)
    return group.map((item) => unsent(item, dead("destination-disabled", now)));
  if (isFast && doors.standings.laggards.has(id, now))
    return group.map((item) => putBack(item, now));
  const items = group.flatMap((item) => {
    const body = item.body ?? bodies[item.seq];
    return body === undefined ? [] : { ...item, body, stream };
  });
  const { destination, settings } = found;
  const policy = retryPolicyOf(destination, accountPolicy(settings));
  const until = Math.min(leaseUntil, endsAt);
  return deliverGroup({ stream, destination, policy, items, leaseUntil: until }, doors, limiter);
}

/** The bodies that were too large for the queue. */
async function bodiesOf(
  stream: ReturnType<DeliveryDoors["streams"]["getByName"]>,
  { bundle, items }: DeliveryMessage,
): Promise<Record<number, string>> {
  const absent = items.filter(({ body }) => body === undefined).map(({ seq }) => seq);
  return absent.length === 0 ? {} : stream.bodies(bundle, absent);
}

function alreadyHandled(message: DeliveryMessage, now: number): boolean {
  const tries = message.items.map(({ seq, n }) => `${seq}.${n}`).join();
  const key = `${message.stream}#${message.bundle}#${tries}#${message.leaseUntil}`;
  if (handled.get(key, now) !== undefined) return true;
  handled.set(key, true, message.leaseUntil);
  return false;
}
