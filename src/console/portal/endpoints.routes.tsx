import { type Context, Hono } from "hono";
import type { DestinationRecord } from "../../delivery/destination";
import { listDestinationRecords } from "../../delivery/destinations.store";
import {
  changeDestination,
  makeEndpoint,
  removeEndpoint,
} from "../../operations/destinations/endpoint.io";
import { ringOf, withHealth } from "../../operations/destinations/lookup.io";
import { faultsOfRefusal } from "../connectors/editing.io";
import { changesIn, faultsIn, type Typed, typedIn, typedOf } from "../fields/typed";
import { newTyped } from "../destinations/fields";
import type { Faults } from "../settings/faults";
import { OFFERS } from "../style";
import { EndpointPage } from "./endpoint";
import { addressOf, EndpointList, FIELDS } from "./endpoints";
import { endpointOfPath, offersOf, shownOf } from "./lookup.io";
import { formOf, type PortalEnv, portalOf } from "./session.io";
import { leave } from "../visitors/show.io";
import { show } from "./show.io";

const PAGE = 50;

/** Endpoints of a tenant, made and changed by what `/v1/destinations` does; of their events they hear the tenant's alone. */
export const endpointPages = new Hono<PortalEnv>()
  .get("/", (c) => showList(c, newTyped(FIELDS)))
  .post("/endpoints", async (c) => {
    const typed = typedIn(formOf(c), FIELDS);
    const { tenantId } = portalOf(c);
    try {
      const body = changesIn(typed, newTyped(FIELDS), FIELDS);
      const id = await makeEndpoint(c, { ...body, tenant: tenantId });
      c.set("subject", id);
      return await leave(c, addressOf(id), { tone: "good", text: "The endpoint is there." });
    } catch (error) {
      return showList(c, typed, faultsIn(faultsOfRefusal(error), typed, FIELDS));
    }
  })
  .get("/endpoints/:id", async (c) => showOne(c, await endpointOfPath(c)))
  .post("/endpoints/:id", async (c) => {
    const record = await endpointOfPath(c);
    const typed = typedIn(formOf(c), FIELDS);
    const [view] = await withHealth(c, [record]);
    try {
      await changeDestination(c, record, changesIn(typed, typedOf(view ?? {}, FIELDS), FIELDS));
      return await leave(c, addressOf(record.destination.id), { tone: "good", text: "Saved." });
    } catch (error) {
      const faults = faultsIn(faultsOfRefusal(error), typed, FIELDS);
      return showOne(c, record, { typed, faults });
    }
  })
  .post("/endpoints/:id/delete", async (c) => {
    await removeEndpoint(c, await endpointOfPath(c));
    return leave(c, "/portal", { tone: "good", text: "The endpoint is deleted." });
  });

async function showList(
  c: Context<PortalEnv>,
  typed: Typed,
  faults: Faults = {},
): Promise<Response> {
  const { organizationId, tenantId } = portalOf(c);
  const records = await listDestinationRecords(c.env.DB, ringOf(c), organizationId, {
    kind: "endpoint",
    tenant: tenantId,
    after: c.req.query("after") ?? null,
    limit: PAGE,
  });
  const last = records.length < PAGE ? undefined : records.at(-1)?.destination.id;
  if (Object.keys(faults).length > 0) c.status(400);
  return show(
    c,
    <EndpointList
      endpoints={await shownOf(c, records)}
      next={last === undefined ? null : `/portal?after=${encodeURIComponent(last)}`}
      typed={typed}
      faults={faults}
      offers={await offersOf(c)}
      now={Date.now()}
    />,
    { title: "Endpoints", here: "endpoints", script: OFFERS },
  );
}

async function showOne(
  c: Context<PortalEnv>,
  record: DestinationRecord,
  refused?: { typed: Typed; faults: Faults },
): Promise<Response> {
  const [endpoint] = await shownOf(c, [record]);
  if (endpoint === undefined) throw new Error(`Nothing is shown of ${record.destination.id}`);
  const { typed = typedOf(endpoint.view, FIELDS), faults = {} } = refused ?? {};
  if (refused !== undefined) c.status(400);
  return show(
    c,
    <EndpointPage {...{ endpoint, typed, faults }} offers={await offersOf(c)} now={Date.now()} />,
    { title: endpoint.description ?? "Endpoint", here: "endpoints", script: OFFERS },
  );
}
