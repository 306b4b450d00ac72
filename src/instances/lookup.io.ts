import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { watchChange } from "../accounts/watch.io";
import { readUsers } from "../accounts/store";
import { type Config, readConfig } from "../config";
import { type Keyring, keyring } from "../db/sealed";
import { instanceDestinationId } from "../delivery/destination";
import { readStates } from "../delivery/standing.store";
import type { DestinationState } from "../delivery/state";
import { forbidden, invalid, notFound, unauthenticated } from "../http/refusal";
import { numericId } from "../values/whole-number";
import { reachesSource, reachOf } from "../operations/reach";
import { instanceSource, streamName } from "../stream/stream-name";
import type { Facts } from "./attention";
import { eventSettings } from "./configuration";
import { destinationOf } from "./destination";
import type { Instance } from "./instance";
import { stateOf } from "./state";
import { findByToken, readInstance, readInstanceOf } from "./store";
import { instanceView, type UserView } from "./view";

/** Which instance a request is about, and how it is shown. */

export type Doors = { db: D1Database; ring: Keyring; config: Config };

export function doorsOf(c: Context<AskerEnv>): Doors {
  const config = readConfig(c.env);
  return { db: c.env.DB, ring: keyring(config.masterKeys), config };
}

/** The instance a path names; another organization's is a 403 (reference connector-events-api.md §1). */
export async function ofId(c: Context<AskerEnv>): Promise<Instance> {
  const text = c.req.param("id") ?? "";
  const id = numericId(text);
  if (id === undefined) throw notFound(`No instance with id '${text}'`);
  return ownInstance(c, id, text);
}

/** An instance of the caller's organization. @throws Refusal `forbidden` for another organization's. */
export async function ownInstance(
  c: Context<AskerEnv>,
  id: number,
  named = String(id),
): Promise<Instance> {
  const { db, ring } = doorsOf(c);
  const instance = await readInstanceOf(db, ring, c.var.asker.organizationId, id);
  if (instance === undefined) throw notFound(`No instance with id '${named}'`);
  if (instance === "another's") throw forbidden();
  return watchInstance(c, instance);
}

/** The instance that a path of `/v1` names. @throws Refusal `not-found` unless the asker reaches it. */
export async function inReach(c: Context<AskerEnv>): Promise<Instance> {
  const { db, ring } = doorsOf(c);
  const { asker } = c.var;
  const text = c.req.param("id") ?? "";
  const id = numericId(text) ?? 0;
  const instance = reachesSource(reachOf(asker), instanceSource(id))
    ? await readInstanceOf(db, ring, asker.organizationId, id)
    : undefined;
  if (instance === undefined || instance === "another's") throw notFound(`No instance '${text}'`);
  return instance;
}

/** Tells the audit log that a request may change an instance. @param isNew it was just made. */
export function watchInstance(c: Context<AskerEnv>, instance: Instance, isNew = false): Instance {
  const { db, ring } = doorsOf(c);
  const before = () => (isNew ? {} : stateOf(instance));
  const read = async () => {
    const now = await readInstance(db, ring, instance.id);
    return now && stateOf(now);
  };
  watchChange(c, before, read, instance.tenant?.id);
  return instance;
}

/** The instance whose Element token was sent. */
export async function ofToken(c: Context<AskerEnv>): Promise<Instance> {
  const { asker, elementToken } = c.var;
  if (elementToken === undefined)
    throw unauthenticated("Expected an 'Element' token in the Authorization header");
  const { db, ring } = doorsOf(c);
  const instance = await findByToken(db, ring, asker.organizationId, elementToken);
  if (instance === undefined) throw unauthenticated("Invalid Element token");
  c.set("subject", String(instance.id));
  return watchInstance(c, instance);
}

/** The instance as the contract prints it. */
export async function shown(
  c: Context<AskerEnv>,
  instance: Instance,
): Promise<Record<string, unknown>> {
  const [users, facts] = await Promise.all([
    readUsers(c.env.DB, [instance.userId]),
    factsOf(c, instance),
  ]);
  return instanceView(facts, userOf(instance, users));
}

/**
 * Instances as the contract prints them; their users, and the states of their callbacks, are read at once. Their streams
 * aren't asked, so that `attention` lacks what only those know: deliveries that were refused or ignored.
 */
export async function shownAll(
  c: Context<AskerEnv>,
  instances: readonly Instance[],
): Promise<Record<string, unknown>[]> {
  const [users, states] = await Promise.all([
    readUsers(
      c.env.DB,
      instances.map(({ userId }) => userId),
    ),
    callbackStates(c, instances),
  ]);
  return instances.map((instance) => {
    const facts = { instance, callback: states.get(instance.id), untaken: [] };
    return instanceView(facts, userOf(instance, users));
  });
}

/** What there is to know of one instance for its `attention`; its stream is asked where webhooks may come to it. */
export async function factsOf(c: Context<AskerEnv>, instance: Instance): Promise<Facts> {
  const { connector, configuration } = instance;
  const mayCome =
    connector.webhook !== undefined && eventSettings(connector, configuration).enabled;
  const [states, untaken] = await Promise.all([
    callbackStates(c, [instance]),
    mayCome ? untakenBy(c, instance) : [],
  ]);
  return { instance, callback: states.get(instance.id), untaken };
}

/** An object that can't be asked, or runs an earlier version, is no reason not to show the instance. */
async function untakenBy(
  c: Context<AskerEnv>,
  { organizationId, id }: Instance,
): Promise<Facts["untaken"]> {
  const stream = streamName({ organizationId, source: instanceSource(id) });
  try {
    return await c.env.EVENT_STREAMS.getByName(stream).untaken();
  } catch (error) {
    console.warn(JSON.stringify({ at: "instances.untaken", stream, error: String(error) }));
    return [];
  }
}

/** How the callbacks of instances stand, by the instance's id; one without a callback has no state. */
export async function callbackStates(
  c: Context<AskerEnv>,
  instances: readonly Instance[],
): Promise<Map<number, DestinationState>> {
  const called = instances.filter(
    ({ configuration }) => (configuration["event.notification.callback.url"] ?? null) !== null,
  );
  const states = await readStates(
    c.env.DB,
    c.var.asker.organizationId,
    called.map(({ id }) => instanceDestinationId(id)),
  );
  return new Map(
    called.flatMap(({ id }): [number, DestinationState][] => {
      const state = states.get(instanceDestinationId(id));
      return state === undefined ? [] : [[id, state]];
    }),
  );
}

function userOf({ id, userId }: Instance, users: ReadonlyMap<number, UserView>): UserView {
  const user = users.get(userId);
  if (user === undefined) throw new Error(`Instance ${id} belongs to no user`);
  return user;
}

/** The destination that an instance's configuration describes. @throws Refusal `invalid` naming the wrong key. */
export function draftOf(
  instance: Instance,
  config: Config,
): Extract<ReturnType<typeof destinationOf>, { ok: true }>["draft"] {
  const destination = destinationOf(instance, config.egress);
  if (!destination.ok) throw invalid(destination.message, destination.field);
  return destination.draft;
}

/** The instance as it is stored now. */
export async function readBack(
  db: D1Database,
  ring: Keyring,
  { id }: Pick<Instance, "id">,
): Promise<Instance> {
  const saved = await readInstance(db, ring, id);
  if (saved === undefined) throw notFound(`No instance ${id}`);
  return saved;
}
