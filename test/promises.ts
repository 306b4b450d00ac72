import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the suffix of a door promises: code that keeps it, and what is missing where there is none. */
const promises: Record<string, { kept: RegExp; lacks: string; calledIn?: true }> = {
  routes: { kept: /\bnew Hono\b/, lacks: "a route" },
  store: {
    kept: /\bdrizzle\(|\bsql`|\.prepare\(|\.sql\.exec\(|["`]\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/,
    lacks: "SQL",
  },
  client: { kept: /\bfetch\(|from "[^"]*\bclient"/, lacks: "HTTP out" },
  object: { kept: /\bextends DurableObject\b|from "[^"]*\.object"/, lacks: "a Durable Object" },
  consumer: { kept: /\bMessageBatch\b/, lacks: "a queue's batch", calledIn: true },
  cron: { kept: /\bexport (async )?function\b/, lacks: "a scheduled entry", calledIn: true },
};

/**
 * Why a door's name is not true; undefined when it is. What the platform calls, src/index.ts names.
 * @param path below src/, without extension: hub/budget/vendor-budget.object
 */
export function brokenPromise(path: string, text: string, index: string): string | undefined {
  const promise = promises[/(?:^|[/.])(\w+)$/.exec(path)?.[1] ?? ""];
  if (promise === undefined) return undefined;
  const isCalledIn = promise.calledIn === undefined || index.includes(`"./${path}"`);
  if (promise.kept.test(text) && isCalledIn) return undefined;
  return `There is not ${promise.lacks} in it${isCalledIn ? "" : " that index.ts names"}: what works the world otherwise is .io`;
}

/** Table → the room that owns it: that of its file in src/db/, or `db` when the file is no room's. */
export function readOwners(root: string, rooms: readonly string[]): ReadonlyMap<string, string> {
  const folder = join(root, "src/db");
  return new Map(
    readdirSync(folder).flatMap((file) => {
      if (!file.endsWith(".ts")) return [];
      const room = rooms.find((name) => file === `${name}.ts`) ?? "db";
      const text = readFileSync(join(folder, file), "utf8");
      return [...text.matchAll(/\bsqliteTable\(\s*"(\w+)"/g)].map(
        ([, table = ""]): [string, string] => [table, room],
      );
    }),
  );
}

/** The tables that a piece of SQL reads or writes. */
export const tablesIn = (sql: string): string[] =>
  [...sql.matchAll(/\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)/g)].map(([, table = ""]) => table);
