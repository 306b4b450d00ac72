import { openOrganizations } from "../accounts/open.store";
import { keyring } from "../db/sealed";
import {
  ASK_AFTER_MS,
  type DeliveryItem,
  type DeliveryMessage,
  deliveryMessage,
  type Outcome,
} from "./attempt";
import {
  callMs,
  endOfCalls,
  LEAST_LEASE_MS,
  PATIENCE_MS,
  patienceMs,
  STEPS_PATIENCE_MS,
} from "./call-time";
import { accountPolicy, reasonOfAbsence, retryPolicyOf } from "./destination";
import { deliverGroup, type GroupDoors } from "./deliver.io";
import { laneOf } from "./lane";
import { Limiter } from "./limiter";
import { dead, putBack, unsent } from "./outcome";
import { watchCounts } from "../metering/counter.io";
import { Settling } from "./settle.io";
import { readDestinations } from "./destinations.store";
import { Cache } from "../values/cache";
import { partition } from "../values/lists";

/** The platform opens six connections at a time for one invocation. */
const CONNECTIONS = 6;
/** Outcomes are settled at least this often, while other calls of the batch still run. */
const SETTLE_EVERY_MS = 1_000;
const NO_BODY = "The stream has no body for it";
/** Messages this isolate has handled lately: a queue delivers at least once, so a message may come again. */
const handled = new Cache<string, true>(5_000);

export type DeliveryDoors = GroupDoors & { streams: Env["EVENT_STREAMS"] };

/** What the messages of a batch share. */
type Batch = {
  doors: DeliveryDoors;
  limiter: Limiter;
  destinations: Awaited<ReturnType<typeof readDestinations>>;
  /** From the fast lane: a destination that hangs is put back, and served through the slow lane from then on. */
  isFast: boolean;
  begunAt: number;
  /** The work of messages that are waited for longer than others: their calls could not end in the background alone. */
  patient: Promise<unknown>[];
};

/**
 * Delivers the notifications of a batch. Streams send them by two lanes, each a queue: the fast lane holds live
 * notifications for destinations that have answered within two seconds, the slow one all the rest (new, slow or failing
 * destinations, backlogs, replays). So a destination that hangs, or a recover of 100,000, holds up no live traffic.
 *
 * Every message is acknowledged after one attempt, whatever its outcome: the stream keeps the outcome, and sends the
 * notification again when it is due. This returns after a second, when the queue hands over its next batch, unless a call
 * that may take longer than 22 s, or a flow's step, still runs. `runOn` keeps the invocation alive for all that run then.
 */
export async function consumeDeliveries(
  batch: MessageBatch,
  doors: DeliveryDoors,
  runOn: (work: Promise<void>) => void,
): Promise<void> {
  const now = Date.now();
  const arrived = batch.messages.flatMap((message) => {
    const parsed = deliveryMessage.safeParse(message.body);
    if (!parsed.success) {
      console.error(
        JSON.stringify({ at: "deliveries", error: "unreadable message", id: message.id }),
      );
      message.retry();
      return [];
    }
    return [parsed.data];
  });
  const messages = await inTime(arrived, doors, now)
    .then((timely) => withoutDeleted(timely, doors, now))
    .catch((error: unknown) => logFailure(batch.queue, error) ?? []);
  const ids = idsOf(messages);
  if (ids.length === 0) return;
  const destinations = await destinationsOf(messages, doors, now).catch((error: unknown) =>
    logFailure(batch.queue, error),
  );
  if (destinations === undefined) return;
  const shared: Batch = {
    doors,
    limiter: new Limiter(CONNECTIONS),
    destinations,
    isFast: laneOf(batch.queue) === "fast",
    begunAt: now,
    patient: [],
  };
  const streams = Map.groupBy(messages, ({ stream }) => stream);
  const work = Promise.all(
    [...streams].map(([name, some]) =>
      deliverMessages(name, some, shared).catch((error: unknown) => logFailure(name, error)),
    ),
  );
  runOn(work.then(() => watchCounts(doors.db, endOfCalls(now, PATIENCE_MS) - Date.now())));
  await Promise.race([work, scheduler.wait(PATIENCE_MS)]);
  const longest = Math.max(...messages.map((message) => patienceOf(message, shared)));
  await Promise.race([Promise.all(shared.patient), scheduler.wait(longest - PATIENCE_MS)]);
}

/** How long a batch waits for the calls of a message. */
const patienceOf = ({ items }: DeliveryMessage, { doors, destinations }: Batch): number =>
  Math.max(
    PATIENCE_MS,
    ...items.map(({ destinationId }) => {
      const destination = destinations.get(destinationId)?.destination;
      if (destination === undefined) return PATIENCE_MS;
      return doors.handlers[destination.kind] === undefined
        ? patienceMs(callMs(destination.policy))
        : STEPS_PATIENCE_MS;
    }),
  );

/** A destination whose calls may keep the queue waiting: it is served through the slow lane, however well it answers. */
const isPatient = (id: string, { destinations }: Batch): boolean =>
  patienceMs(callMs(destinations.get(id)?.destination.policy)) > PATIENCE_MS;

function destinationsOf(
  messages: readonly DeliveryMessage[],
  { db, config }: DeliveryDoors,
  now: number,
): ReturnType<typeof readDestinations> {
  const named = messages.flatMap((message) =>
    idsOf([message]).map((id) => ({ organizationId: organizationOf(message), id })),
  );
  return readDestinations(db, keyring(config.masterKeys), named, now);
}

/**
 * The messages that can be handled before their leases end, each once. For those that came late, as from a queue that is
 * slow, the stream is asked for more time; those that may be on their way again, or hold what was cancelled, are dropped.
 */
async function inTime(
  messages: readonly DeliveryMessage[],
  { streams }: DeliveryDoors,
  now: number,
): Promise<DeliveryMessage[]> {
  const [late, timely] = partition(
    messages,
    ({ leaseUntil, sentAt = now }) =>
      leaseUntil < now + LEAST_LEASE_MS || sentAt < now - ASK_AFTER_MS,
  );
  const extended = await Promise.all(
    [...Map.groupBy(late, ({ stream }) => stream)].map(async ([name, some]) => {
      const leases = some.map(({ bundle, leaseUntil }) => ({ bundle, leaseUntil }));
      const ends = await streams
        .getByName(name)
        .extendLeases(leases)
        .catch((error: unknown) => logFailure(name, error));
      return some.flatMap((message, index) => {
        const leaseUntil = ends?.[index] ?? null;
        return leaseUntil === null ? [] : [{ ...message, leaseUntil }];
      });
    }),
  );
  return [...timely, ...extended.flat()].filter((message) => !alreadyHandled(message, now));
}

/** What is left of a deleted organization on the queues is dropped. */
async function withoutDeleted(
  messages: readonly DeliveryMessage[],
  { db }: DeliveryDoors,
  now: number,
): Promise<DeliveryMessage[]> {
  const open = await openOrganizations(db, messages.map(organizationOf), now);
  return messages.filter((message) => open.has(organizationOf(message)));
}

/** A failure of our own is only logged: the stream sends the notifications again when their lease ends. */
function logFailure(stream: string, error: unknown): undefined {
  console.error(JSON.stringify({ at: "deliveries", stream, error: String(error) }));
}

/**
 * Delivers the messages of one stream, and settles their outcomes together, every second while calls still run. When a
 * destination hangs, what waits for a connection behind its calls is put back unsent, and the stream is told, so
 * that it sends the destination's next notifications by the slow lane, long before the first call times out.
 */
async function deliverMessages(
  name: string,
  messages: readonly DeliveryMessage[],
  shared: Batch,
): Promise<void> {
  const { doors, limiter, isFast } = shared;
  const { laggards } = doors.isolate;
  const ids = new Set(idsOf(messages));
  const settling = new Settling(
    name,
    doors,
    [...ids].filter((id) => isPatient(id, shared)),
  );
  const deliver = async (message: DeliveryMessage): Promise<void> => {
    const groups = [...Map.groupBy(message.items, ({ destinationId }) => destinationId)];
    settling.begin(message, groups.length);
    const bodies = await bodiesOf(doors.streams.getByName(name), message);
    await Promise.all(
      groups.map(async ([id, group]) =>
        settling.end(message.bundle, await deliverTo(id, message, group, bodies, shared)),
      ),
    );
  };
  const all = Promise.all(
    messages.map((message) => {
      const work = deliver(message).catch((error: unknown) => logFailure(name, error));
      if (patienceOf(message, shared) > PATIENCE_MS) shared.patient.push(work);
      return work;
    }),
  );
  // The stream sends by the slow lane what it already takes to be slow: only the fast lane has news for it.
  const unreported = new Set(isFast ? ids : []);
  const settle = async (): Promise<void> => {
    const lagging = [...unreported].filter((id) => laggards.has(id, Date.now()));
    for (const id of lagging) unreported.delete(id);
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

/** A stream's name begins with its organization's id. */
const organizationOf = ({ stream }: DeliveryMessage): number =>
  Number(stream.slice(0, stream.indexOf("/")));

const idsOf = (messages: readonly DeliveryMessage[]): string[] =>
  messages.flatMap(({ items }) => items.map(({ destinationId }) => destinationId));

/** Delivers a message's notifications to one destination. */
async function deliverTo(
  id: string,
  message: DeliveryMessage,
  group: readonly DeliveryItem[],
  bodies: Record<number, string>,
  shared: Batch,
): Promise<Outcome[]> {
  const { stream, leaseUntil } = message;
  const { doors, limiter, destinations, isFast, begunAt } = shared;
  const now = Date.now();
  const found = destinations.get(id);
  if (found === undefined) return group.map((item) => unsent(item, dead(reasonOfAbsence(id), now)));
  if (isFast && doors.isolate.laggards.has(id, now)) return group.map((item) => putBack(item, now));
  const items = group.map((item) => {
    const body = item.body ?? bodies[item.seq];
    const fault = body === undefined ? { unrenderable: NO_BODY } : {};
    return { ...fault, ...item, body: body ?? "", stream };
  });
  const { destination, settings } = found;
  const policy = retryPolicyOf(destination, accountPolicy(settings));
  const until = Math.min(leaseUntil, endOfCalls(begunAt, patienceOf(message, shared)));
  return deliverGroup({ stream, destination, policy, items, leaseUntil: until }, doors, limiter);
}

/** The bodies of notifications that were too large to travel in the queue message. */
async function bodiesOf(
  stream: ReturnType<DeliveryDoors["streams"]["getByName"]>,
  { bundle, items }: DeliveryMessage,
): Promise<Record<number, string>> {
  const found: Record<number, string> = {};
  const isAbsent = ({ seq, body, unrenderable }: DeliveryItem): boolean =>
    body === undefined && unrenderable === undefined && !Object.hasOwn(found, seq);
  for (;;) {
    const absent = items.filter(isAbsent).map(({ seq }) => seq);
    const more = absent.length === 0 ? {} : await stream.bodies(bundle, absent);
    if (Object.keys(more).length === 0) return found;
    Object.assign(found, more);
  }
}

function alreadyHandled(message: DeliveryMessage, now: number): boolean {
  const tries = message.items.map(({ seq, n }) => `${seq}.${n}`).join();
  const key = `${message.stream}#${message.bundle}#${tries}#${message.leaseUntil}`;
  if (handled.get(key, now) !== undefined) return true;
  handled.set(key, true, message.leaseUntil);
  return false;
}
