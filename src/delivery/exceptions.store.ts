import { and, desc, eq, gte, inArray, lt, lte, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { destinations, exceptions } from "../db/delivery";
import { owners } from "../db/owners";
import { within } from "../db/within";
import type { Millis } from "../values/instant";
import { type Outcome, RELEASED } from "./attempt";
import { type ExceptionItem, exceptionsOf } from "./exceptions";

export type ExceptionRow = typeof exceptions.$inferSelect;

/**
 * Records what failed of some notifications, and removes the record of what has been delivered since. Notifications that
 * are delivered at the first try cost no statement.
 */
export async function recordExceptions(
  db: D1Database,
  stream: { name: string; organizationId: number },
  items: readonly ExceptionItem[],
  outcomes: readonly Outcome[],
  now: number,
): Promise<void> {
  const { rows, recovered } = exceptionsOf(stream, items, outcomes, now);
  const statements = [];
  if (rows.length > 0) {
    const columns = Array.from(
      { length: 10 },
      (_, index) => `json_extract(value, '$[${index}]')`,
    ).join(", ");
    statements.push(
      db
        .prepare(
          `INSERT INTO exceptions SELECT ${columns} FROM json_each(?) WHERE true ON CONFLICT (id) DO UPDATE SET
           status = excluded.status, reason = excluded.reason, attempts = excluded.attempts,
           next_attempt_at = excluded.next_attempt_at, updated_at = excluded.updated_at`,
        )
        .bind(JSON.stringify(rows)),
    );
  }
  if (recovered.length > 0)
    statements.push(
      db
        .prepare("DELETE FROM exceptions WHERE id IN (SELECT value FROM json_each(?))")
        .bind(JSON.stringify(recovered)),
    );
  if (statements.length > 0) await db.batch(statements);
}

export type ExceptionFilter = {
  destinationId?: string | undefined;
  statuses: ("retrying" | "held" | "dead")[];
  from?: number | undefined;
  to?: number | undefined;
  /** Those of these streams, or to these destinations; absent: all. */
  of?: { streams: readonly string[]; destinations: readonly string[] } | undefined;
};

/** An organization's exceptions, those changed last first, from below `before`. */
export async function listExceptions(
  db: D1Database,
  organizationId: number,
  filter: ExceptionFilter,
  page: { before: { at: number; id: string } | null; limit: number },
): Promise<ExceptionRow[]> {
  const { before } = page;
  return drizzle(db)
    .select()
    .from(exceptions)
    .where(
      and(
        eq(exceptions.organizationId, organizationId),
        inArray(exceptions.status, filter.statuses),
        filter.destinationId === undefined
          ? undefined
          : eq(exceptions.destinationId, filter.destinationId),
        filter.from === undefined ? undefined : gte(exceptions.createdAt, filter.from),
        filter.to === undefined ? undefined : lte(exceptions.createdAt, filter.to),
        filter.of &&
          or(
            within(exceptions.stream, filter.of.streams),
            within(exceptions.destinationId, filter.of.destinations),
          ),
        before === null
          ? undefined
          : and(
              // By this the index begins where the page does: not by the alternatives alone.
              lte(exceptions.updatedAt, before.at),
              or(lt(exceptions.updatedAt, before.at), lt(exceptions.id, before.id)),
            ),
      ),
    )
    .orderBy(desc(exceptions.updatedAt), desc(exceptions.id))
    .limit(page.limit);
}

/** Destinations of a tenant, that are on themselves, for which notifications are held. */
export async function heldDestinations(
  db: D1Database,
  organizationId: number,
  tenant: string,
): Promise<string[]> {
  const isHeld = and(
    eq(exceptions.organizationId, organizationId),
    eq(exceptions.destinationId, destinations.id),
    eq(exceptions.status, "held"),
  );
  const rows = await drizzle(db)
    .select({ id: destinations.id })
    .from(destinations)
    .where(
      and(
        eq(destinations.organizationId, organizationId),
        eq(destinations.tenantId, tenant),
        eq(destinations.enabled, true),
        eq(destinations.active, true),
        sql`EXISTS (SELECT 1 FROM ${exceptions} WHERE ${isHeld})`,
      ),
    );
  return rows.map(({ id }) => id);
}

const isTrouble = sql`${exceptions.reason} IS NOT 'cancelled'`;

/** How many notifications of these destinations are dead or wait. What somebody cancelled is no trouble: it isn't counted. */
export async function countExceptions(
  db: D1Database,
  organizationId: number,
  destinationIds: readonly string[],
): Promise<Map<string, { dead: number; pending: number }>> {
  const rows = await drizzle(db)
    .select({ id: exceptions.destinationId, status: exceptions.status, n: sql<number>`count(*)` })
    .from(exceptions)
    .where(
      and(
        eq(exceptions.organizationId, organizationId),
        within(exceptions.destinationId, destinationIds),
        isTrouble,
      ),
    )
    .groupBy(exceptions.destinationId, exceptions.status);
  const counts = new Map<string, { dead: number; pending: number }>();
  for (const { id, status, n } of rows) {
    const entry = counts.get(id) ?? { dead: 0, pending: 0 };
    if (status === "dead") entry.dead += n;
    else entry.pending += n;
    counts.set(id, entry);
  }
  return counts;
}

/** Why notifications to one destination are dead, how many, and when the latest died; waiting ones have no reason. */
export type Cause = {
  destinationId: string;
  isDead: boolean;
  reason: string | null;
  n: number;
  last: Millis;
};

/**
 * How many of an organization's notifications are dead or wait, of the `most` that changed last, and the `groups` causes
 * that most of them have, the dead before the others; `isMore`: it has more.
 */
export async function countTroubles(
  db: D1Database,
  organizationId: number,
  { most, groups }: { most: number; groups: number },
): Promise<{ dead: number; pending: number; isMore: boolean; causes: Cause[] }> {
  const { results } = await db
    .prepare(
      `WITH latest AS (SELECT destination_id, status = 'dead' AS is_dead, reason, updated_at FROM exceptions
           WHERE organization_id = ?1 AND reason IS NOT 'cancelled' ORDER BY updated_at DESC LIMIT ?2),
         causes AS (SELECT destination_id, is_dead, iif(is_dead, reason, NULL) AS reason, count(*) AS n, max(updated_at) AS last
           FROM latest GROUP BY 1, 2, 3)
       SELECT *, sum(n) OVER () AS total, sum(n * is_dead) OVER () AS dead FROM causes ORDER BY is_dead DESC, n DESC LIMIT ?3`,
    )
    .bind(organizationId, most + 1, groups)
    .all<CauseRow>();
  const { total = 0, dead = 0 } = results[0] ?? {};
  const causes = results.map(({ destination_id: destinationId, is_dead, reason, n, last }) => ({
    destinationId,
    isDead: is_dead === 1,
    reason,
    n,
    last,
  }));
  return { dead, pending: total - dead, isMore: total > most, causes };
}

type CauseRow = {
  destination_id: string;
  is_dead: number;
  reason: string | null;
  n: number;
  last: Millis;
  total: number;
  dead: number;
};

/**
 * Streams in which a destination has notifications to deliver again, and how many: `recover` its dead ones that were
 * made since `from`, `release` those that are held, or dead because it was switched off; `end` and `cancel` those that
 * failed or are held: which others wait, only their streams know.
 */
export async function troubledStreams(
  db: D1Database,
  organizationId: number,
  destinationId: string,
  { kind, from }: { kind: "recover" | "release" | "end" | "cancel"; from: number },
): Promise<{ stream: string; n: number }[]> {
  const isDead = eq(exceptions.status, "dead");
  const waits = inArray(exceptions.status, ["held", "retrying"]);
  const wanted = {
    recover: and(isDead, isTrouble),
    release: or(eq(exceptions.status, "held"), and(isDead, inArray(exceptions.reason, RELEASED))),
    end: waits,
    cancel: waits,
  };
  return drizzle(db)
    .select({ stream: exceptions.stream, n: sql<number>`count(*)` })
    .from(exceptions)
    .where(
      and(
        eq(exceptions.organizationId, organizationId),
        eq(exceptions.destinationId, destinationId),
        gte(exceptions.createdAt, from),
        wanted[kind],
      ),
    )
    .groupBy(exceptions.stream);
}

/** The statement that deletes exceptions that last changed before an instant, at most `limit`: organization by organization, by their index. */
export const prepareExceptionExpiry = (
  db: D1Database,
  before: number,
  limit: number,
): D1PreparedStatement =>
  db
    .prepare(
      `${owners("exceptions")}
       DELETE FROM exceptions WHERE id IN (
         SELECT e.id FROM owners CROSS JOIN exceptions AS e
           ON e.organization_id = owners.id AND e.updated_at < ? LIMIT ?)`,
    )
    .bind(before, limit);
