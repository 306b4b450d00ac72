import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { readOrganization } from "../../accounts/organization.store";
import { readDestination } from "../../delivery/destinations.store";
import { forbidden, notFound, Refusal } from "../../http/refusal";
import { ringOf } from "../../operations/destinations/lookup.io";
import { sendTest } from "../../operations/destinations/test.io";
import {
  callbackOf,
  organizationChange,
  organizationView,
  saveOrganization,
} from "../../operations/organization.io";
import { operationalBody, operationsDestinationId } from "../../stream/operational-event";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { type Faults, faultOf, faultsOf } from "./faults";
import { OrganizationPage, type Tried, type Typed, typedOf } from "./page";

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
  .get("/settings", async (c) => show(c, await storedOf(c)))
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
    if (!input.success || Object.keys(faults).length > 0) return show(c, typed, { faults });
    const { id } = await saveOrganization(c, input.data);
    c.set("subject", id);
    return leave(c, "/console/settings", { tone: "good", text: "Saved." });
  })
  .post("/settings/callback/test", async (c) => {
    await formOf(c);
    const { organizationId } = c.var.asker;
    const id = operationsDestinationId(organizationId);
    const destination = await readDestination(c.env.DB, ringOf(c), organizationId, id);
    if (destination === undefined) throw notFound("There is no operational callback");
    const typed = await storedOf(c);
    try {
      const event = operationalBody({ type: "test", data: { organizationId } }, Date.now());
      return await show(c, typed, { tried: await sendTest(c, { destination }, event) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, typed, { tried: error.message });
    }
  });

async function storedOf(c: Context<ConsoleEnv>): Promise<Typed> {
  const { organizationId } = c.var.asker;
  return typedOf(
    organizationView(organizationId, await readOrganization(c.env.DB, organizationId)),
  );
}

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

function show(
  c: Context<ConsoleEnv>,
  typed: Typed,
  { faults = {}, tried }: { faults?: Faults; tried?: Tried } = {},
): Promise<Response> {
  const { organizationId, scopes } = c.var.asker;
  if (Object.keys(faults).length > 0) c.status(400);
  return c.render(
    <OrganizationPage
      organizationId={organizationId}
      isOwner={scopes.includes("admin")}
      typed={typed}
      faults={faults}
      tried={tried}
      now={Date.now()}
    />,
    { title: "Settings", here: "settings" },
  );
}
