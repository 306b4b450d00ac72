import { type Context, Hono } from "hono";
import {
  changeEndUser,
  type EndUser,
  listEndUsers,
  type UserChange,
} from "../../accounts/users/admin.store";
import { userNames } from "../../accounts/users/names.store";
import { watchChange } from "../../accounts/watch.io";
import { eventName } from "../../app-events/event-name";
import { publish, streamOf } from "../../app-events/publish.io";
import { flowDoors } from "../../flows/doors";
import { columnsOf, flowFields } from "../../flows/fields";
import { userSource } from "../../flows/ids";
import { type BriefFlow, countFlowsOf, flowsOfType, flowsOfUser } from "../../flows/list/store";
import { createFlow, newFlow } from "../../flows/store";
import { savable } from "../../flows/validation/refusals";
import { conflict, notFound } from "../../http/refusal";
import { parseJson } from "../../http/body";
import { numericId } from "../../values/whole-number";
import { rowOf } from "../deliveries/list";
import { leave, readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { faultsOfIssues, faultsOfRefusal } from "./form-faults";
import { actingUser, userOfPath } from "./lookup.io";
import { firstFlow } from "./step-form";
import { type Typed, UserPage } from "./user";
import { nameOf, TemplateList, UserList } from "./users";

const PAGE = 50;
const FLOWS = 25;
const ROWS = 25;
/** Of a form with an event's data or a flow. */
export const LARGE_FORM = 3_000_000;
const CONTENT = { method: "POST", query: {}, headers: { "content-type": "application/json" } };

export const userPages = new Hono<ConsoleEnv>()
  .get("/apps", async (c) => {
    const search = (c.req.query("search") ?? "").trim().slice(0, 200);
    const after = numericId(c.req.query("after") ?? "") ?? 0;
    const { organizationId } = c.var.asker;
    const page = { after, limit: PAGE, ...(search === "" ? {} : { search }) };
    const users = await listEndUsers(c.env.DB, organizationId, page);
    const last = users.at(-1);
    const isLast = last === undefined || users.length < PAGE;
    return c.render(
      <UserList
        users={users}
        counts={await countFlowsOf(
          c.env.DB,
          users.map(({ id }) => id),
        )}
        search={search}
        next={
          isLast
            ? null
            : `/console/apps?${String(new URLSearchParams({ search, after: String(last.id) }))}`
        }
        now={Date.now()}
      />,
      { title: "Apps", here: "apps" },
    );
  })
  .get("/apps/templates", async (c) => {
    const { organizationId } = c.var.asker;
    const page = { after: placeOf(c.req.query("after")), limit: PAGE };
    const flows = await flowsOfType(c.env.DB, organizationId, "integration-template", page);
    const owners = await userNames(
      c.env.DB,
      organizationId,
      flows.map(({ userId }) => userId),
    );
    return c.render(
      <TemplateList
        flows={flows}
        names={new Map(owners.map(({ id, name }) => [id, name]))}
        next={nextOf("/console/apps/templates", flows, PAGE)}
        now={Date.now()}
      />,
      { title: "Templates", here: "apps" },
    );
  })
  .get("/apps/users/:id", async (c) => show(c, await userOfPath(c)))
  .post("/apps/users/:id/enable", (c) => switchUser(c, true))
  .post("/apps/users/:id/disable", (c) => switchUser(c, false))
  .post("/apps/users/:id/events", async (c) => {
    const user = await userOfPath(c);
    const form = await readForm(c, LARGE_FORM);
    const acting = await actingUser(c, user.id);
    const flowId = form.get("flow") ?? "";
    const body = form.get("data") ?? "";
    try {
      const data = body.trim() === "" ? null : parseJson(body);
      const published = await publish({ db: c.env.DB, streams: c.env.EVENT_STREAMS }, acting, {
        name: eventName((form.get("event") ?? "").trim()),
        body: body.trim() === "" ? "null" : body,
        record: { content: { ...CONTENT, data }, ...(flowId === "" ? {} : { flowId }) },
        idempotencyKey: undefined,
      });
      const started = published.record.triggers.length;
      const to = flowId === "" ? `users/${user.id}` : `flows/${encodeURIComponent(flowId)}`;
      return await leave(c, `/console/apps/${to}`, {
        tone: started === 0 ? "bad" : "good",
        text:
          started === 0
            ? "The event came, and no flow that runs listens to it."
            : `The event started ${started === 1 ? "1 run" : `${started} runs`}.`,
      });
    } catch (error) {
      const faults = faultsOfRefusal(error);
      if (faults === undefined) throw error;
      c.status(400);
      return show(c, user, { event: { faults, values: Object.fromEntries(form) } });
    }
  })
  .post("/apps/users/:id/flows", async (c) => {
    const user = await userOfPath(c);
    const form = await readForm(c, LARGE_FORM);
    const acting = await actingUser(c, user.id);
    const values = Object.fromEntries(form);
    const text = (name: string): string => form.get(name)?.trim() ?? "";
    const flow = firstFlow(text("event"), text("eventDataExample"), text("url"));
    const fields = flowFields.safeParse({ name: text("name"), flow });
    const refuse = (faults: Typed["faults"]) => {
      c.status(400);
      return show(c, user, { flow: { faults, values } });
    };
    if (!fields.success) return refuse(faultsOfIssues(fields.error.issues));
    try {
      const doors = flowDoors(c.env);
      const id = crypto.randomUUID();
      const columns = savable(columnsOf(fields.data), doors.config.egress);
      await createFlow(doors, newFlow(acting, id, columns));
      c.set("subject", id);
      const notice = { tone: "good", text: "Created. Look it over, then start it." } as const;
      return await leave(c, `/console/apps/flows/${id}`, notice);
    } catch (error) {
      const faults = faultsOfRefusal(error);
      if (faults === undefined) throw error;
      return refuse(faults);
    }
  });

async function show(
  c: Context<ConsoleEnv>,
  user: EndUser,
  typed: { event?: Typed; flow?: Typed } = {},
): Promise<Response> {
  const before = numericId(c.req.query("before") ?? "") ?? null;
  const page = { after: placeOf(c.req.query("after")), limit: FLOWS };
  const { organizationId } = c.var.asker;
  const stream = streamOf(c.env.EVENT_STREAMS, { id: user.id, organizationId });
  const [flows, views] = await Promise.all([
    flowsOfUser(c.env.DB, user.id, page),
    stream.notifications({ before, limit: ROWS, withEvents: true }),
  ]);
  const here = `/console/apps/users/${user.id}`;
  const last = views.at(-1)?.notification.seq ?? 1;
  return c.render(
    <UserPage
      user={user}
      flows={flows}
      nextFlows={nextOf(here, flows, FLOWS)}
      rows={views.map((view) => rowOf(view, userSource(user.id), nameOf(user)))}
      older={views.length < ROWS || last === 1 ? null : `${here}?before=${last}`}
      now={Date.now()}
      {...typed}
    />,
    { title: nameOf(user), here: "apps" },
  );
}

/** The place that a link to the next page of flows names. */
export function placeOf(text: string | undefined): { mtime: number; id: string } | null {
  const [, mtime, id] = /^(\d{1,15})\.([\w-]{1,64})$/.exec(text ?? "") ?? [];
  return mtime === undefined || id === undefined ? null : { mtime: Number(mtime), id };
}

export function nextOf(path: string, flows: readonly BriefFlow[], size: number): string | null {
  const last = flows.at(-1);
  return last === undefined || flows.length < size
    ? null
    : `${path}?after=${last.mtime}.${encodeURIComponent(last.id)}`;
}

async function switchUser(c: Context<ConsoleEnv>, isActive: boolean): Promise<Response> {
  const user = await userOfPath(c);
  const { organizationId } = c.var.asker;
  const read = async () => ({ isActive: (await userOfPath(c)).isActive });
  watchChange(c, () => ({ isActive: user.isActive }), read);
  const done = await changeEndUser(c.env.DB, organizationId, user.id, { isActive });
  return leave(c, `/console/apps/users/${user.id}`, {
    tone: "good",
    text: isActive
      ? `${nameOf(changed(done))} may sign in again, and their flows run.`
      : `${nameOf(changed(done))} can't sign in any more, and no flow of theirs runs.`,
  });
}

function changed(change: UserChange): EndUser {
  switch (change.kind) {
    case "done":
      return change.user;
    case "first":
      throw conflict("The organization's keys act in the name of this user");
    case "unknown":
      throw notFound("There is no such user");
  }
}
