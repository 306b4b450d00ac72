import type { Context } from "hono";
import type { Destination } from "../../delivery/destination";
import { endpointName } from "../../delivery/endpoint-name";
import type { EndpointView } from "../../delivery/endpoint.object";
import { countTroubles } from "../../delivery/exceptions.store";
import { troubledDestinations } from "../../delivery/standing.store";
import { flowNames } from "../../flows/names.store";
import type { Instance } from "../../instances/instance";
import { maybeTroubled } from "../../instances/list.store";
import { doorsOf } from "../../instances/lookup.io";
import { instanceNames } from "../../instances/names.store";
import type { Owners } from "../destination-name";
import type { ConsoleEnv } from "../session/session.io";
import { deadCauses, SHOWN, troubledCallbacks, troubledInstances, type Troubles } from "./trouble";

/** Instances that are looked at, of those that may be troubled. */
const LOOKED_AT = 50;
/** More dead or waiting notifications than so many are not counted. */
const COUNTED = 1_000;

/**
 * What needs attention, and what the newest instances are. Reads so many rows at most, however much the organization has;
 * objects are asked only of destinations that fail: whether their circuits are open.
 */
export async function readTroubles(
  c: Context<ConsoleEnv>,
): Promise<Troubles & { hasInstances: boolean }> {
  const { db, ring } = doorsOf(c);
  const { organizationId } = c.var.asker;
  const [counted, instances] = await Promise.all([
    countTroubles(db, organizationId, { most: COUNTED, groups: SHOWN }),
    maybeTroubled(db, ring, organizationId, LOOKED_AT),
  ]);
  const ids = counted.causes.map(({ destinationId }) => destinationId);
  const destinations = await troubledDestinations(db, ring, organizationId, { limit: SHOWN, ids });
  const [owners, circuits] = await Promise.all([
    ownersOf(c, destinations, instances),
    circuitsOf(c, destinations),
  ]);
  const byId = new Map(destinations.map((one) => [one.id, one]));
  return {
    ...counted,
    instances: troubledInstances(instances),
    callbacks: troubledCallbacks(destinations, circuits, owners),
    causes: deadCauses(counted.causes, byId, owners),
    hasInstances: instances.length > 0,
  };
}

async function ownersOf(
  c: Context<ConsoleEnv>,
  destinations: readonly Destination[],
  instances: readonly Instance[],
): Promise<Owners> {
  const { organizationId } = c.var.asker;
  const known = new Map(instances.map(({ id, name }) => [String(id), name]));
  const ownersIn = (kind: Destination["kind"]) =>
    destinations.filter((one) => one.kind === kind).map(({ ownerId }) => ownerId);
  const unknown = ownersIn("instance").filter((id) => !known.has(id));
  const [others, flows] = await Promise.all([
    instanceNames(c.env.DB, organizationId, unknown.map(Number)),
    flowNames(c.env.DB, organizationId, ownersIn("flow-step")),
  ]);
  for (const { id, name } of others) known.set(String(id), name);
  return { instances: known, flows };
}

/** The circuits of destinations that fail, by the destination's id. */
async function circuitsOf(
  c: Context<ConsoleEnv>,
  destinations: readonly Destination[],
): Promise<Map<string, EndpointView>> {
  const asked = destinations.flatMap(({ id, url, organizationId, ...standing }) =>
    url !== null && URL.canParse(url) && standing.failing !== null
      ? [{ id, name: endpointName(organizationId, url) }]
      : [],
  );
  const views = await Promise.all(
    asked.map(async ({ id, name }): Promise<[string, EndpointView]> => [
      id,
      await c.env.ENDPOINTS.getByName(name).view(),
    ]),
  );
  return new Map(views);
}
