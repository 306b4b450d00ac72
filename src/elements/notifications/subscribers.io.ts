import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { watchChange } from "../../accounts/watch.io";
import {
  type Destination,
  subscriptionDestinationId,
  subscriptionOf,
} from "../../delivery/destination";
import { listDestinationRecords, readDestination } from "../../delivery/destinations.store";
import { checkEgress } from "../../http/egress";
import { conflict, invalid } from "../../http/refusal";
import { destinationOf } from "../../instances/destination";
import type { Instance } from "../../instances/instance";
import { doorsOf, ownInstance } from "../../instances/lookup.io";
import { nextInstanceId, readInstanceOf, updateInstance } from "../../instances/store";
import { MOST_SUBSCRIBERS, subscribers, withSubscribers } from "../../instances/subscriptions";
import { removeSubscription, saveSubscription } from "./subscriptions.store";
import { instanceOfTopic } from "./view";

/** The most subscriptions of an organization, beside the callbacks of its instances. */
const MOST_SUBSCRIPTIONS = 100;
const TRIES = 5;

/** A subscription that is no instance's own callback: a destination, whose policy says for which topics. */
export type Subscription = { number: number; destination: Destination };

/** The subscription of a number; undefined for none, and another organization's. */
export async function findSubscription(
  c: Context<AskerEnv>,
  number: number,
): Promise<Subscription | undefined> {
  const { db, ring } = doorsOf(c);
  const { organizationId } = c.var.asker;
  const id = subscriptionDestinationId(organizationId, number);
  const destination = await readDestination(db, ring, organizationId, id);
  return destination && { number, destination };
}

/** All of the organization's. */
export async function listSubscriptions(c: Context<AskerEnv>): Promise<Subscription[]> {
  const { db, ring } = doorsOf(c);
  const filter = { kind: "subscription" as const, after: null, limit: MOST_SUBSCRIPTIONS };
  const records = await listDestinationRecords(db, ring, c.var.asker.organizationId, filter);
  return records.flatMap(({ destination }) => {
    const number = subscriptionOf(destination.id);
    return number === undefined ? [] : [{ number, destination }];
  });
}

/** The numbers of those who subscribed to a topic. */
export const subscribersOf = async (c: Context<AskerEnv>, topic: string): Promise<number[]> =>
  (await listSubscriptions(c)).flatMap(({ number, destination }) =>
    destination.policy.topics?.includes(topic) === true ? [number] : [],
  );

/** Subscribes a URL to topics. @throws Refusal for a URL that may not be called, and an instance that isn't there. */
export async function subscribe(
  c: Context<AskerEnv>,
  topics: readonly string[],
  url: string,
): Promise<Subscription> {
  const { db, ring, config } = doorsOf(c);
  const { organizationId } = c.var.asker;
  const verdict = checkEgress(url, config.egress);
  if (!verdict.ok) throw invalid(`config.url: ${verdict.message}`, "config.url");
  if ((await listSubscriptions(c)).length >= MOST_SUBSCRIPTIONS)
    throw conflict(`An organization has at most ${MOST_SUBSCRIPTIONS} subscriptions`);
  const instances = await instancesOf(c, topics);
  for (const { id, configuration } of instances)
    if (subscribers(configuration).length >= MOST_SUBSCRIBERS)
      throw conflict(`Instance ${id} has ${MOST_SUBSCRIBERS} more subscriptions already`);
  const number = await nextInstanceId(db);
  const draft = {
    id: subscriptionDestinationId(organizationId, number),
    organizationId,
    kind: "subscription" as const,
    ownerId: String(number),
    url,
    headers: {},
    legacyKey: null,
    policy: { topics: [...topics] },
  };
  await saveSubscription(db, ring, draft);
  for (const { id } of instances) await changeSubscribers(c, id, (numbers) => [...numbers, number]);
  const made = await findSubscription(c, number);
  if (made === undefined) throw conflict("The subscription was deleted at the same time");
  return made;
}

/** Ends a subscription: what is on its way to it isn't sent any more. */
export async function unsubscribe(
  c: Context<AskerEnv>,
  { number, destination }: Subscription,
): Promise<void> {
  const { db } = doorsOf(c);
  watchChange(
    c,
    () => ({ url: destination.url, topics: destination.policy.topics }),
    async () => undefined,
  );
  for (const topic of destination.policy.topics ?? []) {
    const id = instanceOfTopic(topic);
    if (id !== undefined)
      await changeSubscribers(c, id, (numbers) => numbers.filter((one) => one !== number));
  }
  await removeSubscription(db, destination.id);
}

/** The instances whose topics are among these. */
async function instancesOf(c: Context<AskerEnv>, topics: readonly string[]): Promise<Instance[]> {
  const ids = new Set(topics.flatMap((topic) => instanceOfTopic(topic) ?? []));
  const instances: Instance[] = [];
  for (const id of ids) instances.push(await ownInstance(c, id));
  return instances;
}

/** Says in an instance's configuration who else gets its events; one that is gone is left alone. */
async function changeSubscribers(
  c: Context<AskerEnv>,
  id: number,
  change: (numbers: readonly number[]) => number[],
): Promise<void> {
  const { db, ring, config } = doorsOf(c);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const instance = await readInstanceOf(db, ring, c.var.asker.organizationId, id);
    if (instance === undefined || instance === "another's") return;
    const { configuration } = instance;
    const changed: Instance = {
      ...instance,
      configuration: withSubscribers(configuration, change(subscribers(configuration))),
    };
    const destination = destinationOf(changed, config.egress);
    if (!destination.ok) throw invalid(destination.message, destination.field);
    if (await updateInstance(db, ring, changed, destination.draft, Date.now())) return;
  }
  throw conflict("The instance is changed by others all the time");
}
