import { type Context, Hono } from "hono";
import { readConfig } from "../../config";
import { readDescriptor } from "../../flows/descriptor";
import { flowDoors } from "../../flows/doors";
import { columnsOf, flowFields } from "../../flows/fields";
import type { Flow } from "../../flows/flow";
import { editFlow, retryChanges } from "../../flows/lifecycle.store";
import { masked } from "../../flows/sealed-flow";
import { savable } from "../../flows/validation/refusals";
import { parseJson } from "../../http/body";
import { notFound } from "../../http/refusal";
import { isObject } from "../../values/record";
import { leave, readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { type Draft, EditPage } from "./edit";
import type { FormFault } from "../form";
import { faultsOfIssues, faultsOfRefusal } from "./form-faults";
import { actingUser, flowOfPath } from "./lookup.io";
import { withNewStep, withoutStep, withStep } from "./step-form";
import { stepsOf } from "./steps";
import { LARGE_FORM } from "./users.routes";
import { PICKER } from "./variable-picker";

type Json = Record<string, unknown>;
const HERE = "/apps/flows/:id";

/** A flow's steps, each as a form, and the whole as JSON: both end in the same change. */
export const editPages = new Hono<ConsoleEnv>()
  .get(`${HERE}/edit`, async (c) => show(c, await flowOfPath(c)))
  .post(`${HERE}/save`, async (c) => {
    const flow = await flowOfPath(c);
    const form = await readForm(c, LARGE_FORM);
    const draft = {
      name: form.get("name")?.trim() ?? "",
      description: (form.get("description") ?? "").replaceAll("\r\n", "\n"),
      json: form.get("flow") ?? "",
    };
    const named: FormFault[] =
      draft.name === "" ? [{ place: "name", message: "Expected a name" }] : [];
    const read = readWhole(draft.json);
    if (!read.ok) return refuse(c, flow, draft, [...named, read.fault]);
    if (named.length > 0) return refuse(c, flow, draft, named);
    const { name, description } = draft;
    return save(c, flow, { draft, fields: { name, description, flow: read.flow }, form });
  })
  .post(`${HERE}/step`, (c) =>
    editStep(c, (shown, form) => {
      const component = componentOf(shown, form.get("component"));
      return withStep(shown, component, form);
    }),
  )
  .post(`${HERE}/add-step`, (c) =>
    editStep(c, (shown, form) => {
      const above = componentOf(shown, form.get("after"));
      return withNewStep(shown, above, (form.get("url") ?? "").trim());
    }),
  )
  .post(`${HERE}/remove-step`, (c) =>
    editStep(c, (shown, form) => withoutStep(shown, componentOf(shown, form.get("component")).id)),
  );

function readWhole(text: string): { ok: true; flow: Json } | { ok: false; fault: FormFault } {
  try {
    const flow = parseJson(text);
    if (isObject(flow)) return { ok: true, flow };
    return { ok: false, fault: { place: "flow", message: "Expected an object of components" } };
  } catch (error) {
    const [fault] = faultsOfRefusal(error) ?? [];
    if (fault === undefined) throw error;
    return {
      ok: false,
      fault: { place: "flow", message: fault.message.replace("The body", "It") },
    };
  }
}

/** @throws Refusal `not-found` when the flow has no such component any more. */
function componentOf(flow: Json, id: string | null) {
  const read = readDescriptor(flow);
  const component = read.ok ? read.descriptor.get(id ?? "") : undefined;
  if (component === undefined) throw notFound("The flow has no such step any more");
  return component;
}

/** Changes one step of the flow as it is shown: masks keep what is stored. */
async function editStep(
  c: Context<ConsoleEnv>,
  change: (shown: Json, form: URLSearchParams) => Json,
): Promise<Response> {
  const flow = await flowOfPath(c);
  const form = await readForm(c, LARGE_FORM);
  const changed = change(masked(flow.flow), form);
  const draft = { ...draftOf(flow), json: JSON.stringify(changed, null, 2) };
  return save(c, flow, { draft, fields: { flow: changed }, form });
}

async function save(
  c: Context<ConsoleEnv>,
  flow: Flow,
  sent: { draft: Draft; fields: Json; form: URLSearchParams },
): Promise<Response> {
  await actingUser(c, flow.userId);
  const fields = flowFields.safeParse(sent.fields);
  if (!fields.success) return refuse(c, flow, sent.draft, faultsOfIssues(fields.error.issues));
  try {
    const columns = savable(columnsOf(fields.data), readConfig(c.env).egress);
    const isForced = sent.form.get("force") === "yes";
    await retryChanges(async () =>
      editFlow(flowDoors(c.env), await flowOfPath(c), columns, isForced),
    );
  } catch (error) {
    const faults = faultsOfRefusal(error);
    if (faults === undefined) throw error;
    return refuse(c, flow, sent.draft, faults.map(inWords));
  }
  return leave(c, `/console/apps/flows/${flow.id}/edit`, { tone: "good", text: "Saved." });
}

const inWords = ({ place, message }: FormFault): FormFault => ({
  place,
  message: message.replace(
    "stop it first, or use forceUpdate=true",
    "stop it first, or tick “change it while it runs”",
  ),
});

const draftOf = (flow: Flow): Draft => ({
  name: flow.name,
  description: flow.description,
  json: JSON.stringify(masked(flow.flow), null, 2),
});

function refuse(
  c: Context<ConsoleEnv>,
  flow: Flow,
  draft: Draft,
  faults: FormFault[],
): Promise<Response> {
  c.status(400);
  const read = readWhole(draft.json);
  return show(c, read.ok ? { ...flow, flow: read.flow } : flow, { draft, faults });
}

async function show(
  c: Context<ConsoleEnv>,
  flow: Flow,
  typed: { draft: Draft; faults: FormFault[] } = { draft: draftOf(flow), faults: [] },
): Promise<Response> {
  return c.render(<EditPage flow={flow} drawn={stepsOf(flow.flow)} {...typed} />, {
    title: `Edit ${flow.name}`,
    here: "apps",
    script: PICKER,
  });
}
