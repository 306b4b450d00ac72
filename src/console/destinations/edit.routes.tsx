import { type Context, Hono } from "hono";
import type { DestinationRecord } from "../../delivery/destination";
import {
  changeDestination,
  makeEndpoint,
  removeEndpoint,
} from "../../operations/destinations/endpoint.io";
import { destinationOfPath, withHealth } from "../../operations/destinations/lookup.io";
import type { DestinationView } from "../../operations/destinations/view";
import { faultsOfRefusal } from "../connectors/editing.io";
import { nameOfDestination } from "../names.io";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import type { Faults } from "../settings/faults";
import { OFFERS } from "../style";
import { addressOf, LIST } from "./back";
import { newTyped, PARTS, partsFor } from "./fields";
import { NewEndpoint } from "./new";
import { DestinationPage } from "./one";
import { OWNERS } from "./owners.io";
import { offersOf } from "../fields/offers.io";
import { changesIn, faultsIn, type Typed, typedIn, typedOf } from "../fields/typed";

const FORM_BYTES = 1024 * 1024;
const ALL = PARTS.flatMap(({ fields }) => fields);

/** Endpoints, made, changed and deleted by what `/v1/destinations` does; of other destinations, how they are served. */
export const destinationEditPages = new Hono<ConsoleEnv>()
  .get("/destinations/new", (c) =>
    showNew(c, { ...newTyped(ALL), tenant: c.req.query("tenant") ?? "" }),
  )
  .post("/destinations/new", async (c) => {
    const typed = typedIn(await formOf(c, FORM_BYTES), ALL);
    try {
      const id = await makeEndpoint(c, changesIn(typed, newTyped(ALL), ALL));
      c.set("subject", id);
      return await leave(c, addressOf(id), { tone: "good", text: "The endpoint is there." });
    } catch (error) {
      return showNew(c, typed, faultsIn(faultsOfRefusal(error), typed, ALL));
    }
  })
  .get("/destinations/:id", async (c) => showOne(c, await destinationOfPath(c)))
  .post("/destinations/:id", async (c) => {
    const record = await destinationOfPath(c);
    const { destination } = record;
    const fields = partsFor(destination.kind).flatMap((part) => part.fields);
    const typed = typedIn(await formOf(c, FORM_BYTES), fields);
    const shown = typedOf(await viewOf(c, record), fields);
    try {
      const change = await changeDestination(c, record, changesIn(typed, shown, fields));
      await OWNERS[destination.kind]?.(c, record, change);
      return await leave(c, addressOf(destination.id), { tone: "good", text: "Saved." });
    } catch (error) {
      const faults = faultsIn(faultsOfRefusal(error), typed, fields);
      return showOne(c, record, { typed, faults });
    }
  })
  .post("/destinations/:id/disable", async (c) => {
    const record = await destinationOfPath(c);
    const { id, kind } = record.destination;
    const change = await changeDestination(c, record, { enabled: false });
    await OWNERS[kind]?.(c, record, change);
    const text = "It is off: what comes for it dies until it is enabled.";
    return leave(c, addressOf(id), { tone: "good", text });
  })
  .post("/destinations/:id/delete", async (c) => {
    const record = await destinationOfPath(c);
    await formOf(c);
    await removeEndpoint(c, record);
    return leave(c, LIST, { tone: "good", text: "The endpoint is deleted." });
  });

async function viewOf(c: Context<ConsoleEnv>, record: DestinationRecord): Promise<DestinationView> {
  const [view] = await withHealth(c, [record]);
  if (view === undefined) throw new Error(`Nothing is shown of ${record.destination.id}`);
  return view;
}

async function showNew(
  c: Context<ConsoleEnv>,
  typed: Typed,
  faults: Faults = {},
): Promise<Response> {
  if (Object.keys(faults).length > 0) c.status(400);
  const { organizationId } = c.var.asker;
  return c.render(
    <NewEndpoint {...{ organizationId, typed, faults, parts: PARTS }} offers={await offersOf(c)} />,
    { title: "New endpoint", here: "destinations", script: OFFERS },
  );
}

async function showOne(
  c: Context<ConsoleEnv>,
  record: DestinationRecord,
  refused?: { typed: Typed; faults: Faults },
): Promise<Response> {
  const { destination, traits } = record;
  const parts = partsFor(destination.kind);
  const [view, { name: called, href }, offers] = await Promise.all([
    viewOf(c, record),
    nameOfDestination(c, destination),
    offersOf(c),
  ]);
  const typed = typedOf(
    view,
    parts.flatMap(({ fields }) => fields),
  );
  if (refused !== undefined) c.status(400);
  const name = traits?.description ?? traits?.name ?? called;
  return c.render(
    <DestinationPage
      organizationId={c.var.asker.organizationId}
      name={name}
      owner={href === addressOf(destination.id) ? undefined : href}
      view={view}
      parts={parts}
      offers={offers}
      now={Date.now()}
      {...(refused ?? { typed, faults: {} })}
    />,
    { title: name, here: "destinations", script: OFFERS },
  );
}
