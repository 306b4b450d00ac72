import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import * as z from "zod";
import { DEFAULT_AUDIT_DAYS } from "../accounts/audit.store";
import type { AskerEnv } from "../accounts/asker.io";
import { type Brand, brandChange } from "../accounts/tenants/brand";
import { changeOrganization, type Organization } from "../accounts/organization.store";
import { watchOrganization } from "../accounts/watch-organization.io";
import { readConfig } from "../config";
import { keyring } from "../db/sealed";
import { readDestination } from "../delivery/destinations.store";
import { deleteDestination } from "../delivery/remove-destination.store";
import { saveDestination } from "../delivery/save-destination.store";
import { checkEgress } from "../http/egress";
import { invalid } from "../http/refusal";
import { operationsDestinationId } from "../stream/operational-event";
import { MASK } from "../values/secret-name";
import { maskedUrl, unmaskedUrl } from "../values/secret-text";

const DAYS = "Expected a whole number of days, 1 to 30";
const AUDIT_DAYS = "Expected a whole number of days, 30 to 3650";
/** What may be changed of an organization. */
export const organizationChange = z.strictObject({
  name: z.string("Expected a name").min(1).max(255).optional(),
  retentionDays: z.int(DAYS).min(1, DAYS).max(30, DAYS).optional(),
  auditDays: z.int(AUDIT_DAYS).min(30, AUDIT_DAYS).max(3_650, AUDIT_DAYS).optional(),
  operationsCallback: z
    .strictObject({ url: z.string("Expected a URL") })
    .nullable()
    .optional(),
  portal: brandChange
    .nullable()
    .optional()
    .describe("How pages for people of your tenants look, as a whole"),
});

/** An organization as it is shown. */
export type OrganizationView = {
  id: string;
  name: string;
  retentionDays: number;
  auditDays: number;
  operationsCallback: { url: string | null } | null;
  portal: Brand;
};

const PLAIN: Brand = { name: null, logo: null, accent: null, scheme: null };

export const organizationView = (
  id: number,
  { name, settings }: Organization,
): OrganizationView => ({
  id: String(id),
  name,
  retentionDays: settings.retentionDays ?? 7,
  auditDays: settings.auditDays ?? DEFAULT_AUDIT_DAYS,
  operationsCallback:
    settings.operationsCallback === undefined
      ? null
      : { url: maskedUrl(settings.operationsCallback.url) },
  portal: { ...PLAIN, ...settings.portal },
});

/**
 * Changes the asker's organization, and its operational callback with it; a mask in the URL keeps the stored value.
 * @throws Refusal `invalid` that names `operationsCallback.url` when that may not be called.
 */
export async function saveOrganization(
  c: Context<AskerEnv>,
  changes: z.infer<typeof organizationChange>,
): Promise<OrganizationView> {
  const { organizationId } = c.var.asker;
  await watchOrganization(c);
  const url = await callbackOf(c, changes.operationsCallback?.url);
  const id = operationsDestinationId(organizationId);
  if (url !== undefined) {
    const draft = {
      id,
      organizationId,
      kind: "operations" as const,
      ownerId: String(organizationId),
      url,
      headers: {},
      legacyKey: null,
    };
    const ring = keyring(readConfig(c.env).masterKeys);
    await drizzle(c.env.DB).batch(await saveDestination(c.env.DB, ring, draft, Date.now()));
  }
  if (changes.operationsCallback === null)
    await drizzle(c.env.DB).batch([deleteDestination(c.env.DB, id)]);
  const saved = await changeOrganization(c.env.DB, organizationId, {
    ...changes,
    ...(changes.portal && { portal: { ...PLAIN, ...changes.portal } }),
    // Its destination knows the credentials; here it is only shown.
    ...(url === undefined ? {} : { operationsCallback: { url: maskedUrl(url) } }),
  });
  return organizationView(organizationId, saved);
}

/**
 * The URL of an operational callback as it was given, with stored credentials in the place of their masks.
 * @throws Refusal `invalid` when that may not be called.
 */
export async function callbackOf(
  c: Context<AskerEnv>,
  given: string | undefined,
): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const field = "operationsCallback.url";
  const { egress, masterKeys } = readConfig(c.env);
  const { organizationId } = c.var.asker;
  const id = operationsDestinationId(organizationId);
  const stored = given.includes(MASK)
    ? (await readDestination(c.env.DB, keyring(masterKeys), organizationId, id))?.url
    : undefined;
  const url = unmaskedUrl(given, stored ?? "");
  if (url.includes(MASK))
    throw invalid(`${field}: '${MASK}' keeps a stored value, and there is none`, field);
  const verdict = checkEgress(url, egress);
  if (!verdict.ok) throw invalid(`${field}: ${verdict.message}`, field);
  return url;
}
