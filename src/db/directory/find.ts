import { getTableColumns } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import * as z from "zod";
import { sha256 } from "../../values/bytes";
import { Cache } from "../../values/cache";
import { storedJson } from "../../values/stored-json";
import { atParts, findTogether } from "./part";

/** What is larger than this is read from D1 each time; a row of an object holds two megabytes. */
const MOST_BYTES = 1_900_000;
/** What an isolate remembers of a section, in UTF-16 units of text. */
const REMEMBERED = 4_000_000;

type Missing = { key: string; version: number };
type Remembered<T> = { version: number; value: T; size: number };

/** The form of a table's rows, which is another one when its columns are. */
export const formOf = (table: SQLiteTable): string =>
  sha256(Object.keys(getTableColumns(table)).join(), "hex").slice(0, 16);

/**
 * The directory says what D1 says of a thing, and is asked in its place: D1 answers about a thousand queries a second, and
 * many isolates that each see few events of a source would read it for every event. It is Durable Objects, as many as it
 * takes (`part.ts`).
 *
 * An entry is exact: whatever is asked after a change was answered is answered as of the change, in any isolate. Example:
 *
 *     isolate A finds `instance:17`: the directory does not know it, A reads D1 and the directory keeps what it read
 *     isolate B finds `instance:17`: without D1
 *     isolate C changes the row: a trigger of the database writes `instance:17` into `outdated`, in the same transaction
 *     isolate C tells the directory (`tell.ts`), and then answers its caller
 *     isolate B finds `instance:17`: the directory has dropped it, B reads D1
 *
 * Should C die in between, its change was not answered, and the next minute's tick tells the directory.
 *
 * An isolate remembers what it found, and asks whether that still holds: the directory sends it only what is new.
 * What does not exist is never kept: strangers name what they like.
 */
export class Section<T> {
  private readonly form: string;
  private readonly stored = storedJson(z.custom<T>());
  private readonly remembered = new Cache<string, Remembered<T>>(REMEMBERED, ({ size }) => size);

  /** @param form names the shape of the values: one that another release kept in another shape is not read. */
  constructor(form: string) {
    this.form = form;
  }

  /**
   * The values of `keys`; `read` reads from D1 those that the directory does not know, and those of which `holds` says that
   * they don't. What doesn't exist is absent.
   */
  async find(
    keys: readonly string[],
    read: (missing: string[]) => Promise<ReadonlyMap<string, T>>,
    holds: (value: T) => boolean = () => true,
  ): Promise<Map<string, T>> {
    const values = new Map<string, T>();
    const asked = this.ask([...new Set(keys)], values, holds);
    const missing = await asked.catch((error: unknown) => {
      console.error(JSON.stringify({ at: "directory.find", error: String(error) }));
      return undefined;
    });
    // D1 is the truth: a directory that can't be reached is passed over.
    if (missing === undefined) return new Map(await read([...new Set(keys)]));
    if (missing.length === 0) return values;
    const fresh = await read(missing.map(({ key }) => key));
    for (const [key, value] of fresh) values.set(key, value);
    await this.keep(missing, fresh);
    return values;
  }

  /** The value of a key, if the directory knows it; undefined when it can't be reached, too. */
  async peek(key: string): Promise<T | undefined> {
    const values = new Map<string, T>();
    await this.ask([key], values, () => true).catch(() => undefined);
    return values.get(key);
  }

  /** Puts what is known into `values`. @returns what is not. */
  private async ask(
    keys: readonly string[],
    values: Map<string, T>,
    holds: (value: T) => boolean,
  ): Promise<Missing[]> {
    const missing: Missing[] = [];
    const wanted = keys.map((key) => {
      const had = this.remembered.get(key, 0);
      return { key, form: this.form, has: had?.version, had };
    });
    const answers = await atParts(
      wanted,
      ({ key }) => key,
      (part, some, place) =>
        findTogether(
          part,
          place,
          some.map(({ key, form, has }) => ({ key, form, has })),
        ),
    );
    for (const { some, answer } of answers)
      for (const [index, { key, had }] of some.entries()) {
        const found = answer[index] ?? { kind: "unknown", version: 0 };
        const known = found.kind === "known" ? this.remember(key, found) : had;
        if (found.kind === "unknown" || known === undefined)
          missing.push({ key, version: found.kind === "unknown" ? found.version : 0 });
        else if (holds(known.value)) values.set(key, known.value);
        else missing.push({ key, version: known.version });
      }
    return missing;
  }

  private async keep(missing: readonly Missing[], fresh: ReadonlyMap<string, T>): Promise<void> {
    const kept = missing.flatMap(({ key, version }) => {
      const value = fresh.get(key);
      const text = value === undefined ? "" : this.stored.write(value);
      if (value === undefined || Buffer.byteLength(text) > MOST_BYTES) return [];
      return [{ key, form: this.form, version, text }];
    });
    await atParts(
      kept,
      ({ key }) => key,
      (part, some) => part.keep(some),
    ).catch((error: unknown) =>
      console.error(JSON.stringify({ at: "directory.keep", error: String(error) })),
    );
  }

  private remember(
    key: string,
    { version, text }: { version: number; text: string },
  ): Remembered<T> {
    const known = { version, value: this.stored.read(text), size: text.length };
    this.remembered.set(key, known, Infinity);
    return known;
  }
}
