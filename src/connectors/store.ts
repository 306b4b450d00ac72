import { and, eq, inArray, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { builtIn, findConnector } from "./catalog";
import { type Connector, connectorSchema } from "./definition";
import { sealedDefinition } from "./sealed-definition";
import { userConnectors } from "../db/connectors";
import { nextId } from "../db/counters";
import { formOf, Section } from "../db/directory/find";
import { tellDirectory } from "../db/directory/tell";
import type { Keyring } from "../db/sealed";
import { Cache } from "../values/cache";
import { numericId } from "../values/whole-number";

/** Ids of connectors that organizations made begin here; built-in ones have smaller ids. */
const FIRST_ID = 1_000_000;
/** How long an isolate may use a definition that was changed elsewhere. */
const CACHED_MS = 5_000;
const MOST_CACHED = 2_000;

const cache = new Cache<string, Connector | "unknown">(MOST_CACHED);
const nameOf = (organizationId: number, key: string): string => `${organizationId}/${key}`;
const section = new Section<Row>(formOf(userConnectors));

type Row = typeof userConnectors.$inferSelect;

/** The connector of this key or id: a built-in one, else one that the organization made. */
export async function connectorOf(
  db: D1Database,
  organizationId: number,
  keyOrId: string | number,
): Promise<Connector | undefined> {
  const shared = findConnector(keyOrId);
  if (shared !== undefined) return shared;
  const text = String(keyOrId).toLowerCase();
  const id = numericId(text) ?? -1;
  const [row] = await drizzle(db)
    .select()
    .from(userConnectors)
    .where(
      and(
        eq(userConnectors.organizationId, organizationId),
        or(eq(userConnectors.key, text), eq(userConnectors.id, id)),
      ),
    );
  return row === undefined ? undefined : readDefinition(row.definition);
}

/** A connector that any organization made, by the id in its app-wide webhook URL. */
export async function connectorOfId(db: D1Database, text: string): Promise<Connector | undefined> {
  if (!/^\d{7,15}$/.test(text)) return undefined;
  const name = `connector:${Number(text)}`;
  const found = await section.find([name], async () => {
    const rows = await drizzle(db)
      .select()
      .from(userConnectors)
      .where(eq(userConnectors.id, Number(text)));
    return new Map(rows.map((row) => [name, row]));
  });
  const row = found.get(name);
  return row === undefined ? undefined : readDefinition(row.definition);
}

/** The organization that made the connector of this id; 0 for a built-in one, and for one that is gone. */
export async function organizationOfConnector(db: D1Database, id: number): Promise<number> {
  if (id < FIRST_ID) return 0;
  const [row] = await drizzle(db)
    .select({ organizationId: userConnectors.organizationId })
    .from(userConnectors)
    .where(eq(userConnectors.id, id));
  return row?.organizationId ?? 0;
}

/** The connectors of many instances at once: built-in ones without I/O, others cached for some seconds. */
export async function connectorsOf(
  db: D1Database,
  wanted: readonly { organizationId: number; key: string }[],
  now: number,
): Promise<(organizationId: number, key: string) => Connector | undefined> {
  const own = new Map(
    wanted
      .filter(({ key }) => findConnector(key) === undefined)
      .map(({ organizationId, key }) => [nameOf(organizationId, key), [organizationId, key]]),
  );
  const found = await cache.getAll(own.keys(), { now, until: now + CACHED_MS }, async (missing) => {
    const rows = await section.find(missing.map(placeOf), () =>
      readNamed(
        db,
        missing.flatMap((name) => [own.get(name) ?? []]),
      ),
    );
    return new Map(
      missing.map((name): [string, Connector | "unknown"] => {
        const row = rows.get(placeOf(name));
        return [name, (row === undefined ? undefined : readListed(row)) ?? "unknown"];
      }),
    );
  });
  return (organizationId, key) => {
    const one = findConnector(key) ?? found.get(nameOf(organizationId, key));
    return one === "unknown" ? undefined : one;
  };
}

const placeOf = (name: string): string => `connectors:${name}`;

async function readNamed(
  db: D1Database,
  pairs: readonly (readonly (string | number)[])[],
): Promise<Map<string, Row>> {
  const rows = await drizzle(db)
    .select()
    .from(userConnectors)
    .where(
      sql`(${userConnectors.organizationId}, ${userConnectors.key}) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(${JSON.stringify(pairs)}))`,
    );
  return new Map(rows.map((row) => [placeOf(nameOf(row.organizationId, row.key)), row]));
}

/** Built-in connectors and the organization's own, in that order. */
export async function listConnectors(
  db: D1Database,
  organizationId: number,
): Promise<readonly Connector[]> {
  const rows = await drizzle(db)
    .select()
    .from(userConnectors)
    .where(eq(userConnectors.organizationId, organizationId))
    .orderBy(userConnectors.id);
  return [...builtIn, ...rows.flatMap((row) => readListed(row) ?? [])];
}

/** @returns the connector with its id, or undefined when the organization has one of this key. */
export async function insertConnector(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  definition: Omit<Connector, "id">,
  now: number,
): Promise<Connector | undefined> {
  const id = await nextId(db, "connectors", FIRST_ID);
  const connector: Connector = { ...definition, id };
  const rows = await drizzle(db)
    .insert(userConnectors)
    .values({
      id: connector.id,
      organizationId,
      key: connector.key,
      definition: sealedDefinition(ring, connector),
      createdAt: now,
      updatedAt: now,
    })
    .onConflictDoNothing()
    .returning({ id: userConnectors.id });
  cache.delete(nameOf(organizationId, connector.key));
  return rows.length === 0 ? undefined : connector;
}

export async function updateConnector(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  connector: Connector,
  now: number,
): Promise<void> {
  await drizzle(db)
    .update(userConnectors)
    .set({ definition: sealedDefinition(ring, connector), updatedAt: now })
    .where(
      and(
        eq(userConnectors.organizationId, organizationId),
        inArray(userConnectors.id, [connector.id]),
      ),
    );
  await tellDirectory(db, `connector:${connector.id}`);
  cache.delete(nameOf(organizationId, connector.key));
}

/** @param unused a condition in SQL. @returns false, deleting nothing, while it does not hold. */
export async function deleteConnector(
  db: D1Database,
  organizationId: number,
  { id, key }: Connector,
  unused: SQL,
): Promise<boolean> {
  const rows = await drizzle(db)
    .delete(userConnectors)
    .where(
      and(eq(userConnectors.organizationId, organizationId), eq(userConnectors.id, id), unused),
    )
    .returning({ id: userConnectors.id });
  await tellDirectory(db, `connector:${id}`);
  cache.delete(nameOf(organizationId, key));
  return rows.length === 1;
}

export function countConnectors(db: D1Database, organizationId: number): Promise<number> {
  return drizzle(db).$count(userConnectors, eq(userConnectors.organizationId, organizationId));
}

/** The definition was checked when it was saved, but the schema may have changed since. */
function readDefinition(definition: Record<string, unknown>): Connector {
  return connectorSchema.parse(definition);
}

/** One of several: a definition that cannot be read is left out and logged, and the others are there. */
function readListed({ id, definition }: Row): Connector | undefined {
  try {
    return readDefinition(definition);
  } catch (error) {
    console.error(JSON.stringify({ at: "connectors.read", connectorId: id, error: String(error) }));
    return undefined;
  }
}
