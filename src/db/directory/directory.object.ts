import { DurableObject } from "cloudflare:workers";
import type { Millis } from "../../values/instant";

/** An entry is read anew from D1 after this time, whether or not anybody said that it is outdated. */
const LIFE_MS = 86_400_000;

const TABLE =
  "CREATE TABLE entries (version INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, form TEXT, text TEXT, at INTEGER NOT NULL)";

/** An entry that an isolate asks for, in the form that it reads; `has`: the version that it has in memory. */
export type Wanted = { key: string; form: string; has?: number | undefined };

/** `same`: what the isolate has holds. `unknown`: it is to be read from D1, and may be kept as of this version. */
export type Found =
  | { kind: "same" }
  | { kind: "known"; version: number; text: string }
  | { kind: "unknown"; version: number };

export type Kept = { key: string; form: string; version: number; text: string };

type Row = { version: number; key: string; form: string | null; text: string | null; at: number };

/**
 * A part of the directory: what D1 says of some things, as text (`find.ts`). Every change of an entry gives it a higher
 * version than any before, so what was read from D1 before a change is not kept after it:
 *
 *     isolate A asks for `instance:17`: unknown, version 0; it reads the row from D1
 *     isolate B changes the row, and drops `instance:17`: version 5, without text
 *     isolate A wants to keep what it read, as of version 0: refused
 */
export class Directory extends DurableObject<Env> {
  private isMade: boolean;
  private isArmed = false;
  private readonly sql: SqlStorage;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.sql = state.storage.sql;
    const made = this.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'entries'").toArray();
    this.isMade = made.length > 0;
    void state.blockConcurrencyWhile(async () => {
      this.isArmed = (await state.storage.getAlarm()) !== null;
    });
  }

  /** What is known, in the order in which it was asked for. */
  find(wanted: Wanted[]): Found[] {
    const now = Date.now();
    const rows = this.rows(wanted.map(({ key }) => key));
    return wanted.map(({ key, form, has }) => {
      const row = rows.get(key);
      if (row === undefined || row.at + LIFE_MS <= now) return this.expired(row);
      if (row.text === null || row.form !== form) return { kind: "unknown", version: row.version };
      if (row.version === has) return { kind: "same" };
      return { kind: "known", version: row.version, text: row.text };
    });
  }

  /** Keeps what was read from D1, unless it was dropped since. */
  keep(kept: Kept[]): void {
    const now = Date.now();
    this.make(now);
    const rows = this.rows(kept.map(({ key }) => key));
    for (const { key, form, version, text } of kept)
      if ((rows.get(key)?.version ?? 0) === version) this.write(key, form, text, now);
  }

  /** These entries no longer hold. */
  drop(keys: string[]): void {
    const now = Date.now();
    this.make(now);
    for (const key of keys) this.write(key, null, null, now);
  }

  /** Forgets what is old, and all of itself when nothing is left. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    this.isArmed = false;
    this.sql.exec("DELETE FROM entries WHERE at <= ?", now - LIFE_MS);
    if (this.sql.exec("SELECT 1 FROM entries LIMIT 1").toArray().length > 0) return this.arm(now);
    this.isMade = false;
    await this.ctx.storage.deleteAll();
  }

  /** An entry of a higher version than any before, in place of the one there was. */
  private write(key: string, form: string | null, text: string | null, now: Millis): void {
    const insert = "INSERT OR REPLACE INTO entries (key, form, text, at) VALUES (?, ?, ?, ?)";
    this.sql.exec(insert, key, form, text, now);
  }

  private expired(row: Row | undefined): Found {
    if (row !== undefined) this.sql.exec("DELETE FROM entries WHERE version = ?", row.version);
    return { kind: "unknown", version: 0 };
  }

  private rows(keys: string[]): Map<string, Row> {
    if (!this.isMade) return new Map();
    const select = "SELECT * FROM entries WHERE key IN (SELECT value FROM json_each(?))";
    const rows = this.sql.exec<Row>(select, JSON.stringify(keys)).toArray();
    return new Map(rows.map((row) => [row.key, row]));
  }

  private make(now: Millis): void {
    if (!this.isMade) this.sql.exec(TABLE);
    this.isMade = true;
    if (!this.isArmed) this.arm(now);
  }

  private arm(now: Millis): void {
    this.isArmed = true;
    void this.ctx.storage.setAlarm(now + LIFE_MS);
  }
}
