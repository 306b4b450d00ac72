import type { Context } from "hono";
import type { Brand } from "../../accounts/tenants/brand";
import { readOrganization } from "../../accounts/organization.store";
import { equalSecrets, hashSecret } from "../../accounts/secret";
import { readTenant } from "../../accounts/tenants/store";
import type { Tenant } from "../../accounts/tenants/tenant";
import { forbidden, type Refusal, unauthenticated } from "../../http/refusal";
import { readForm } from "../session/routes";
import type { Visitor } from "./page";

/** As much as all fields of the largest form may hold. */
const FORM_BYTES = 64 * 1024;

/** Who looks in with the token of a session; undefined: its tenant is gone. */
export async function visitorOf(
  db: D1Database,
  session: {
    organizationId: number;
    tenantId: string;
    access: Visitor["access"];
    brand?: Brand | null;
  },
  token: string,
): Promise<(Visitor & { tenant: Tenant }) | undefined> {
  const { organizationId, tenantId, access } = session;
  const tenant = await readTenant(db, organizationId, tenantId);
  if (tenant === undefined) return undefined;
  const { name, settings } = await readOrganization(db, organizationId);
  const brand = { ...settings.portal, ...session.brand };
  const organizationName = brand.name ?? name;
  return { access, tenant, brand, organizationName, formToken: hashSecret(`form ${token}`) };
}

/** The form that was sent. @throws Refusal `forbidden` when it is of no page that the visitor was shown. */
export async function ownForm(c: Context, { formToken }: Visitor): Promise<URLSearchParams> {
  const form = await readForm(c, FORM_BYTES);
  if (!equalSecrets(form.get("formToken") ?? "", formToken))
    throw forbidden("This form belongs to a page that is closed: go back and load it anew");
  return form;
}

export const closed = (): Refusal =>
  unauthenticated("This page is closed: open it again from where you came from");

export const usedUp = (): Refusal =>
  unauthenticated("This link was opened before, or is over: ask for a new one");
