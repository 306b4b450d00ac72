import { and, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { stepsOfOrganization } from "./erasure-organization";
import { type Reference, row, type Step } from "./erasure-step";
import { stepsOfTenant } from "./erasure-tenant";
import { stepsOfUser } from "./erasure-user";

/**
 * Which rows belong to an organization, to a tenant, or to an end user, in the order in which they can be deleted: what refers to a
 * row goes before it. `test/db/erasure.test.ts` reads the schema and fails for a table that isn't here.
 */

export type Subject =
  | { kind: "organization"; id: number }
  | { kind: "tenant"; id: string; organizationId: number }
  | { kind: "user"; id: number; organizationId: number };

export function stepsOf(subject: Subject): Step[] {
  switch (subject.kind) {
    case "organization":
      return stepsOfOrganization(subject.id);
    case "tenant":
      return stepsOfTenant(subject);
    case "user":
      return stepsOfUser(subject);
  }
}

/** The objects that the next rows of a step point at, and the keys of these rows; none: the step is done. */
export async function nextReferences(
  db: D1Database,
  { table, where, points }: Step & { points: NonNullable<Step["points"]> },
  limit: number,
): Promise<{ keys: unknown[]; references: Reference[] }> {
  const rows = await drizzle(db)
    .selectDistinct({ ...points.select, key: points.key })
    .from(table)
    .where(where)
    .limit(limit);
  return {
    keys: rows.map(({ key }) => key),
    references: rows.flatMap((found) => points.to(row.parse(found))),
  };
}

/**
 * Deletes up to `limit` rows of a step, with `keys` only those of which the objects were erased. @returns how many, and with
 * them the rows in which triggers of the database write down that they are gone.
 */
export async function deleteRows(
  db: D1Database,
  { table, where, points }: Step,
  limit: number,
  keys?: readonly unknown[],
): Promise<number> {
  const { name, columns, primaryKeys } = getTableConfig(table);
  const ids = primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary);
  if (ids.length === 0) throw new Error(`The table ${name} has no key to delete by`);
  const list = sql.join(ids, sql`, `);
  const chosen =
    points === undefined || keys === undefined
      ? where
      : and(where, sql`${points.key} IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`);
  const result = await drizzle(db).run(
    sql`DELETE FROM ${table} WHERE (${list}) IN (SELECT ${list} FROM ${table} WHERE ${chosen} LIMIT ${limit})`,
  );
  return result.meta.changes;
}
