import { and, asc, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { tellDirectory } from "../db/directory/tell";
import { eventTypes } from "../db/event-types";
import { parseStored } from "../values/json";
import { isObject } from "../values/record";
import type { EventType } from "./event-type";

export type TypeRow = typeof eventTypes.$inferSelect;

/** A row's type. What is in it was checked when it was saved. */
export function typeOf(row: TypeRow): EventType {
  const { name, description, version, deprecated, conversions } = row;
  const schema = row.schema === null ? null : parseStored(row.schema);
  const example = parseStored(row.example);
  return {
    name,
    description,
    schema: isObject(schema) ? schema : null,
    example,
    version,
    deprecated,
    conversions,
  };
}

const named = (organizationId: number, name: string) =>
  and(eq(eventTypes.organizationId, organizationId), eq(eventTypes.name, name));

export async function readTypeRow(
  db: D1Database,
  organizationId: number,
  name: string,
): Promise<TypeRow | undefined> {
  const [row] = await drizzle(db).select().from(eventTypes).where(named(organizationId, name));
  return row;
}

/** The types after the name `after` of which the name holds `search`, by name. */
export async function listTypes(
  db: D1Database,
  organizationId: number,
  { after, search, limit }: { after: string; search: string; limit: number },
): Promise<EventType[]> {
  const rows = await drizzle(db)
    .select()
    .from(eventTypes)
    .where(
      and(
        eq(eventTypes.organizationId, organizationId),
        gt(eventTypes.name, after),
        sql`instr(lower(${eventTypes.name}), ${search.toLowerCase()}) > 0`,
      ),
    )
    .orderBy(asc(eventTypes.name))
    .limit(limit);
  return rows.map(typeOf);
}

/** The revision of each of an organization's types, by name. */
export async function readRevisions(
  db: D1Database,
  organizationId: number,
): Promise<Record<string, string>> {
  const rows = await drizzle(db)
    .select({ name: eventTypes.name, revision: eventTypes.revision })
    .from(eventTypes)
    .where(eq(eventTypes.organizationId, organizationId));
  return Object.fromEntries(rows.map(({ name, revision }) => [name, revision]));
}

/** How many types an organization has, and how many characters all of them are. */
export async function sizeOfTypes(
  db: D1Database,
  organizationId: number,
): Promise<{ types: number; characters: number }> {
  const { schema, example, conversions } = eventTypes;
  const [size] = await drizzle(db)
    .select({
      types: sql<number>`count(*)`,
      characters: sql<number>`coalesce(sum(coalesce(length(${schema}), 0) + length(${example}) + length(${conversions})), 0)`,
    })
    .from(eventTypes)
    .where(eq(eventTypes.organizationId, organizationId));
  return size ?? { types: 0, characters: 0 };
}

const valuesOf = ({ schema, example, ...type }: EventType, now: number) => ({
  ...type,
  schema: schema === null ? null : JSON.stringify(schema),
  example: JSON.stringify(example),
  revision: crypto.randomUUID(),
  updatedAt: now,
});

/** @returns false when there is one of this name. */
export async function insertType(
  db: D1Database,
  organizationId: number,
  type: EventType,
  now: number,
): Promise<boolean> {
  const rows = await drizzle(db)
    .insert(eventTypes)
    .values({ organizationId, ...valuesOf(type, now) })
    .onConflictDoNothing()
    .returning({ name: eventTypes.name });
  await tellDirectory(db, `organization:${organizationId}`);
  return rows.length === 1;
}

/** @returns false when the row is of another revision meanwhile. */
export async function replaceType(
  db: D1Database,
  { organizationId, name, revision }: TypeRow,
  type: EventType,
  now: number,
): Promise<boolean> {
  const rows = await drizzle(db)
    .update(eventTypes)
    .set(valuesOf(type, now))
    .where(and(named(organizationId, name), eq(eventTypes.revision, revision)))
    .returning({ name: eventTypes.name });
  await tellDirectory(db, `organization:${organizationId}`);
  return rows.length === 1;
}

/** @returns false when there is none. */
export async function deleteType(
  db: D1Database,
  organizationId: number,
  name: string,
): Promise<boolean> {
  const rows = await drizzle(db)
    .delete(eventTypes)
    .where(named(organizationId, name))
    .returning({ name: eventTypes.name });
  await tellDirectory(db, `organization:${organizationId}`);
  return rows.length === 1;
}
