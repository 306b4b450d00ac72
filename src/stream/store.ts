/** The rows that a stream read, wrote and purged since its object woke up. */
export type Meter = { rowsRead: number; rowsWritten: number; purged: number };

type Entry = { key: string; value: string };

/**
 * A stream's SQL, with its rows counted. Its tables (`stream.object.ts` shows them at work):
 *
 * | table      | a row is                                                                                          |
 * |------------|---------------------------------------------------------------------------------------------------|
 * | `ledger`   | the id of one event that was purged and may be shown again, or came with a version before         |
 * | `segments` | up to 1,000 events of one flush with their data; `part` > 0 continues a row of more than 1.5 MB   |
 * | `bundles`  | up to ten notifications with state and attempts (`body`); of a small commit also the events       |
 * |            | (`segment`, `count` of them) and the stream's `head`; `events_to` is the highest event number     |
 * |            | when it was committed                                                                             |
 * | `postings` | which of 256 or more events, or notifications, have which keys (`search/postings.io.ts`) or ids   |
 * | `ordering` | one notification in the line of one ordering key; only for destinations that ask for order        |
 * | `state`    | one key of the source's own state, for example a content hash                                     |
 * | `traces`   | what came and became no event (`traces/store.ts`)                                                 |
 * | `meta`     | head, settings, jobs and progress of the stream itself (`meta.ts`)                                |
 *
 * Rows written are what a stream costs, so an event that comes alone writes four in its life: its bundle with the event
 * and the head inline, the alarm, the bundle again when it is settled, and when it is purged. Events and notifications are numbered in the order they came,
 * each on their own; a bundle's id is the number of its first notification, a segment's key that of its first event.
 * That is what lets rows be found by binary search without further indexes (`log/event-rows.store.ts`).
 */
export class StreamStore {
  readonly meter: Meter = { rowsRead: 0, rowsWritten: 0, purged: 0 };
  private readonly sql: SqlStorage;
  private hasTables: boolean;

  constructor(sql: SqlStorage) {
    this.sql = sql;
    const lacking = columnLacking(sql);
    this.hasTables = lacking !== "all";
    if (lacking !== "all" && lacking !== "none") upgrade(sql, lacking);
    if (this.hasTables) this.makeTables();
  }

  /** After a transaction that was rolled back: the tables may have been made in it. */
  forget(): void {
    this.hasTables = columnLacking(this.sql) === "none";
  }

  /** Before something is stored: an object that is only asked stores nothing, not even tables. */
  private makeTables(): void {
    this.hasTables = true;
    this.sql.exec(`
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS ledger (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, date INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS segments (seq INTEGER, part INTEGER, at INTEGER NOT NULL, body TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (seq, part)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS bundles (id INTEGER PRIMARY KEY, next_at INTEGER, later INTEGER NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL, segment TEXT, count INTEGER NOT NULL, events_to INTEGER NOT NULL, head TEXT);
      CREATE INDEX IF NOT EXISTS bundles_later ON bundles (next_at) WHERE later = 1;
      CREATE TABLE IF NOT EXISTS postings (kind TEXT, level INTEGER, block INTEGER, first REAL, body BLOB NOT NULL, PRIMARY KEY (kind, level, block, first)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS ordering (key TEXT, seq INTEGER, PRIMARY KEY (key, seq)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS traces (id INTEGER PRIMARY KEY, proved INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL);
    `);
  }

  meta(key: string): string | null {
    return (
      this.first<{ value: string }>("SELECT value FROM meta WHERE key = ?", key)?.value ?? null
    );
  }

  /** Values of all keys that begin with `prefix`. */
  metaValues(prefix: string): string[] {
    return this.run<{ value: string }>(
      "SELECT value FROM meta WHERE key >= ? AND key < ? ORDER BY key",
      prefix,
      `${prefix}\u{10ffff}`,
    ).map(({ value }) => value);
  }

  setMeta(key: string, value: string | null): void {
    this.set("meta", key, value);
  }

  state(keys: readonly string[]): Record<string, string> {
    const rows = this.run<Entry>(
      "SELECT key, value FROM state WHERE key IN (SELECT value FROM json_each(?))",
      JSON.stringify(keys),
    );
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  }

  /** Keyed state in key order, from after `after`: for sources that must see all of it, page by page. */
  statePage(prefix: string, after: string, limit: number): Entry[] {
    return this.run<Entry>(
      "SELECT key, value FROM state WHERE key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
      after,
      prefix,
      `${prefix}\u{10ffff}`,
      limit,
    );
  }

  setState(key: string, value: string | null): void {
    this.set("state", key, value);
  }

  first<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: SqlStorageValue[]
  ): T | undefined {
    return this.run<T>(query, ...bindings)[0];
  }

  run<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: SqlStorageValue[]
  ): T[] {
    if (!this.hasTables) {
      if (!query.startsWith("INSERT")) return [];
      this.makeTables();
    }
    const cursor = this.sql.exec<T>(query, ...bindings);
    const rows = cursor.toArray();
    this.meter.rowsRead += cursor.rowsRead;
    this.meter.rowsWritten += cursor.rowsWritten;
    return rows;
  }

  private set(table: "meta" | "state", key: string, value: string | null): void {
    if (value === null) this.run(`DELETE FROM ${table} WHERE key = ?`, key);
    else
      this.run(
        `INSERT INTO ${table} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        key,
        value,
      );
  }
}

type Lacking = "none" | "head" | "later" | "all";

/** What the tables lack that an object left. To list their columns would read a row for each, so one is asked for. */
function columnLacking(sql: SqlStorage): Lacking {
  try {
    sql.exec("SELECT later, head FROM bundles LIMIT 0");
    return "none";
  } catch (error) {
    if (String(error).includes("no such column: later")) return "later";
    if (String(error).includes("no such column: head")) return "head";
    if (String(error).includes("no such table")) return "all";
    throw error;
  }
}

/** Adds the columns that tables of before lack. */
function upgrade(sql: SqlStorage, lacking: Lacking): void {
  if (lacking === "later")
    // Release 0.1.0 had neither inline events nor deferred bundles.
    sql.exec(`
      DROP INDEX bundles_due;
      ALTER TABLE bundles ADD COLUMN later INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE bundles ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE bundles ADD COLUMN segment TEXT;
      ALTER TABLE bundles ADD COLUMN count INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE bundles ADD COLUMN events_to INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE segments ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
    `);
  sql.exec("ALTER TABLE bundles ADD COLUMN head TEXT");
}
