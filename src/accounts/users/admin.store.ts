import { and, desc, eq, gt, isNotNull, isNull, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { users } from "../../db/accounts";
import { tellDirectory } from "../../db/directory/tell";
import { forgetAskers } from "../store";
import { forgetUser } from "./store";

/** An end user, as the organization sees them. */
export type EndUser = {
  id: number;
  username: string | null;
  email: string;
  isActive: boolean;
  plan: string;
  metadata: Record<string, unknown> | null;
  tenant: string | null;
  role: "admin" | "user";
  createdAt: number;
  deletingAt: number | null;
};

const columns = {
  id: users.id,
  username: users.username,
  email: users.email,
  isActive: users.isActive,
  plan: users.plan,
  metadata: users.metadata,
  tenant: users.tenantId,
  role: users.role,
  createdAt: users.createdAt,
  deletingAt: users.deletingAt,
};

const isUser = (organizationId: number, id: number) =>
  and(eq(users.organizationId, organizationId), eq(users.id, id));

/** In the order of their ids, from after `after`; with `search` those whose user name or address contains it. */
export async function listEndUsers(
  db: D1Database,
  organizationId: number,
  page: { after: number; limit: number; search?: string; tenant?: string | undefined },
): Promise<EndUser[]> {
  return drizzle(db)
    .select(columns)
    .from(users)
    .where(
      and(
        eq(users.organizationId, organizationId),
        gt(users.id, page.after),
        page.tenant === undefined ? undefined : eq(users.tenantId, page.tenant),
        page.search === undefined
          ? undefined
          : sql`instr(lower(coalesce(${users.username}, '') || ' ' || ${users.email}), ${page.search.toLowerCase()}) > 0`,
      ),
    )
    .orderBy(users.id)
    .limit(page.limit);
}

export async function readEndUser(
  db: D1Database,
  organizationId: number,
  id: number,
): Promise<EndUser | undefined> {
  const [row] = await drizzle(db).select(columns).from(users).where(isUser(organizationId, id));
  return row;
}

export type UserChange = { kind: "done"; user: EndUser } | { kind: "unknown" } | { kind: "first" };

/**
 * Switches a user off or on, or changes what is known of them. Switched off, they can't sign in, their tokens are
 * refused for good, and no flow of theirs runs. `first`: the user in whose name the organization's keys act can't be
 * switched off, and is of no tenant.
 */
export async function changeEndUser(
  db: D1Database,
  organizationId: number,
  id: number,
  change: {
    isActive?: boolean | undefined;
    plan?: string | undefined;
    metadata?: Record<string, unknown> | null | undefined;
    tenant?: string | null | undefined;
  },
): Promise<UserChange> {
  const { tenant, ...others } = change;
  const isOff = change.isActive === false;
  const set = Object.fromEntries(
    Object.entries({ ...others, tenantId: tenant }).filter(([, value]) => value !== undefined),
  );
  if (Object.keys(set).length === 0) return outcome(await readEndUser(db, organizationId, id));
  const [row] = await drizzle(db)
    .update(users)
    .set({ ...set, ...(isOff ? { tokenVersion: sql`${users.tokenVersion} + 1` } : {}) })
    .where(
      and(
        isUser(organizationId, id),
        isNull(users.deletingAt),
        isOff || typeof tenant === "string" ? ne(users.role, "admin") : undefined,
      ),
    )
    .returning(columns);
  await tellDirectory(db, `user:${id}`);
  forget(id);
  return row === undefined ? whyNot(db, organizationId, id) : { kind: "done", user: row };
}

/** Switches a user off for good; the minutely job (`operations/erasure`) deletes what is theirs, and them last. */
export async function beginUserDeletion(
  db: D1Database,
  organizationId: number,
  id: number,
  now: number,
): Promise<UserChange> {
  const [row] = await drizzle(db)
    .update(users)
    .set({
      isActive: false,
      tokenVersion: sql`${users.tokenVersion} + 1`,
      deletingAt: sql`coalesce(${users.deletingAt}, ${now})`,
    })
    .where(and(isUser(organizationId, id), ne(users.role, "admin")))
    .returning(columns);
  await tellDirectory(db, `user:${id}`);
  forget(id);
  return row === undefined ? whyNot(db, organizationId, id) : { kind: "done", user: row };
}

const outcome = (user: EndUser | undefined): UserChange =>
  user === undefined ? { kind: "unknown" } : { kind: "done", user };

async function whyNot(db: D1Database, organizationId: number, id: number): Promise<UserChange> {
  const user = await readEndUser(db, organizationId, id);
  return { kind: user === undefined || user.deletingAt !== null ? "unknown" : "first" };
}

function forget(id: number): void {
  forgetUser(id);
  forgetAskers();
}

/** Users whose deletion is under way, the longest first. */
export async function usersToDelete(
  db: D1Database,
  limit: number,
): Promise<{ id: number; organizationId: number; deletingAt: number }[]> {
  const rows = await drizzle(db)
    .select({
      id: users.id,
      organizationId: users.organizationId,
      deletingAt: users.deletingAt,
    })
    .from(users)
    .where(isNotNull(users.deletingAt))
    .orderBy(users.deletingAt)
    .limit(limit);
  return rows.flatMap(({ deletingAt, ...user }) =>
    deletingAt === null ? [] : { ...user, deletingAt },
  );
}

/** A user who is being deleted, and since when. */
export type DeletedUser = { id: number; deletingAt: number };

/** An organization's users who are being deleted, the latest first, from before a place on. */
export async function listDeletedUsers(
  db: D1Database,
  organizationId: number,
  { before, limit }: { before: { at: number; id: number } | null; limit: number },
): Promise<DeletedUser[]> {
  const older = before && sql`(${users.deletingAt}, ${users.id}) < (${before.at}, ${before.id})`;
  const rows = await drizzle(db)
    .select({ id: users.id, deletingAt: users.deletingAt })
    .from(users)
    .where(
      and(
        eq(users.organizationId, organizationId),
        isNotNull(users.deletingAt),
        older ?? undefined,
      ),
    )
    .orderBy(desc(users.deletingAt), desc(users.id))
    .limit(limit);
  return rows.flatMap(({ id, deletingAt }) => (deletingAt === null ? [] : { id, deletingAt }));
}
