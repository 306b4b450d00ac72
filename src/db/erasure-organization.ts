import { and, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import * as accounts from "./accounts";
import { userConnectors } from "./connectors";
import { destinations, exceptions } from "./delivery";
import { noted, objectKinds, type Reference, type Step } from "./erasure-step";
import { eventTypes } from "./event-types";
import * as flow from "./flows";
import { oauthApplications } from "./hub";
import { inboundRoutes, instances } from "./instances";
import { rollups, usageDestinations, usageDetails, usageTotals } from "./metering";
import { objects } from "./objects";
import { consumers } from "./operations";
import { resourceChanges, resourceCursors, resources } from "./resources";
import { jobs } from "./stream";
import { connectSessions, portalSessions, tenants } from "./tenants";

/** The rows of an organization, its own last. */
export const stepsOfOrganization = (id: number): Step[] => [
  ...ofFlows(id),
  ...ofSources(id),
  ...ofResources(id),
  ...ofOperations(id),
  ...ofAccounts(id),
];

const streamOf = (id: number, source: string | number | null | undefined): Reference => ({
  kind: "stream",
  name: `${id}/${source}`,
});

function ofFlows(id: number): Step[] {
  const { users } = accounts;
  const has = (column: SQLiteColumn) => eq(column, id);
  const users_ = sql`(SELECT ${users.id} FROM ${users} WHERE ${has(users.organizationId)})`;
  return [
    { table: flow.flowTickets, where: sql`${flow.flowTickets.userId} IN ${users_}` },
    { table: flow.unprocessed, where: sql`${flow.unprocessed.userId} IN ${users_}` },
    {
      table: flow.flowStreams,
      where: sql`${flow.flowStreams.flowId} IN (SELECT ${flow.flows.id} FROM ${flow.flows} WHERE ${has(flow.flows.organizationId)})`,
    },
    { table: flow.flowTriggers, where: has(flow.flowTriggers.organizationId) },
    { table: flow.flows, where: has(flow.flows.organizationId) },
  ];
}

function ofSources(id: number): Step[] {
  const has = (column: SQLiteColumn) => eq(column, id);
  return [
    {
      table: inboundRoutes,
      where: sql`${inboundRoutes.instanceId} IN (SELECT ${instances.id} FROM ${instances} WHERE ${has(instances.organizationId)})`,
    },
    ...objectKinds.map((kind) => noted(kind, has(objects.organizationId))),
    {
      table: instances,
      where: has(instances.organizationId),
      points: {
        key: instances.id,
        select: { id: instances.id, element: instances.elementKey },
        to: ({ id: instance, element }) => [
          streamOf(id, `instance:${instance}`),
          { kind: "budget", name: `${id}/${element}` },
        ],
      },
    },
    {
      table: destinations,
      where: has(destinations.organizationId),
      points: {
        key: destinations.id,
        select: { id: destinations.id, url: destinations.url },
        to: ({ url }) =>
          typeof url === "string" ? [{ kind: "endpoint", organizationId: id, url }] : [],
      },
    },
  ];
}

function ofResources(id: number): Step[] {
  const has = (column: SQLiteColumn) => eq(column, id);
  return [
    {
      table: resourceChanges,
      where: has(resourceChanges.organizationId),
      points: {
        key: resourceChanges.seq,
        select: {
          seq: resourceChanges.seq,
          group: resourceChanges.group,
          scope: resourceChanges.scope,
        },
        to: ({ group, scope }) => [
          streamOf(id, "scope:-"),
          ...(scope === "" ? [] : [streamOf(id, `scope:${group}/${scope}`)]),
        ],
      },
    },
    { table: resources, where: has(resources.organizationId) },
    { table: resourceCursors, where: has(resourceCursors.organizationId) },
    {
      table: rollups,
      where: has(rollups.organizationId),
      points: {
        key: rollups.source,
        select: { source: rollups.source },
        to: ({ source }) => (String(source).includes(":") ? [streamOf(id, source)] : []),
      },
    },
  ];
}

function ofOperations(id: number): Step[] {
  const has = (column: SQLiteColumn) => eq(column, id);
  return [
    { table: consumers, where: startsWith(consumers.stream, `${id}/`) },
    { table: exceptions, where: has(exceptions.organizationId) },
    { table: usageTotals, where: has(usageTotals.organizationId) },
    { table: usageDetails, where: has(usageDetails.organizationId) },
    { table: usageDestinations, where: has(usageDestinations.organizationId) },
    { table: jobs, where: has(jobs.organizationId) },
    { table: oauthApplications, where: has(oauthApplications.organizationId) },
    { table: userConnectors, where: has(userConnectors.organizationId) },
    { table: eventTypes, where: has(eventTypes.organizationId) },
  ];
}

function ofAccounts(id: number): Step[] {
  const { members, memberships, organizations, users } = accounts;
  const has = (column: SQLiteColumn) => eq(column, id);
  const memberIds = sql`(SELECT ${memberships.memberId} FROM ${memberships} WHERE ${has(memberships.organizationId)})`;
  return [
    { table: accounts.apiKeys, where: has(accounts.apiKeys.organizationId) },
    { table: accounts.memberSessions, where: has(accounts.memberSessions.organizationId) },
    // Whoever belongs to no other organization, with all that they sign in with.
    {
      table: members,
      where: and(
        sql`${members.id} IN ${memberIds}`,
        sql`NOT EXISTS (SELECT 1 FROM ${memberships} AS other WHERE other.member_id = ${members.id} AND other.organization_id <> ${id})`,
      ),
    },
    { table: memberships, where: has(memberships.organizationId) },
    {
      table: users,
      where: has(users.organizationId),
      points: {
        key: users.id,
        select: { id: users.id },
        to: ({ id: user }) => [streamOf(id, `user:${user}`), streamOf(id, "operations")],
      },
    },
    { table: portalSessions, where: has(portalSessions.organizationId) },
    { table: connectSessions, where: has(connectSessions.organizationId) },
    { table: tenants, where: has(tenants.organizationId) },
    { table: accounts.audit, where: has(accounts.audit.organizationId) },
    // Only rows that were written while the others were deleted keep it.
    { table: organizations, where: eq(organizations.id, id) },
  ];
}

/** `0` is the character after `/`. */
const startsWith = (column: SQLiteColumn, prefix: string): SQL | undefined =>
  and(gte(column, prefix), lt(column, `${prefix.slice(0, -1)}0`));
