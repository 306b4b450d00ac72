import type { Context } from "hono";
import { userNames } from "../accounts/users/names.store";
import { recogniseDestinations, type Recognised } from "../delivery/destinations.store";
import { flowNames } from "../flows/names.store";
import { instanceNames, newestInstances } from "../instances/names.store";
import { activeSources } from "../metering/store";
import { publishedSource } from "../publish/publication";
import { instanceOfSource, instanceSource } from "../stream/stream-name";
import { named, shortName } from "./destination-name";
import type { ConsoleEnv } from "./session/session.io";

/** A source in words. */
export type SourceName = {
  name: string;
  kind: "instance" | "user" | "scope" | "tenant" | "own";
  /** Its page; undefined: it has none. */
  href: string | undefined;
};

/** What sources are called; instances and users that the organization hasn't are absent. */
export async function namesOfSources(
  c: Context<ConsoleEnv>,
  sources: readonly string[],
  known: readonly { id: number; name: string }[] = [],
): Promise<Map<string, SourceName>> {
  const { organizationId } = c.var.asker;
  const have = new Set(known.map(({ id }) => id));
  const instanceIds = sources
    .flatMap((source) => instanceOfSource(source) ?? [])
    .filter((id) => !have.has(id));
  const userIds = sources.flatMap((source) => userOfSource(source) ?? []);
  const [instances, users] = await Promise.all([
    instanceNames(c.env.DB, organizationId, instanceIds),
    userNames(c.env.DB, organizationId, userIds),
  ]);
  return new Map<string, SourceName>([
    ...[...known, ...instances].map(({ id, name }): [string, SourceName] => [
      instanceSource(id),
      { name, kind: "instance", href: `/console/instances/${id}` },
    ]),
    ...users.map(({ id, name }): [string, SourceName] => [
      `user:${id}`,
      { name, kind: "user", href: `/console/apps/users/${id}` },
    ]),
    ...sources.flatMap((source): [string, SourceName][] => {
      const name = plainName(source);
      return name === undefined ? [] : [[source, name]];
    }),
  ]);
}

function userOfSource(source: string): number | undefined {
  const [, id] = /^user:([1-9]\d{0,14})$/.exec(source) ?? [];
  return id === undefined ? undefined : Number(id);
}

/** The name of a source that says itself what it is. */
function plainName(source: string): SourceName | undefined {
  if (source === "operations")
    return { name: "Notices about destinations", kind: "own", href: undefined };
  if (source === "notifications")
    return { name: "Published notifications", kind: "own", href: undefined };
  if (source.startsWith("test:"))
    return { name: "Tests of a destination", kind: "own", href: undefined };
  if (source === "scope:-")
    return { name: "Resources without a scope", kind: "scope", href: undefined };
  const [, tenant] = /^tenant:(.+)$/.exec(source) ?? [];
  if (tenant === "-")
    return { name: "Events published to no tenant", kind: "tenant", href: undefined };
  if (tenant !== undefined)
    return {
      name: `Events published to ${tenant}`,
      kind: "tenant",
      href: `/console/tenants/${tenant}`,
    };
  const [, kind, name] = /^scope:[^/]+\/([^/]+)\/(.+)$/.exec(source) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  return { name: `${kind} ${name}`, kind: "scope", href: undefined };
}

/** Sources of which something was counted since an instant, the latest first, then the newest instances: with names. */
export async function recentSources(
  c: Context<ConsoleEnv>,
  since: number,
  limit: number,
): Promise<Map<string, SourceName>> {
  const { organizationId } = c.var.asker;
  const [active, newest] = await Promise.all([
    activeSources(c.env.DB, organizationId, since, limit),
    newestInstances(c.env.DB, organizationId, limit),
  ]);
  const sources = [...new Set([...active, ...newest.map(({ id }) => instanceSource(id))])];
  const chosen = sources.slice(0, limit);
  const names = await namesOfSources(c, chosen, newest);
  return new Map(
    chosen.flatMap((source) => {
      const name = names.get(source);
      return name === undefined ? [] : [[source, name]];
    }),
  );
}

/** Where events were published since an instant, the latest first, and to no tenant: with names. */
export async function publishedSources(
  c: Context<ConsoleEnv>,
  since: number,
  limit: number,
): Promise<Map<string, SourceName>> {
  const { organizationId } = c.var.asker;
  const active = await activeSources(c.env.DB, organizationId, since, limit, publishedSource(""));
  return namesOfSources(c, [...new Set([...active, publishedSource(null)])]);
}

/** What destinations are called, by id: those named and, at most `others`, more of the organization's. */
export async function namesOfDestinations(
  c: Context<ConsoleEnv>,
  ids: readonly string[],
  others = 0,
): Promise<Map<string, string>> {
  if (ids.length === 0 && others === 0) return new Map();
  const { organizationId } = c.var.asker;
  const found = await recogniseDestinations(c.env.DB, organizationId, [...new Set(ids)], others);
  const steps = found.filter(({ kind }) => kind === "flow-step");
  const flows = await flowNames(
    c.env.DB,
    organizationId,
    steps.map(({ ownerId }) => ownerId),
  );
  return new Map(found.map((one) => [one.id, shortName(one, flows.get(one.ownerId))]));
}

/** What a destination is called, beside nothing else, and the page of what it belongs to. */
export async function nameOfDestination(
  c: Context<ConsoleEnv>,
  destination: Recognised,
): Promise<{ name: string; href: string | undefined }> {
  const { organizationId } = c.var.asker;
  const { kind, ownerId } = destination;
  const [instances, flows] = await Promise.all([
    instanceNames(c.env.DB, organizationId, kind === "instance" ? [Number(ownerId)] : []),
    flowNames(c.env.DB, organizationId, kind === "flow-step" ? [ownerId] : []),
  ]);
  return named(destination, {
    instances: new Map(instances.map(({ id, name }) => [String(id), name])),
    flows,
  });
}
