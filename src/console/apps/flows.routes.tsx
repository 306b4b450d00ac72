import { type Context, Hono } from "hono";
import * as z from "zod";
import { findByLogin } from "../../accounts/users/store";
import { flowDoors } from "../../flows/doors";
import { columnsOf, flowFields } from "../../flows/fields";
import type { Flow } from "../../flows/flow";
import { commandFlow, deleteFlow, editFlow, retryChanges } from "../../flows/lifecycle.store";
import { readFlow } from "../../flows/store";
import { cloneRequest } from "../../flows/templates/clone";
import { cloneFlow } from "../../flows/templates/clone.io";
import { publish } from "../../flows/templates/publish.io";
import { readTicket } from "../../flows/templates/tickets.store";
import { beginUpdate, continueUpdate } from "../../flows/templates/update.io";
import { notFound } from "../../http/refusal";
import { leave, readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { showFlow } from "./flow-view.io";
import { faultsOfIssues, faultsOfRefusal } from "./form-faults";
import { actingUser, flowOfPath } from "./lookup.io";
import { UpdatePage } from "./templates";

const pageOf = (id: string): string => `/console/apps/flows/${id}`;
const HERE = "/apps/flows/:id";
const TEMPLATE = "/apps/integrations/:id";
type Share = Flow["sharedWith"][number];

/** One flow: looked at, switched, shared, published. */
export const flowPages = new Hono<ConsoleEnv>()
  .get(HERE, async (c) => showFlow(c, await flowOfPath(c)))
  .post(`${HERE}/start`, (c) => command(c, "start"))
  .post(`${HERE}/stop`, (c) => command(c, "stop"))
  .post(`${HERE}/delete`, async (c) => {
    const flow = await flowOfPath(c);
    await actingUser(c, flow.userId);
    await deleteFlow(flowDoors(c.env), flow);
    const text = `${flow.name} is deleted.`;
    return leave(c, `/console/apps/users/${flow.userId}`, { tone: "good", text });
  })
  .post(`${HERE}/share`, async (c) => {
    const flow = await flowOfPath(c);
    const share = shareOf(await readForm(c));
    const fields = flowFields.safeParse({ sharedWith: [...flow.sharedWith, share] });
    if (!fields.success) {
      c.status(400);
      return showFlow(c, flow, { shareFaults: faultsOfIssues(fields.error.issues) });
    }
    return setShares(c, (now) => [...now.sharedWith, share], "Shared.");
  })
  .post(`${HERE}/unshare`, async (c) => {
    const taken = (await readForm(c)).get("share");
    const others = (now: Flow): Share[] =>
      now.sharedWith.filter((share) => JSON.stringify(share) !== taken);
    return setShares(c, others, "Taken back.");
  })
  .post(`${HERE}/draft`, async (c) => {
    const flow = await flowOfPath(c);
    const user = await actingUser(c, flow.userId);
    const request = cloneRequest.parse({
      projection: "-sharedWith",
      additional: { type: "integration-draft" },
    });
    const id = await cloneFlow(flowDoors(c.env), user, flow, request);
    const text = "A draft was made of it: edit and publish it.";
    return leave(c, pageOf(id), { tone: "good", text });
  })
  .post("/apps/drafts/:id/publish", async (c) => {
    const draft = await flowOfPath(c);
    const user = await actingUser(c, draft.userId);
    return attempt(c, draft, async () => {
      const id = await publish(flowDoors(c.env), user, draft, false);
      return leave(c, pageOf(id), { tone: "good", text: "Published." });
    });
  });

/** What is made of templates. */
export const templatePages = new Hono<ConsoleEnv>()
  .post(`${TEMPLATE}/activate`, async (c) => {
    const template = await flowOfPath(c);
    const login = ((await readForm(c)).get("user") ?? "").trim();
    const found = login === "" ? undefined : await findByLogin(c.env.DB, login);
    const isOurs = found?.organizationId === template.organizationId;
    const bad = (message: string) => {
      c.status(400);
      return showFlow(c, template, { faults: [{ place: "", message }] });
    };
    if (found === undefined || !isOurs) return bad(`No user is called “${login.slice(0, 100)}”.`);
    const user = await actingUser(c, found.id);
    if ((await readFlow(c.env.DB, user, template.id)) === undefined)
      return bad(`Share the template with ${user.username} first: they don't see it.`);
    const request = cloneRequest.parse({ isTemplateInstance: true });
    const id = await cloneFlow(flowDoors(c.env), user, template, request);
    const text = `Activated for ${user.username}: start it when it is ready.`;
    return leave(c, pageOf(id), { tone: "good", text });
  })
  .post(`${TEMPLATE}/update-all`, async (c) => {
    const template = await flowOfPath(c);
    await actingUser(c, template.userId);
    const isDropping = (await readForm(c)).get("drop") === "yes";
    const { id } = await beginUpdate(flowDoors(c.env), template, isDropping);
    return c.redirect(`/console/apps/integrations/${template.id}/status/${id}`, 303);
  })
  .get(`${TEMPLATE}/status/:ticket`, async (c) => {
    const template = await flowOfPath(c);
    const id = c.req.param("ticket");
    const found = await readTicket(c.env.DB, template.userId, id);
    if (found === undefined || found.templateId !== template.id)
      throw notFound(`No update '${id.slice(0, 100)}'`);
    // A look goes on with the work, as on the app surface; a viewer's only waits for the next tick.
    const mayChange = c.var.asker.scopes.includes("write");
    const ticket = mayChange ? await continueUpdate(flowDoors(c.env), found) : found;
    const live = ticket.status === "running";
    return c.render(<UpdatePage flow={template} ticket={ticket} />, {
      title: `Update of ${template.name}`,
      here: "apps",
      live,
    });
  });

async function command(c: Context<ConsoleEnv>, wanted: "start" | "stop"): Promise<Response> {
  const first = await flowOfPath(c);
  await actingUser(c, first.userId);
  return attempt(c, first, async () => {
    await commandFlow(flowDoors(c.env), wanted, () => flowOfPath(c));
    const text =
      wanted === "start"
        ? "Started: what it listens to starts a run from now on."
        : "Stopped: nothing starts a run, and no waiting step leaves.";
    return leave(c, pageOf(first.id), { tone: "good", text });
  });
}

/** Does something that the flow may refuse, and says why on its page. */
async function attempt(
  c: Context<ConsoleEnv>,
  flow: Flow,
  act: () => Promise<Response>,
): Promise<Response> {
  try {
    return await act();
  } catch (error) {
    const faults = faultsOfRefusal(error);
    if (faults === undefined) throw error;
    c.status(409);
    return showFlow(c, flow, { faults });
  }
}

const permissions = z.enum(["read", "start", "stop"]).options;

/** Whom a form names, and what they may; without a name, nobody, which is refused. */
function shareOf(form: URLSearchParams): Share {
  const name = (form.get("with") ?? "").trim();
  const may = permissions.filter((permission) => form.get(permission) === "yes");
  const kind = form.get("kind");
  if (kind === "scope") return { scope: "user", permissions: may };
  if (name === "") return { permissions: may };
  return kind === "domain"
    ? { domain: name.replace(/^@/, ""), permissions: may }
    : { email: name, permissions: may };
}

/** Sharing takes effect whether the flow runs or not: no run of it is touched. */
async function setShares(
  c: Context<ConsoleEnv>,
  change: (now: Flow) => Share[],
  text: string,
): Promise<Response> {
  const first = await flowOfPath(c);
  await actingUser(c, first.userId);
  await retryChanges(async () => {
    const flow = await flowOfPath(c);
    return editFlow(flowDoors(c.env), flow, columnsOf({ sharedWith: change(flow) }), true);
  });
  return leave(c, pageOf(first.id), { tone: "good", text });
}
