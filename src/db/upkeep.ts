import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";
import { users } from "./accounts";
import { instances } from "./instances";
import { objects } from "./objects";

/** A day has so many slices, one for each minute. */
const SLICES = 1_440;

const noted = z.object({
  organizationId: z.number(),
  kind: z.enum(["stream", "endpoint", "budget"]),
  name: z.string(),
  isOwnerless: z.number().transform((flag) => flag === 1),
});
export type Noted = z.infer<typeof noted>;

/**
 * Which row numbers, of `size`, have their turn in a minute of the day: those after the first number up to the second. In a
 * day each comes up once, and nothing has to be written down.
 */
export function sliceOf(size: number, minuteOfDay: number): [number, number] {
  // A power of two: while the table grows, the slices stay as they are.
  const span = 2 ** Math.ceil(Math.log2(Math.max(size, 1)));
  const upTo = (minute: number): number => Math.floor((span * minute) / SLICES);
  return [upTo(minuteOfDay), upTo(minuteOfDay + 1)];
}

/** A stream's source, and the id in it. */
const source = sql`substr(${objects.name}, instr(${objects.name}, '/') + 1)`;
const ownerId = sql`CAST(substr(${source}, instr(${source}, ':') + 1) AS INTEGER)`;
const isOwnerless = sql<number>`CASE
  WHEN ${objects.kind} = 'stream' AND ${source} LIKE 'instance:%'
    THEN NOT EXISTS (SELECT 1 FROM ${instances} WHERE ${instances.id} = ${ownerId})
  WHEN ${objects.kind} = 'stream' AND ${source} LIKE 'user:%'
    THEN NOT EXISTS (SELECT 1 FROM ${users} WHERE ${users.id} = ${ownerId})
  ELSE 0 END`;

/** The objects whose turn a minute of the day is. `isOwnerless`: a stream whose instance or user was deleted. */
export async function objectsOf(db: D1Database, minuteOfDay: number): Promise<Noted[]> {
  const [all] = await drizzle(db)
    .select({ size: sql<number>`ifnull(max(rowid), 0)` })
    .from(objects);
  const [after, upTo] = sliceOf(all?.size ?? 0, minuteOfDay);
  if (after === upTo) return [];
  const { organizationId, kind, name } = objects;
  const rows = await drizzle(db)
    .select({ organizationId, kind, name, isOwnerless })
    .from(objects)
    .where(sql`${objects}.rowid > ${after} AND ${objects}.rowid <= ${upTo}`);
  return rows.map((row) => noted.parse(row));
}
