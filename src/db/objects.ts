import { and, eq, gte, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * The Durable Objects that store something of an organization: the platform has no list of them, and whoever deletes an
 * organization needs one. An object writes itself down before it first stores anything.
 */
export const objects = sqliteTable(
  "objects",
  {
    organizationId: integer("organization_id").notNull(),
    kind: text({ enum: ["stream", "endpoint", "budget"] }).notNull(),
    /** The name it is reached by, which begins with the organization's id and a slash. */
    name: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.kind, table.name] })],
);

export type ObjectKind = (typeof objects.$inferSelect)["kind"];

/** Writes down that an object stores something, once. A name without an organization is nobody's. */
export async function noteObject(db: D1Database, kind: ObjectKind, name: string): Promise<void> {
  const organizationId = Number(name.slice(0, name.indexOf("/")));
  if (!Number.isSafeInteger(organizationId) || organizationId <= 0) return;
  await drizzle(db).insert(objects).values({ organizationId, kind, name }).onConflictDoNothing();
}

/** The statement that writes down the streams of the sources that a query finds: columns `organization_id` and `source`. */
export const prepareStreamNotes = (db: D1Database, query: string): D1PreparedStatement =>
  db.prepare(
    `INSERT OR IGNORE INTO objects (organization_id, kind, name)
     SELECT DISTINCT organization_id, 'stream', organization_id || '/' || source FROM (${query}) WHERE source LIKE '%:%'`,
  );

/** The names of an organization's streams of one kind of source (`scope:`), at most `limit`. */
export async function notedStreams(
  db: D1Database,
  organizationId: number,
  kind: string,
  limit: number,
): Promise<string[]> {
  const prefix = `${organizationId}/${kind}`;
  const rows = await drizzle(db)
    .select({ name: objects.name })
    .from(objects)
    .where(
      and(
        eq(objects.organizationId, organizationId),
        eq(objects.kind, "stream"),
        gte(objects.name, prefix),
        lt(objects.name, `${prefix}\u{10ffff}`),
      ),
    )
    .limit(limit);
  return rows.map(({ name }) => name);
}

/** Forgets an object that stores nothing any more. Called from within it, while nothing else can happen there. */
export async function forgetObject(db: D1Database, kind: ObjectKind, name: string): Promise<void> {
  await drizzle(db)
    .delete(objects)
    .where(and(eq(objects.kind, kind), eq(objects.name, name)));
}

/** Notes an object, at most once while it lives in memory, without keeping it waiting; after a failure once more. */
export class Note {
  private isDone = false;
  private readonly state: DurableObjectState;
  private readonly db: D1Database;
  private readonly kind: ObjectKind;

  constructor(state: DurableObjectState, db: D1Database, kind: ObjectKind) {
    this.state = state;
    this.db = db;
    this.kind = kind;
  }

  /** @returns whether this was the first time. */
  take(): boolean {
    const { name } = this.state.id;
    if (this.isDone || name === undefined) return false;
    this.isDone = true;
    this.state.waitUntil(
      noteObject(this.db, this.kind, name).catch((error: unknown) => {
        this.isDone = false;
        console.error(JSON.stringify({ at: "objects", object: name, error: String(error) }));
      }),
    );
    return true;
  }

  /** What was noted is erased. */
  forget(): void {
    this.isDone = false;
  }
}
