import { type Context, Hono } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { beginPortal } from "../../accounts/tenants/begin-portal.io";
import { tenantOfPath, watchTenant } from "../../accounts/tenants/lookup.io";
import { createTenant, listTenants } from "../../accounts/tenants/store";
import { newTenant, type Tenant, tenantChange } from "../../accounts/tenants/tenant";
import { conflict } from "../../http/refusal";
import { saveTenant } from "../../operations/tenants/change.io";
import { removeTenant } from "../../operations/tenants/remove.io";
import { beginConnecting, offersOf } from "../connect-page/begin.io";
import { offersOf as fieldOffers } from "../fields/offers.io";
import { type Faults, faultsOf } from "../settings/faults";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { belongingsOf } from "./belongings.io";
import type { MadeLink } from "./links";
import { changeOf, FIELDS, NOTHING, type Typed, typedIn, typedOf } from "./form";
import { TenantList } from "./list";
import { TenantPage } from "./page";

const PAGE = 50;
const HERE = "/console/tenants";

/** Customers of the organization, and what belongs to each. */
export const tenantPages = new Hono<ConsoleEnv>()
  .get("/tenants", (c) => showList(c, NOTHING))
  .post("/tenants", async (c) => {
    const form = await formOf(c);
    const typed = typedIn(form);
    const id = (form.get("id") ?? "").trim();
    const input = newTenant.safeParse({ id, ...changeOf(typed), name: typed.name || undefined });
    if (!input.success) return showList(c, { ...typed, id }, faultsOf(input.error, FIELDS));
    const { name = id, ...traits } = input.data;
    const { organizationId } = c.var.asker;
    const draft = { ...traits, name };
    const made = await createTenant(c.env.DB, organizationId, draft, Date.now());
    if (made === undefined)
      return showList(
        c,
        { ...typed, id },
        { id: `There is a tenant '${id}', or it is still being deleted` },
      );
    watchTenant(c, made, true);
    c.set("subject", made.id);
    return leave(c, addressOf(made), { tone: "good", text: `${made.name} is there.` });
  })
  .get("/tenants/:id", async (c) => showOne(c, await tenantOfPath(c)))
  .post("/tenants/:id", async (c) => {
    const tenant = await tenantOfPath(c);
    const typed = typedIn(await formOf(c));
    const input = tenantChange.safeParse(changeOf(typed));
    if (!input.success) return showOne(c, tenant, { typed, faults: faultsOf(input.error, FIELDS) });
    const { name } = await saveTenant(c, tenant.id, input.data);
    return leave(c, addressOf(tenant), { tone: "good", text: `${name} is saved.` });
  })
  .post("/tenants/:id/enable", (c) => switchTenant(c, false))
  .post("/tenants/:id/disable", (c) => switchTenant(c, true))
  .post("/tenants/:id/connect-sessions", async (c) => {
    const tenant = await tenantOfPath(c);
    const connector = (await formOf(c)).get("connector") ?? "";
    const asked = connector === "" ? {} : { connectors: [connector] };
    const made = await beginConnecting(c, tenant, asked);
    return showOne(c, tenant, { made: { to: "connect", ...made } });
  })
  .post("/tenants/:id/portal-sessions", async (c) => {
    const tenant = await tenantOfPath(c);
    const access = (await formOf(c)).get("access") ?? undefined;
    const made = await beginPortal(c, tenant, { access });
    return showOne(c, tenant, { made: { to: "portal", ...made } });
  })
  .post("/tenants/:id/delete", async (c) => {
    const tenant = await tenantOfPath(c);
    const form = await formOf(c);
    if (form.get("confirm") !== tenant.id)
      throw conflict(`Type '${tenant.id}' to delete the tenant with all that belongs to it`);
    await removeTenant(c, tenant.id, true);
    return leave(c, HERE, {
      tone: "good",
      text: `${tenant.name} is deleted, and all that was its.`,
    });
  });

const addressOf = ({ id }: Pick<Tenant, "id">): string => `${HERE}/${encodeURIComponent(id)}`;

async function switchTenant(
  c: Context<ConsoleEnv & AskerEnv>,
  disabled: boolean,
): Promise<Response> {
  const tenant = await tenantOfPath(c);
  await formOf(c);
  await saveTenant(c, tenant.id, { disabled });
  const text = disabled
    ? `${tenant.name} is off: nothing is polled, taken in or delivered.`
    : `${tenant.name} is on, and gets what was held.`;
  return leave(c, addressOf(tenant), { tone: "good", text });
}

async function showList(
  c: Context<ConsoleEnv>,
  typed: Typed & { id: string },
  faults: Faults = {},
): Promise<Response> {
  const { organizationId } = c.var.asker;
  const search = (c.req.query("search") ?? "").trim().slice(0, 200);
  const after = c.req.query("after") ?? "";
  const page = { after, limit: PAGE, ...(search === "" ? {} : { search }) };
  const tenants = await listTenants(c.env.DB, organizationId, page);
  const last = tenants.length < PAGE ? undefined : tenants.at(-1);
  const more = new URLSearchParams({ search, after: last?.id ?? "" });
  if (Object.keys(faults).length > 0) c.status(400);
  return c.render(
    <TenantList
      tenants={tenants}
      search={search}
      next={last === undefined ? null : `${HERE}?${more.toString()}`}
      organizationId={organizationId}
      typed={typed}
      faults={faults}
      now={Date.now()}
    />,
    { title: "Tenants", here: "tenants" },
  );
}

async function showOne(
  c: Context<ConsoleEnv>,
  tenant: Tenant,
  about: { typed?: Typed; faults?: Faults; made?: MadeLink } = {},
): Promise<Response> {
  const { typed = typedOf(tenant), faults = {}, made } = about;
  const offers = await offersOf(c, { connectors: null, configuration: {} });
  if (Object.keys(faults).length > 0) c.status(400);
  return c.render(
    <TenantPage
      tenant={tenant}
      belongings={await belongingsOf(c, tenant)}
      connectors={offers.map(({ connector }) => connector)}
      made={made}
      offers={await fieldOffers(c)}
      organizationId={c.var.asker.organizationId}
      typed={typed}
      faults={faults}
      now={Date.now()}
    />,
    { title: tenant.name, here: "tenants" },
  );
}
