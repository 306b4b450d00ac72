import { and, eq, or, sql } from "drizzle-orm";
import { users } from "./accounts";
import { destinations, exceptions } from "./delivery";
import { noted, type Step } from "./erasure-step";
import * as flow from "./flows";
import { inboundRoutes, instances } from "./instances";
import { rollups } from "./metering";
import { objects } from "./objects";
import { consumers } from "./operations";

type User = { id: number; organizationId: number };

/** The rows of an end user, their own last. */
export const stepsOfUser = (user: User): Step[] => [...ofFlows(user), ...ofSources(user)];

function ofFlows({ id, organizationId }: User): Step[] {
  const flows_ = sql`(SELECT ${flow.flows.id} FROM ${flow.flows} WHERE ${flow.flows.userId} = ${id})`;
  const instances_ = sql`(SELECT ${instances.id} FROM ${instances} WHERE ${instances.userId} = ${id})`;
  const isStep = sql`${destinations.kind} = 'flow-step' AND ${destinations.ownerId} IN ${flows_}`;
  return [
    { table: flow.flowTickets, where: eq(flow.flowTickets.userId, id) },
    { table: flow.unprocessed, where: eq(flow.unprocessed.userId, id) },
    { table: flow.flowStreams, where: sql`${flow.flowStreams.flowId} IN ${flows_}` },
    { table: flow.flowTriggers, where: eq(flow.flowTriggers.userId, id) },
    // Those of steps that render their addresses: the others are of addresses that others may call, too.
    noted(
      "endpoint",
      sql`${objects.organizationId} = ${organizationId} AND substr(${objects.name}, instr(${objects.name}, ' ') + 1) IN
        (SELECT ${destinations.id} FROM ${destinations} WHERE ${isStep})`,
    ),
    {
      table: destinations,
      where: and(
        eq(destinations.organizationId, organizationId),
        or(
          isStep,
          and(
            eq(destinations.kind, "instance"),
            sql`CAST(${destinations.ownerId} AS INTEGER) IN ${instances_}`,
          ),
        ),
      ),
    },
    { table: flow.flows, where: eq(flow.flows.userId, id) },
  ];
}

function ofSources({ id, organizationId }: User): Step[] {
  const source = `user:${id}`;
  const name = `${organizationId}/${source}`;
  const instances_ = sql`(SELECT ${instances.id} FROM ${instances} WHERE ${instances.userId} = ${id})`;
  return [
    { table: inboundRoutes, where: sql`${inboundRoutes.instanceId} IN ${instances_}` },
    {
      table: instances,
      where: eq(instances.userId, id),
      points: {
        key: instances.id,
        select: { id: instances.id },
        to: ({ id: instance }) => [
          { kind: "stream", name: `${organizationId}/instance:${instance}` },
        ],
      },
    },
    noted(
      "stream",
      and(eq(objects.organizationId, organizationId), eq(objects.name, name)) ?? sql`0`,
    ),
    { table: consumers, where: eq(consumers.stream, name) },
    {
      table: exceptions,
      where: and(eq(exceptions.organizationId, organizationId), eq(exceptions.stream, name)),
    },
    {
      table: rollups,
      where: and(eq(rollups.organizationId, organizationId), eq(rollups.source, source)),
    },
    {
      table: users,
      where: and(eq(users.id, id), eq(users.organizationId, organizationId)),
      points: {
        key: users.id,
        select: { id: users.id },
        to: () => [{ kind: "stream", name }],
      },
    },
  ];
}
