import { and, eq, type SQL, sql } from "drizzle-orm";
import { hasNothing } from "./belongings";
import { destinations, exceptions } from "./delivery";
import { noted, type Step } from "./erasure-step";
import { inboundRoutes, instances } from "./instances";
import { rollups } from "./metering";
import { objects } from "./objects";
import { consumers } from "./operations";
import { connectSessions, portalSessions, tenants } from "./tenants";

type Tenant = { id: string; organizationId: number };

/** The rows of a tenant, its own last. Its users are subjects of their own, whose deletion began with the tenant's. */
export const stepsOfTenant = (tenant: Tenant): Step[] => [
  ...ofSources(tenant),
  ...ofItself(tenant),
];

const instancesOf = ({ id, organizationId }: Tenant): SQL | undefined =>
  and(eq(instances.organizationId, organizationId), eq(instances.tenantId, id));

function ofSources(tenant: Tenant): Step[] {
  const { id, organizationId } = tenant;
  const isOf = instancesOf(tenant);
  const ids = sql`(SELECT ${instances.id} FROM ${instances} WHERE ${isOf})`;
  const sources = sql`(SELECT ${`tenant:${id}`} AS source
    UNION ALL SELECT 'instance:' || ${instances.id} FROM ${instances} WHERE ${isOf})`;
  const streams = sql`(SELECT ${`${organizationId}/`} || source FROM ${sources})`;
  return [
    {
      table: exceptions,
      where: and(
        eq(exceptions.organizationId, organizationId),
        sql`${exceptions.stream} IN ${streams}`,
      ),
    },
    { table: consumers, where: sql`${consumers.stream} IN ${streams}` },
    {
      table: rollups,
      where: and(eq(rollups.organizationId, organizationId), sql`${rollups.source} IN ${sources}`),
    },
    { table: inboundRoutes, where: sql`${inboundRoutes.instanceId} IN ${ids}` },
    // Their addresses others may call, too: what guards these stays.
    {
      table: destinations,
      where: and(eq(destinations.organizationId, organizationId), eq(destinations.tenantId, id)),
    },
    {
      table: instances,
      where: isOf,
      points: {
        key: instances.id,
        select: { id: instances.id },
        to: ({ id: instance }) => [
          { kind: "stream", name: `${organizationId}/instance:${instance}` },
        ],
      },
    },
  ];
}

function ofItself({ id, organizationId }: Tenant): Step[] {
  const stream = `${organizationId}/tenant:${id}`;
  const isOwn = and(eq(objects.organizationId, organizationId), eq(objects.name, stream));
  return [
    {
      table: portalSessions,
      where: and(
        eq(portalSessions.organizationId, organizationId),
        eq(portalSessions.tenantId, id),
      ),
    },
    {
      table: connectSessions,
      where: and(
        eq(connectSessions.organizationId, organizationId),
        eq(connectSessions.tenantId, id),
      ),
    },
    noted("stream", isOwn ?? sql`0`),
    {
      table: tenants,
      where: and(
        eq(tenants.organizationId, organizationId),
        eq(tenants.id, id),
        hasNothing(organizationId, id),
      ),
      points: {
        key: tenants.id,
        select: { id: tenants.id },
        to: () => [{ kind: "stream", name: stream }],
      },
    },
  ];
}
