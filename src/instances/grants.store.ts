import { and, eq, gt, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { tellDirectory } from "../db/directory/tell";
import { instances } from "../db/instances";
import type { Keyring } from "../db/sealed";
import type { Instance } from "./instance";
import { patchesOf } from "./row";
import { scheduleOf } from "./schedule";
import { readInstance } from "./store";
import { renamed } from "./tenants.store";

/** What a token refresh writes: its lease, the new tokens, or that the vendor refused. See `refresh.client.ts`. */

const MOST_TRIES = 20;
const TOKENS = ["oauth.user.token", "oauth.user.refresh_token"];

/**
 * Calls `write` with the stored instance if it still has the tokens that `used` was read with. When somebody edits
 * the instance in between, `write` returns false and is called again with the edited instance.
 * @returns false, with nothing written, when the instance has other tokens or is gone.
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
      await releaseRefreshLease(db, used.id, "finished");
      return false;
    }
    if (!(await write(current))) continue;
    await tellDirectory(db, `instance:${used.id}`);
    return true;
  }
  throw new Error(`Instance ${used.id} is changed all the time`);
}

/**
 * Stores a new grant and ends the refresh lease. Writes only the keys in `changes`, so an edit of the instance in
 * the meantime is kept.
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
    const { configuration, secrets } = patchesOf(current.id, current.connector, changes, ring);
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
 * The vendor no longer accepts the grant of `used`: nothing is polled until somebody authenticates again.
 * @returns false when somebody has authenticated since it was read.
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
 * A webhook of the vendor says that an instance must be authenticated again.
 * @returns false when it is marked so already.
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
  await tellDirectory(db, `instance:${instanceId}`);
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

/** Stands in the row for a refresh that was cut off: a lease that ended long ago. */
const CUT_OFF = 1;

/**
 * The lease to refresh a token, for one caller at a time over all isolates. `held`: another caller has it. `free`
 * and `abandoned`: it is the caller's now; `abandoned` means that the holder before never gave it back.
 */
export async function takeRefreshLease(
  db: D1Database,
  instanceId: number,
  until: number,
  now: number,
): Promise<"free" | "abandoned" | "held"> {
  const take = (state: ReturnType<typeof and>) =>
    drizzle(db)
      .update(instances)
      .set({ refreshLeaseUntil: until })
      .where(and(eq(instances.id, instanceId), state))
      .returning({ id: instances.id });
  const { refreshLeaseUntil } = instances;
  if ((await take(eq(refreshLeaseUntil, 0))).length === 1) return "free";
  const abandoned = await take(and(gt(refreshLeaseUntil, 0), lt(refreshLeaseUntil, now)));
  return abandoned.length === 1 ? "abandoned" : "held";
}

/** `cut-off`: the vendor may have answered, but the answer is lost. */
export async function releaseRefreshLease(
  db: D1Database,
  instanceId: number,
  outcome: "finished" | "cut-off",
): Promise<void> {
  await drizzle(db)
    .update(instances)
    .set({ refreshLeaseUntil: outcome === "cut-off" ? CUT_OFF : 0 })
    .where(eq(instances.id, instanceId));
}
