import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { readOrganization } from "../../accounts/organization.store";
import { forbidden } from "../../http/refusal";
import {
  callbackOf,
  organizationChange,
  organizationView,
  saveOrganization,
} from "../../operations/organization.io";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { type Faults, faultOf, faultsOf } from "./faults";
import { OrganizationPage, type Typed, typedOf } from "./page";

/** The field of the form in which each member of a change is typed. */
const FIELDS = {
  name: "name",
  retentionDays: "retentionDays",
  auditDays: "auditDays",
  operationsCallback: "callback",
};

/** Only owners send these forms. */
export const onlyOwners = createMiddleware<ConsoleEnv>(async (c, next) => {
  if (!c.var.asker.scopes.includes("admin")) throw forbidden("This is for owners");
  return next();
});

/** The organization: everybody sees it, owners change it. */
export const settingsPages = new Hono<ConsoleEnv>()
  .get("/settings", async (c) => {
    const { organizationId } = c.var.asker;
    const organization = await readOrganization(c.env.DB, organizationId);
    return show(c, typedOf(organizationView(organizationId, organization)));
  })
  .post("/settings", onlyOwners, async (c) => {
    const form = await formOf(c);
    const typed = {
      name: (form.get("name") ?? "").trim(),
      retentionDays: (form.get("retentionDays") ?? "").trim(),
      auditDays: (form.get("auditDays") ?? "").trim(),
      callback: (form.get("callback") ?? "").trim(),
    };
    const input = organizationChange.safeParse(changeOf(typed));
    const faults = {
      ...(input.success ? {} : faultsOf(input.error, FIELDS)),
      ...(await callbackFault(c, typed.callback)),
    };
    if (!input.success || Object.keys(faults).length > 0) return show(c, typed, faults);
    const { id } = await saveOrganization(c, input.data);
    c.set("subject", id);
    return leave(c, "/console/settings", { tone: "good", text: "Saved." });
  });

const changeOf = ({ name, retentionDays, auditDays, callback }: Typed) => ({
  name,
  retentionDays: numberOf(retentionDays),
  auditDays: numberOf(auditDays),
  operationsCallback: callback === "" ? null : { url: callback },
});

/** A number as it was typed; what is none is refused as what it is. */
const numberOf = (text: string): number | string => (/^\d{1,6}$/.test(text) ? Number(text) : text);

async function callbackFault(c: Context<ConsoleEnv>, url: string): Promise<Faults> {
  try {
    await callbackOf(c, url === "" ? undefined : url);
    return {};
  } catch (error) {
    return faultOf(error, FIELDS);
  }
}

function show(c: Context<ConsoleEnv>, typed: Typed, faults: Faults = {}): Promise<Response> {
  const { organizationId, scopes } = c.var.asker;
  if (Object.keys(faults).length > 0) c.status(400);
  return c.render(
    <OrganizationPage
      organizationId={organizationId}
      isOwner={scopes.includes("admin")}
      typed={typed}
      faults={faults}
    />,
    { title: "Settings", here: "settings" },
  );
}
