import { type Context, Hono } from "hono";
import { readStates } from "../../delivery/standing.store";
import { notFound } from "../../http/refusal";
import { locateDelivery, requestView } from "../../operations/deliveries/lookup.io";
import { streamOfSource } from "../../operations/streams/lookup.io";
import { publishedSource, readPublished } from "../../publish/publication";
import { wholeNumber } from "../../values/whole-number";
import { shownStatus } from "../deliveries/list";
import { readSearch } from "../events/search";
import { EventPage, MessagePage } from "./message";
import { MessageList } from "./messages";
import { findMessages, namesOfEndpoints } from "./messages.io";
import { type PortalEnv, portalOf } from "./session.io";
import { leave } from "../visitors/show.io";
import { show } from "./show.io";

/** What was sent to endpoints of a tenant, and what was published to it. */
export const messagePages = new Hono<PortalEnv>()
  .get("/messages", async (c) => {
    const search = readSearch(c.req.query());
    const [{ found, next }, names] = await Promise.all([
      findMessages(c, search.filter, c.req.query("cursor")),
      namesOfEndpoints(c),
    ]);
    return show(
      c,
      <MessageList found={found} next={next} search={search} names={names} now={Date.now()} />,
      { title: "Messages", here: "messages" },
    );
  })
  .get("/messages/:id", async (c) => {
    const { stub, seq } = await locateDelivery(c, c.req.param("id"));
    const view = await stub.notification(seq);
    const destinationId = view?.notification.destinationId ?? "";
    if (view === null) throw notFound(`No delivery '${c.req.param("id").slice(0, 100)}'`);
    const body = (await stub.notificationBody(seq)) ?? "";
    const { organizationId } = portalOf(c);
    const states = await readStates(c.env.DB, organizationId, [destinationId]);
    return show(
      c,
      <MessagePage
        view={view}
        request={await requestView(c, view, body)}
        destination={states.get(destinationId)}
        endpoint={(await namesOfEndpoints(c)).get(destinationId) ?? "An endpoint"}
        now={Date.now()}
      />,
      { title: "Message", here: "messages" },
    );
  })
  .post("/messages/:id/resend", async (c) => {
    const { stub, seq } = await locateDelivery(c, c.req.param("id"));
    const view = await stub.replay(seq, { forced: true });
    if (view === null) throw notFound(`No delivery '${c.req.param("id").slice(0, 100)}'`);
    const text = "On its way again; its try shows below in a moment.";
    return leave(c, `/portal/messages/${encodeURIComponent(view.id)}`, { tone: "good", text });
  })
  .get("/events/:seq", async (c) => showEvent(c, wholeNumber(c.req.param("seq")) ?? 0));

async function showEvent(c: Context<PortalEnv>, seq: number): Promise<Response> {
  const { stub } = streamOfSource(c, publishedSource(portalOf(c).tenantId));
  const found = await stub.eventAt(seq);
  // What is published to be told later nobody sees before.
  if (found === null || found.event.date > Date.now()) throw notFound(`No event '${seq}'`);
  const { event, deliveries } = found;
  const own = new Set(c.var.asker.limits?.destinations);
  const { id, channels = [], data, payload } = readPublished(event);
  const outcomes = deliveries.flatMap((view) => {
    const { destinationId } = view.notification;
    const isOwn = own.has(destinationId ?? "");
    return isOwn ? { id: view.id, destinationId, status: shownStatus(view) } : [];
  });
  return show(
    c,
    <EventPage
      type={event.eventType}
      id={id}
      receivedAt={event.receivedAt}
      channels={channels}
      data={JSON.stringify(payload === undefined ? data : { payload })}
      outcomes={outcomes}
      names={await namesOfEndpoints(c)}
      now={Date.now()}
    />,
    { title: event.eventType, here: "messages" },
  );
}
