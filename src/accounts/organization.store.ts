import { eq, type SQL, sql, type SQLWrapper } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type Brand, organizations, type OrganizationSettings } from "../db/accounts";
import { tellDirectory } from "../db/directory/tell";
import { findOrganizations, forgetOrganization } from "./known.store";

/** SQL for an organization's settings beside rows of another room; `id` names it there. */
export const settingsOf = (id: SQLWrapper): SQL<OrganizationSettings> =>
  sql`(SELECT o.settings FROM organizations AS o WHERE o.id = ${id})`.mapWith(
    organizations.settings,
  );

export async function readSettings(
  db: D1Database,
  organizationId: number,
): Promise<OrganizationSettings> {
  const [row] = await drizzle(db)
    .select({ settings: organizations.settings })
    .from(organizations)
    .where(eq(organizations.id, organizationId));
  return row?.settings ?? {};
}

/** Lays `changes` over an organization's settings. @returns the settings as they now are. */
export async function changeSettings(
  db: D1Database,
  organizationId: number,
  changes: OrganizationSettings,
): Promise<OrganizationSettings> {
  const [row] = await drizzle(db)
    .update(organizations)
    .set({ settings: sql`json_patch(${organizations.settings}, ${JSON.stringify(changes)})` })
    .where(eq(organizations.id, organizationId))
    .returning({ settings: organizations.settings });
  await tellDirectory(db, `organization:${organizationId}`);
  forgetOrganization(organizationId);
  return row?.settings ?? {};
}

export type { OrganizationSettings };
export type Organization = { name: string; settings: OrganizationSettings };

export async function readOrganization(
  db: D1Database,
  organizationId: number,
): Promise<Organization> {
  const [row] = await drizzle(db)
    .select({ name: organizations.name, settings: organizations.settings })
    .from(organizations)
    .where(eq(organizations.id, organizationId));
  if (row === undefined) throw new Error(`Organization ${organizationId} is gone`);
  return row;
}

const DAY_MS = 86_400_000;
const DEFAULT_RETENTION_DAYS = 7;

/** How long an organization's events are kept, in milliseconds. */
export async function readRetention(db: D1Database, organizationId: number): Promise<number> {
  const found = await findOrganizations(db, [organizationId], Date.now());
  return (found.get(organizationId)?.settings.retentionDays ?? DEFAULT_RETENTION_DAYS) * DAY_MS;
}

/** `null` takes a setting away. */
export async function changeOrganization(
  db: D1Database,
  organizationId: number,
  change: {
    name?: string | undefined;
    retentionDays?: number | undefined;
    auditDays?: number | undefined;
    operationsCallback?: { url: string } | null | undefined;
    portal?: Brand | null | undefined;
  },
): Promise<Organization> {
  const { name, ...settings } = change;
  await drizzle(db)
    .update(organizations)
    .set({
      ...(name === undefined ? {} : { name }),
      settings: sql`json_patch(${organizations.settings}, ${JSON.stringify(settings)})`,
    })
    .where(eq(organizations.id, organizationId));
  await tellDirectory(db, `organization:${organizationId}`);
  forgetOrganization(organizationId);
  return readOrganization(db, organizationId);
}
