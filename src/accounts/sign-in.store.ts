import { and, eq, gt, inArray, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { signInFailures } from "../db/accounts";
import type { Millis } from "../values/instant";

/** An attempt to sign in: at which door, under which name, from which address. */
export type Try = { door: "user" | "member"; name: string; address: string };

/**
 * After `free` failures each further one makes the next try wait longer, up to `mostMs`. Failures are forgotten
 * `forgetMs` after the wait they caused.
 */
type Limit = { key: string; free: number; mostMs: number; forgetMs: number };

const MINUTE_MS = 60_000;
/** The first wait; each one after it is twice as long. */
const FIRST_WAIT_MS = 10_000;
const FORGET_MS = 15 * MINUTE_MS;
const DAY_MS = 86_400_000;
/** How long an address where somebody signed in is known for them: 90 days. */
const KNOWN_MS = 90 * 86_400_000;

const pairOf = ({ door, name, address }: Try): string => `${door} ${address} ${name.slice(0, 256)}`;
const knownOf = (tried: Try): string => `known ${pairOf(tried)}`;

/** Guessing at one name from one address is slowed down most. All attempts under one name, or from one address, wait a minute at most. */
const pairLimit = (tried: Try): Limit => ({
  key: pairOf(tried),
  free: 10,
  mostMs: 15 * MINUTE_MS,
  forgetMs: FORGET_MS,
});
const wideLimits = ({ door, name, address }: Try): Limit[] => [
  { key: `${door} name ${name.slice(0, 256)}`, free: 100, mostMs: MINUTE_MS, forgetMs: FORGET_MS },
  // All users of one host application may share an address.
  { key: `${door} address ${address}`, free: 500, mostMs: MINUTE_MS, forgetMs: FORGET_MS },
];

/**
 * Guessing at a member's second step, from wherever: only who knows the password gets so far. Three of a million codes
 * are right at a time, so a few dozen guesses a day are all there are.
 */
const codeLimit = (memberId: number): Limit => ({
  key: `code ${memberId}`,
  free: 5,
  mostMs: 60 * MINUTE_MS,
  forgetMs: DAY_MS,
});

/** Counts a code as a failure before it is checked. @returns when the next one is allowed; undefined: now. */
export const countCode = (
  db: D1Database,
  memberId: number,
  now: Millis,
): Promise<Millis | undefined> => countAgainst(db, [codeLimit(memberId)], now);

/** The code was right. */
export async function forgiveCode(db: D1Database, memberId: number): Promise<void> {
  await drizzle(db)
    .delete(signInFailures)
    .where(eq(signInFailures.key, codeLimit(memberId).key));
}

/**
 * Counts an attempt as a failure before the password is checked, so that many at once do not slip through.
 * Others can't lock somebody out: from an address where a name has signed in before, only failures of that name from
 * that address count. @returns when the next attempt is allowed; undefined: now.
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
  return countAgainst(db, [pairLimit(tried), ...(isKnown ? [] : wideLimits(tried))], now);
}

async function countAgainst(
  db: D1Database,
  limits: readonly Limit[],
  now: Millis,
): Promise<Millis | undefined> {
  // An attempt that has to wait writes nothing, so a flood of them adds no rows.
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

function count(
  db: D1Database,
  { key, free, mostMs, forgetMs }: Limit,
  now: Millis,
): D1PreparedStatement {
  const failures = "CASE WHEN until <= ?2 - ?3 THEN 1 ELSE count + 1 END";
  return db
    .prepare(
      `INSERT INTO sign_in_failures (key, count, until) VALUES (?1, 1, ?2)
       ON CONFLICT (key) DO UPDATE SET count = ${failures}, until = ?2 + CASE WHEN ${failures} < ?4 THEN 0
         ELSE min(?5, ?6 << min(${failures} - ?4, 20)) END
       WHERE until <= ?2`,
    )
    .bind(key, now, forgetMs, free, mostMs, FIRST_WAIT_MS);
}

/** The password was right: takes the counted failure back, and remembers that this name signs in from this address. */
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

/** Deletes failures that no longer count. */
export async function purgeTries(db: D1Database, now: Millis): Promise<void> {
  await drizzle(db)
    .delete(signInFailures)
    .where(lt(signInFailures.until, now - DAY_MS));
}
