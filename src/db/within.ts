import { type SQL, sql, type SQLWrapper } from "drizzle-orm";

/** Whether a column is one of `values`: a single bound parameter, since a statement takes only a hundred. */
export const within = (column: SQLWrapper, values: readonly (string | number)[]): SQL =>
  sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
