import { and, eq, gt, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { instances } from "../db/instances";
import type { Keyring } from "../db/sealed";
import type { Instance } from "./instance";
import { split } from "./row";
import { scheduleOf } from "./schedule";
import { readInstance } from "./store";
import { renamed } from "./tenants.store";

/** What is written of a grant while it is renewed: the lease, the new tokens, or that it is refused. */

const MOST_TRIES = 20;
const TOKENS = ["oauth.user.token", "oauth.user.refresh_token"];

/**
 * Does `write` with the instance as it stands, as long as it holds the grant that `used` was read with. An
 * edit in between makes it try again, so that neither undoes the other.
 * @returns false, when another grant is there or the instance is gone: nothing was written.
 */
async function whileGranted(
  db: D1Database,
  ring: Keyring,
  used: Instance,
  write: (current: Instance) => Promise<boolean>,
): Promise<boolean> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const current = await readInstance(db, ring, used.id);
    const isSame =
      current !== undefined &&
      TOKENS.every(
        (key) => (current.configuration[key] ?? null) === (used.configuration[key] ?? null),
      );
    if (!isSame) {
      await releaseRefreshLease(db, used.id, "settled");
      return false;
    }
    if (await write(current)) return true;
  }
  throw new Error(`Instance ${used.id} is changed all the time`);
}

/**
 * Stores a new grant before anybody uses it, and ends the refresh lease. Lays only `changes` over what is
 * there, so an edit of the instance in the meantime is kept.
 * @returns false, storing nothing, when somebody authenticated again since `used` was read.
 */
export async function saveGrant(
  db: D1Database,
  ring: Keyring,
  used: Instance,
  changes: Record<string, string>,
  now: number,
): Promise<boolean> {
  return whileGranted(db, ring, used, async (current) => {
    const { configuration, secrets } = split(current.id, current.connector, changes, ring);
    const updated = await drizzle(db)
      .update(instances)
      .set({
        configuration: sql`json_patch(${instances.configuration}, ${JSON.stringify(configuration)})`,
        secrets: sql`json_patch(${instances.secrets}, ${JSON.stringify(secrets)})`,
        valid: true,
        invalidReason: null,
        ...scheduleOf({ ...current, valid: true }),
        updatedAt: Math.max(now, current.updatedAt + 1),
        refreshLeaseUntil: 0,
      })
      .where(asRead(current))
      .returning({ id: instances.id });
    if (updated.length === 0) return false;
    const [first, ...others] = renamed(db, current, changes);
    if (first !== undefined) await drizzle(db).batch([first, ...others]);
    return true;
  });
}

/**
 * The vendor no longer takes the grant of `used`: nothing is polled until somebody authenticates again.
 * @returns false, when somebody has done so since it was read.
 */
export async function markRefused(
  db: D1Database,
  ring: Keyring,
  used: Instance,
  reason: string,
  now: number,
): Promise<boolean> {
  return whileGranted(db, ring, used, async (current) => {
    const marked = await drizzle(db)
      .update(instances)
      .set(refusedBy(reason, Math.max(now, current.updatedAt + 1)))
      .where(asRead(current))
      .returning({ id: instances.id });
    return marked.length === 1;
  });
}

/**
 * The vendor says of its own accord that an instance must be authenticated again.
 * @returns false when that was known.
 */
export async function markInvalid(
  db: D1Database,
  instanceId: number,
  reason: string,
  now: number,
): Promise<boolean> {
  const marked = await drizzle(db)
    .update(instances)
    .set(refusedBy(reason, now))
    .where(and(eq(instances.id, instanceId), eq(instances.valid, true)))
    .returning({ id: instances.id });
  return marked.length === 1;
}

const refusedBy = (reason: string, now: number): Partial<typeof instances.$inferInsert> => ({
  valid: false,
  invalidReason: reason,
  interval: null,
  slot: null,
  updatedAt: now,
  refreshLeaseUntil: 0,
});

const asRead = ({ id, updatedAt }: Instance): ReturnType<typeof and> =>
  and(eq(instances.id, id), eq(instances.updatedAt, updatedAt));

/** What a lease that nobody answers for leaves behind; any instant long past. */
const LEFT = 1;

/**
 * The right to refresh a token, for one caller at a time over all isolates: `free` and `left` are the
 * caller's now, `left` is one that its holder never gave back; `held` is another's.
 */
export async function takeRefreshLease(
  db: D1Database,
  instanceId: number,
  until: number,
  now: number,
): Promise<"free" | "left" | "held"> {
  const take = (state: ReturnType<typeof and>) =>
    drizzle(db)
      .update(instances)
      .set({ refreshLeaseUntil: until })
      .where(and(eq(instances.id, instanceId), state))
      .returning({ id: instances.id });
  const { refreshLeaseUntil } = instances;
  if ((await take(eq(refreshLeaseUntil, 0))).length === 1) return "free";
  const left = await take(and(gt(refreshLeaseUntil, 0), lt(refreshLeaseUntil, now)));
  return left.length === 1 ? "left" : "held";
}

/** `left`: the vendor may have answered, but the answer is lost. */
export async function releaseRefreshLease(
  db: D1Database,
  instanceId: number,
  outcome: "settled" | "left",
): Promise<void> {
  await drizzle(db)
    .update(instances)
    .set({ refreshLeaseUntil: outcome === "left" ? LEFT : 0 })
    .where(eq(instances.id, instanceId));
}
