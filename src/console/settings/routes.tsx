import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { readOrganization } from "../../accounts/organization.store";
import { readDestination } from "../../delivery/destinations.store";
import { faultsOf } from "../../http/faults";
import { forbidden, notFound, Refusal, type Violation } from "../../http/refusal";
import { ringOf } from "../../operations/destinations/lookup.io";
import { sendTest } from "../../operations/destinations/test.io";
import {
  callbackOf,
  organizationChange,
  organizationView,
  saveOrganization,
} from "../../operations/organization.io";
import { recordOf } from "../../values/record";
import { operationalBody, operationsDestinationId } from "../../stream/operational-event";
import { faultsOfRefusal } from "../connectors/editing.io";
import { changesIn, faultsIn, type Typed, typedIn, typedOf } from "../fields/typed";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import type { Faults } from "./faults";
import { FIELDS, OrganizationPage, type Tried } from "./page";

/** With a logo. */
const FORM_BYTES = 64 * 1024;

/** Only owners send these forms. */
export const onlyOwners = createMiddleware<ConsoleEnv>(async (c, next) => {
  if (!c.var.asker.scopes.includes("admin")) throw forbidden("This is for owners");
  return next();
});

/** The organization: everybody sees it, owners change it. */
export const settingsPages = new Hono<ConsoleEnv>()
  .get("/settings", (c) => show(c))
  .post("/settings", onlyOwners, async (c) => {
    const typed = typedIn(await formOf(c, FORM_BYTES), FIELDS);
    const changes = changesIn(typed, await storedOf(c), FIELDS);
    const input = organizationChange.safeParse(changes);
    const violations = [
      ...(input.success ? [] : faultsOf(input.error)),
      ...(await callbackFaults(c, recordOf(changes["operationsCallback"])["url"])),
    ];
    if (!input.success || violations.length > 0)
      return show(c, { typed, faults: faultsIn(violations, typed, FIELDS) });
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
    try {
      const event = operationalBody({ type: "test", data: { organizationId } }, Date.now());
      return await show(c, { tried: await sendTest(c, { destination }, event) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, { tried: error.message });
    }
  });

async function storedOf(c: Context<ConsoleEnv>): Promise<Typed> {
  const { organizationId } = c.var.asker;
  const organization = await readOrganization(c.env.DB, organizationId);
  return typedOf(organizationView(organizationId, organization), FIELDS);
}

async function callbackFaults(c: Context<ConsoleEnv>, url: unknown): Promise<Violation[]> {
  try {
    await callbackOf(c, typeof url === "string" ? url : undefined);
    return [];
  } catch (error) {
    return faultsOfRefusal(error);
  }
}

async function show(
  c: Context<ConsoleEnv>,
  { typed, faults = {}, tried }: { typed?: Typed; faults?: Faults; tried?: Tried } = {},
): Promise<Response> {
  const { organizationId, scopes } = c.var.asker;
  if (Object.keys(faults).length > 0) c.status(400);
  return c.render(
    <OrganizationPage
      organizationId={organizationId}
      isOwner={scopes.includes("admin")}
      typed={{ ...(await storedOf(c)), ...typed }}
      faults={faults}
      tried={tried}
      now={Date.now()}
    />,
    { title: "Settings", here: "settings" },
  );
}
