import { and, eq, type SQL } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import * as z from "zod";
import { type ObjectKind, objects } from "./objects";

/** A Durable Object that rows point at: by its name, or an endpoint by the URL that it guards. */
export type Reference =
  | { kind: ObjectKind; name: string }
  | { kind: "endpoint"; organizationId: number; url: string };

export const row = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
export type Row = z.infer<typeof row>;

/** Rows of one table that are deleted together. */
export type Step = {
  table: SQLiteTable;
  where: SQL | undefined;
  /** Objects to be erased before the rows are deleted: each page of rows is chosen by the values of `key`. */
  points?: {
    key: SQLiteColumn;
    select: Record<string, SQLiteColumn>;
    to: (row: Row) => Reference[];
  };
};

export const objectKinds = ["stream", "endpoint", "budget"] as const;

/** The objects of one kind that wrote themselves down. */
export const noted = (kind: ObjectKind, whose: SQL): Step => ({
  table: objects,
  where: and(eq(objects.kind, kind), whose),
  points: {
    key: objects.name,
    select: { name: objects.name },
    to: ({ name }) => [{ kind, name: String(name) }],
  },
});
