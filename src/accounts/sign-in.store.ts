import { and, eq, gt, inArray, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { signInFailures } from "../db/accounts";
import type { Millis } from "../values/instant";

/** Somebody's try to sign in: at which door, as whom, from which address. */
export type Try = { door: "user" | "member"; name: string; address: string };

/** After `free` failures each further one makes the next try wait longer, up to `mostMs`. */
type Limit = { key: string; free: number; mostMs: number };

const MINUTE_MS = 60_000;
/** The first wait; each one after it is twice as long. */
const FIRST_WAIT_MS = 10_000;
/** Failures are forgotten so long after the wait they made. */
const FORGET_MS = 15 * MINUTE_MS;
/** How long an address where somebody signed in is known for them: 90 days. */
const KNOWN_MS = 90 * 86_400_000;

const pairOf = ({ door, name, address }: Try): string => `${door} ${address} ${name.slice(0, 256)}`;
const knownOf = (tried: Try): string => `known ${pairOf(tried)}`;

/** Who guesses at one name from one address waits long; whoever else wants in under that name, or from there, a minute at most. */
const pairLimit = (tried: Try): Limit => ({
  key: pairOf(tried),
  free: 10,
  mostMs: 15 * MINUTE_MS,
});
const wideLimits = ({ door, name, address }: Try): Limit[] => [
  { key: `${door} name ${name.slice(0, 256)}`, free: 100, mostMs: MINUTE_MS },
  // An address may stand for a whole host application.
  { key: `${door} address ${address}`, free: 500, mostMs: MINUTE_MS },
];

/**
 * Counts a try as a failure before it is made, so that many at once do not slip through. Nobody is shut out by
 * what others try: from an address where a name signed in before, only failures of that name there count.
 * @returns the instant from which on it may be tried again, when it may not be now.
 */
export async function countTry(
  db: D1Database,
  tried: Try,
  now: Millis,
): Promise<Millis | undefined> {
  const isKnown =
    (await drizzle(db).$count(
      signInFailures,
      and(eq(signInFailures.key, knownOf(tried)), gt(signInFailures.until, now)),
    )) > 0;
  const limits = [pairLimit(tried), ...(isKnown ? [] : wideLimits(tried))];
  // A try that has to wait writes nothing: rows don't grow with requests.
  const early = latest((await waits(db, limits, now).all<Wait>()).results);
  if (early !== undefined) return early;
  const [before] = await db.batch<Wait>([
    waits(db, limits, now),
    ...limits.map((limit) => count(db, limit, now)),
  ]);
  return latest(before?.results ?? []);
}

type Wait = { until: Millis };

const latest = (rows: readonly Wait[]): Millis | undefined =>
  rows.length === 0 ? undefined : Math.max(...rows.map(({ until }) => until));

const waits = (db: D1Database, limits: readonly Limit[], now: Millis): D1PreparedStatement =>
  db
    .prepare(
      "SELECT until FROM sign_in_failures WHERE until > ?1 AND key IN (SELECT value FROM json_each(?2))",
    )
    .bind(now, JSON.stringify(limits.map(({ key }) => key)));

function count(db: D1Database, { key, free, mostMs }: Limit, now: Millis): D1PreparedStatement {
  const failures = "CASE WHEN until <= ?2 - ?3 THEN 1 ELSE count + 1 END";
  return db
    .prepare(
      `INSERT INTO sign_in_failures (key, count, until) VALUES (?1, 1, ?2)
       ON CONFLICT (key) DO UPDATE SET count = ${failures}, until = ?2 + CASE WHEN ${failures} < ?4 THEN 0
         ELSE min(?5, ?6 << min(${failures} - ?4, 20)) END
       WHERE until <= ?2`,
    )
    .bind(key, now, FORGET_MS, free, mostMs, FIRST_WAIT_MS);
}

/** The try was none: takes back what was counted, and knows the name at this address from now on. */
export async function forgiveTry(db: D1Database, tried: Try, now: Millis): Promise<void> {
  const orm = drizzle(db);
  const known = { key: knownOf(tried), count: 0, until: now + KNOWN_MS };
  await orm.batch([
    orm.delete(signInFailures).where(eq(signInFailures.key, pairOf(tried))),
    orm
      .update(signInFailures)
      .set({ count: sql`max(${signInFailures.count} - 1, 0)`, until: now })
      .where(
        inArray(
          signInFailures.key,
          wideLimits(tried).map(({ key }) => key),
        ),
      ),
    orm
      .insert(signInFailures)
      .values(known)
      .onConflictDoUpdate({ target: signInFailures.key, set: { until: known.until } }),
  ]);
}

/** Forgets tries that no longer count. */
export async function purgeTries(db: D1Database, now: Millis): Promise<void> {
  await drizzle(db)
    .delete(signInFailures)
    .where(lt(signInFailures.until, now - FORGET_MS));
}
