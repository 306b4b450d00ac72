import { type Context, Hono } from "hono";
import type { ActorEnv } from "../../accounts/audit.io";
import { connectorEventTypes } from "../../connectors/event-types";
import { changeType, createType, removeType, typeRowOfPath } from "../../event-types/edit.io";
import { type EventTypeView, faultsOf, ownView } from "../../event-types/event-type";
import { findType, pageOfTypes } from "../../event-types/list.io";
import { typeOf } from "../../event-types/store";
import { notFound } from "../../http/refusal";
import { parsedJson } from "../../values/json";
import { quoted } from "../../values/text";
import { faultsOfRefusal } from "../connectors/editing.io";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import type { Faults } from "../settings/faults";
import { TypeForm } from "./form";
import { addressOf, TypeList } from "./list";
import { type Trial, TypePage } from "./page";
import {
  definitionOf,
  faultsByField,
  NEW_TYPE,
  NO_JSON,
  type Typed,
  typedIn,
  typedOf,
} from "./typed";

const NEW = "/console/new-event-type";
const PAGE_SIZE = 100;
const FORM_BYTES = 1024 * 1024;

type PagesEnv = ConsoleEnv & ActorEnv;

/** Event types: look for them, make, edit and delete them, and test a body by one. */
export const eventTypePages = new Hono<PagesEnv>()
  .get("/event-types", async (c) => {
    const { search = "", whose = "", after = "" } = c.req.query();
    const { organizationId } = c.var.asker;
    const builtIn = whose === "" ? undefined : whose === "builtIn";
    const wanted = { after, search, builtIn, limit: PAGE_SIZE };
    const found = await pageOfTypes(c.env.DB, organizationId, connectorEventTypes, wanted);
    const last = found.isMore ? found.items.at(-1)?.name : undefined;
    const query = new URLSearchParams({ search, whose, after: last ?? "" });
    const next = last === undefined ? null : `/console/event-types?${query.toString()}`;
    return c.render(<TypeList types={found.items} search={search} whose={whose} next={next} />, {
      title: "Event types",
      here: "events",
    });
  })
  .get("/new-event-type", (c) => showForm(c, NEW_TYPE))
  .post("/new-event-type", async (c) => {
    const typed = typedIn(await formOf(c, FORM_BYTES));
    return saved(c, typed, {}, (given) => createType(c, given));
  })
  .get("/event-types/:name", async (c) => showType(c, await typeOfPath(c)))
  .get("/event-types/:name/edit", async (c) => {
    const { version, ...type } = typeOf(await typeRowOfPath(c));
    return showForm(c, typedOf(ownView({ ...type, version })), { version });
  })
  .post("/event-types/:name/edit", async (c) => {
    const { name } = await typeRowOfPath(c);
    const form = await formOf(c, FORM_BYTES);
    const version = Number(form.get("version"));
    const typed = { ...typedIn(form), name };
    return saved(c, typed, { version }, (given) => changeType(c, { ...given, version }));
  })
  .post("/event-types/:name/test", async (c) => {
    const type = await typeOfPath(c);
    const body = (await formOf(c, FORM_BYTES)).get("body") ?? "";
    const data = parsedJson(body);
    const faults =
      data === undefined ? [{ path: "", message: NO_JSON }] : faultsOf(type, data.value);
    return showType(c, type, { body, faults });
  })
  .post("/event-types/:name/delete", async (c) => {
    await typeRowOfPath(c);
    await formOf(c);
    const { name } = await removeType(c);
    return leave(c, "/console/event-types", { tone: "good", text: `${name} is deleted.` });
  });

/** Saves what was typed, or shows it again with everything that is wrong. */
async function saved(
  c: Context<PagesEnv>,
  typed: Typed,
  about: { version?: number },
  save: (given: Record<string, unknown>) => Promise<{ name: string; version: number }>,
): Promise<Response> {
  const definition = definitionOf(typed);
  if (!definition.ok) return showForm(c, typed, { ...about, faults: definition.faults });
  try {
    const { name, version } = await save(definition.given);
    if (about.version === undefined) c.set("subject", name);
    const text = `${name} is saved, at version ${version}.`;
    return await leave(c, addressOf(name), { tone: "good", text });
  } catch (error) {
    const faults = faultsByField(faultsOfRefusal(error));
    return showForm(c, typed, { ...about, faults });
  }
}

function showForm(
  c: Context<PagesEnv>,
  typed: Typed,
  { version, faults = {} }: { version?: number; faults?: Faults } = {},
): Promise<Response> {
  if (Object.keys(faults).length > 0) c.status(400);
  const about = version === undefined ? {} : { version };
  return c.render(
    <TypeForm
      typed={typed}
      faults={faults}
      organizationId={c.var.asker.organizationId}
      action={version === undefined ? NEW : `${addressOf(typed.name)}/edit`}
      {...about}
    />,
    {
      title: version === undefined ? "New event type" : `${typed.name}: edit`,
      here: "events",
    },
  );
}

async function typeOfPath(c: Context<PagesEnv>): Promise<EventTypeView> {
  const name = c.req.param("name") ?? "";
  const { organizationId } = c.var.asker;
  const type = await findType(c.env.DB, organizationId, connectorEventTypes, name);
  if (type === undefined) throw notFound(`No event type '${quoted(name)}'`);
  return type;
}

const showType = (c: Context<PagesEnv>, type: EventTypeView, trial?: Trial): Promise<Response> =>
  c.render(<TypePage type={type} organizationId={c.var.asker.organizationId} trial={trial} />, {
    title: type.name,
    here: "events",
  });
