import { asc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { outdated } from "../outdated";
import { within } from "../within";
import { atParts } from "./part";

type Row = typeof outdated.$inferSelect;

/** What a change is told by (`outdated.changed`): triggers of the database name it so. */
export type Changed =
  `${"instance" | "flow" | "user" | "organization" | "connector" | "api-key" | "tenant"}:${string}`;

/**
 * Tells the directory what was changed in D1, before whoever changed it answers. The triggers of the database wrote down
 * which entries that are; what nobody tells of is told by the next tick.
 * @throws what the objects throw: then the change may show late.
 */
export async function tellDirectory(db: D1Database, ...changed: Changed[]): Promise<void> {
  await tell(
    db,
    await drizzle(db).select().from(outdated).where(within(outdated.changed, changed)),
  );
}

const PAGE = 1_000;

/** Once a minute: what is left, a crash or a mass deletion's. A part that can't be reached holds up no other. */
export async function tellAll(db: D1Database): Promise<void> {
  for (;;) {
    const rows = await drizzle(db).select().from(outdated).orderBy(asc(outdated.id)).limit(PAGE);
    await tell(db, rows);
    if (rows.length < PAGE) return;
  }
}

/** @throws what an object throws, after the others were told. */
async function tell(db: D1Database, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = Map.groupBy(rows, ({ key }) => key);
  const told: string[] = [];
  try {
    await atParts(
      [...ids.keys()],
      (key) => key,
      async (part, keys) => {
        await part.drop(keys);
        told.push(...keys);
      },
    );
  } finally {
    const done = told.flatMap((key) => ids.get(key)?.map(({ id }) => id) ?? []);
    await drizzle(db).delete(outdated).where(within(outdated.id, done));
  }
}
