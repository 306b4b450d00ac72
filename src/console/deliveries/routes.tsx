import { type Context, Hono } from "hono";
import { cancelDelivery } from "../../operations/deliveries/cancel.io";
import { locateDelivery, provenRequest } from "../../operations/deliveries/lookup.io";
import { readStates } from "../../delivery/standing.store";
import type { DestinationState } from "../../delivery/state";
import type { NotificationView } from "../../stream/history";
import { parseStreamName } from "../../stream/stream-name";
import { conflict, notFound } from "../../http/refusal";
import { namesOfSources } from "../names.io";
import { leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { DeliveryPage } from "./page";

export const deliveryRoutes = new Hono<ConsoleEnv>()
  .get("/deliveries/:id", async (c) => {
    const { name: stream, stub, seq } = await locateDelivery(c, c.req.param("id"));
    const view = await stub.notification(seq);
    if (view === null) throw notFound(`No delivery '${c.req.param("id").slice(0, 100)}'`);
    const body = (await stub.notificationBody(seq)) ?? "";
    const { source } = parseStreamName(stream);
    return c.render(
      <DeliveryPage
        view={view}
        source={source}
        name={(await namesOfSources(c, [source])).get(source)?.name}
        {...await provenRequest(c, view, body)}
        body={body}
        destination={await stateOf(c, view)}
        now={Date.now()}
      />,
      { title: `Notification ${view.id}`, here: "events", live: true },
    );
  })
  .post("/deliveries/:id/resend", async (c) => {
    const { stub, seq } = await locateDelivery(c, c.req.param("id"));
    const view = await stub.replay(seq, { forced: true });
    if (view === null) throw notFound(`No delivery '${c.req.param("id").slice(0, 100)}'`);
    if (view.notification.destinationId === null)
      throw conflict("The notification has no destination");
    const text = "On its way again; its try shows below in a moment.";
    return leave(c, `/console/deliveries/${view.id}`, { tone: "good", text });
  })
  .post("/deliveries/:id/cancel", async (c) => {
    const { view } = await cancelDelivery(c, c.req.param("id"));
    const text = "Cancelled: it is not sent unless you resend it.";
    return leave(c, `/console/deliveries/${view.id}`, { tone: "good", text });
  });

async function stateOf(
  c: Context<ConsoleEnv>,
  { notification: { destinationId } }: NotificationView,
): Promise<DestinationState | undefined> {
  if (destinationId === null) return undefined;
  const states = await readStates(c.env.DB, c.var.asker.organizationId, [destinationId]);
  return states.get(destinationId);
}
