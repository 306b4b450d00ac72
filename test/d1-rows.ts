import { env } from "cloudflare:workers";
import { vi } from "vitest";

/** Rows read and written, how often the database was asked (a batch is one time), and the texts of the queries that only read. */
export type Counted = {
  read: number;
  written: number;
  asked: number;
  queries: string[];
  end: () => void;
};

/** Counts the rows that D1 reads and writes from now on: every result passes here with its meta. */
export function countD1(): Counted {
  const counted: Counted = {
    read: 0,
    written: 0,
    asked: 0,
    queries: [],
    end: () => spy.mockRestore(),
  };
  let session = Object.getPrototypeOf(Reflect.get(env.DB, "alwaysPrimarySession"));
  while (!Object.hasOwn(session, "_send")) session = Object.getPrototypeOf(session);
  const real = session._send;
  const spy = vi.spyOn(session, "_send").mockImplementation(async function (
    this: unknown,
    ...args: unknown[]
  ) {
    counted.asked += 1;
    const [, query] = args;
    if (typeof query === "string" && /^\s*select\b/i.test(query)) counted.queries.push(query);
    const answer = await real.apply(this, args);
    for (const { meta } of [answer].flat()) {
      counted.read += meta?.rows_read ?? 0;
      counted.written += meta?.rows_written ?? 0;
    }
    return answer;
  });
  return counted;
}
