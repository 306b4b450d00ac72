import { organizationsToDelete } from "../../accounts/organizations/store";
import { tenantsToDelete } from "../../accounts/tenants/store";
import { usersToDelete } from "../../accounts/users/admin.store";
import type { Subject } from "../../db/erasure";
import { type Allowance, erase, type ErasureDoors } from "./erase.io";

/** What one tick does at most, over all that is being deleted. */
const PER_TICK: Allowance = { rows: 20_000, objects: 400 };
const AT_ONCE = 10;
/**
 * The row of what was deleted stays for this long, and everything is looked through again: what was under way when the
 * doors were closed (requests, polls, queue messages, counts in memory) may have written something since.
 */
const QUIET_MS = 15 * 60_000;

/**
 * Once a minute: deletes what is in organizations, and of tenants and users, that somebody asked to delete. How far it is isn't
 * written down anywhere: what is there is still to be deleted (`erase.io.ts`).
 */
export async function tickErasure(now: number, doors: ErasureDoors): Promise<void> {
  const organizations = await organizationsToDelete(doors.db, AT_ONCE);
  const users = await usersToDelete(doors.db, AT_ONCE);
  const tenants = await tenantsToDelete(doors.db, AT_ONCE);
  const subjects: { subject: Subject; since: number }[] = [
    ...organizations.map(({ id, deletingAt }) => ({
      subject: { kind: "organization" as const, id },
      since: deletingAt,
    })),
    ...users.map(({ id, organizationId, deletingAt }) => ({
      subject: { kind: "user" as const, id, organizationId },
      since: deletingAt,
    })),
    ...tenants.map(({ id, organizationId, deletingAt }) => ({
      subject: { kind: "tenant" as const, id, organizationId },
      since: deletingAt,
    })),
  ];
  const allowance = { ...PER_TICK };
  for (const { subject, since } of subjects)
    try {
      await erase(subject, doors, allowance, now - since >= QUIET_MS);
    } catch (error) {
      // One that can't be deleted now holds up no other; the next tick tries again.
      const at = { at: "erasure", kind: subject.kind, id: subject.id };
      console.error(JSON.stringify({ ...at, error: String(error) }));
    }
}
