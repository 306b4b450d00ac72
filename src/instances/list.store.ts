import { and, desc, eq, inArray, ne, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { instances, IS_TROUBLED, type PollerDisabled } from "../db/instances";
import type { Keyring } from "../db/sealed";
import type { Instance } from "./instance";
import { opened, rowColumns, skipUnreadable } from "./store";

/** Lists of an organization's instances. One whose secrets no key opens is left out, and logged. */

export type InstanceFilter = {
  tags: string[];
  searchText: string | undefined;
  elementKey: string | undefined;
};

/** An organization's instances, oldest first. */
export async function listInstances(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  filter: InstanceFilter,
  page: { offset: number; limit: number },
): Promise<{ items: Instance[]; total: number }> {
  const search = filter.searchText?.toLowerCase();
  const where = and(
    eq(instances.organizationId, organizationId),
    filter.elementKey === undefined ? undefined : eq(instances.elementKey, filter.elementKey),
    search === undefined ? undefined : sql`instr(lower(${instances.name}), ${search}) > 0`,
    ...filter.tags.map(
      (tag) => sql`EXISTS (SELECT 1 FROM json_each(${instances.tags}) WHERE value = ${tag})`,
    ),
  );
  const orm = drizzle(db);
  const [rows, total] = await Promise.all([
    orm
      .select(rowColumns)
      .from(instances)
      .where(where)
      .orderBy(instances.id)
      .limit(page.limit)
      .offset(page.offset),
    orm.$count(instances, where),
  ]);
  return { items: await opened(db, rows, ring, { onError: skipUnreadable }), total };
}

/** The instances in `active`, in that order, then the newest ones, at most `limit` together. */
export async function recentInstances(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  limit: number,
  active: readonly number[] = [],
): Promise<Instance[]> {
  const ofOrganization = eq(instances.organizationId, organizationId);
  const named = sql`(SELECT value FROM json_each(${JSON.stringify(active)}))`;
  const [activeOnes, newest] = await drizzle(db).batch([
    drizzle(db)
      .select(rowColumns)
      .from(instances)
      .where(and(ofOrganization, inArray(instances.id, named))),
    drizzle(db)
      .select(rowColumns)
      .from(instances)
      .where(ofOrganization)
      .orderBy(desc(instances.id))
      .limit(limit),
  ]);
  const order = new Map(active.map((id, index) => [id, index]));
  const first = activeOnes.toSorted((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  const rest = newest.filter(({ id }) => !order.has(id));
  const chosen = [...first, ...rest].slice(0, limit);
  return opened(db, chosen, ring, { onError: skipUnreadable });
}

/**
 * Where to look for what needs attention: the newest instances, since what was set up wrong is so from the start, and
 * those that are known to get nothing, however old; at most `limit` of each, none twice.
 */
export async function maybeTroubled(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  limit: number,
): Promise<Instance[]> {
  const newestWhere = (where: SQL | undefined) =>
    drizzle(db)
      .select(rowColumns)
      .from(instances)
      .where(and(eq(instances.organizationId, organizationId), where))
      .orderBy(desc(instances.id))
      .limit(limit);
  const [troubled, newest] = await drizzle(db).batch([
    newestWhere(sql.raw(`(${IS_TROUBLED})`)),
    newestWhere(undefined),
  ]);
  const known = new Set(troubled.map(({ id }) => id));
  const rows = [...troubled, ...newest.filter(({ id }) => !known.has(id))];
  return opened(db, rows, ring, { onError: skipUnreadable });
}

export async function listPollerDisabled(
  db: D1Database,
  organizationId: number,
): Promise<{ id: number; elementKey: string; pollerDisabled: PollerDisabled | null }[]> {
  return drizzle(db)
    .select({
      id: instances.id,
      elementKey: instances.elementKey,
      pollerDisabled: instances.pollerDisabled,
    })
    .from(instances)
    .where(
      and(
        eq(instances.organizationId, organizationId),
        sql`${instances.pollerDisabled} IS NOT NULL`,
      ),
    )
    .orderBy(instances.id);
}

/** The first instances of a connector, by their names. */
export async function instancesOfConnector(
  db: D1Database,
  organizationId: number,
  key: string,
  limit: number,
): Promise<{ id: number; name: string }[]> {
  return drizzle(db)
    .select({ id: instances.id, name: instances.name })
    .from(instances)
    .where(and(eq(instances.organizationId, organizationId), eq(instances.elementKey, key)))
    .orderBy(instances.id)
    .limit(limit);
}

/** Ids of an organization's instances of a connector but for one, oldest first, at most `most`. */
export async function otherInstances(
  db: D1Database,
  organizationId: number,
  { elementKey, but }: { elementKey: string; but: number },
  most: number,
): Promise<number[]> {
  const rows = await drizzle(db)
    .select({ id: instances.id })
    .from(instances)
    .where(
      and(
        eq(instances.organizationId, organizationId),
        eq(instances.elementKey, elementKey),
        ne(instances.id, but),
      ),
    )
    .orderBy(instances.id)
    .limit(most);
  return rows.map(({ id }) => id);
}

/** The connector keys of an organization's instances, by id. */
export async function connectorKeys(
  db: D1Database,
  organizationId: number,
): Promise<Map<number, string>> {
  const rows = await drizzle(db)
    .select({ id: instances.id, key: instances.elementKey })
    .from(instances)
    .where(eq(instances.organizationId, organizationId));
  return new Map(rows.map(({ id, key }) => [id, key]));
}
