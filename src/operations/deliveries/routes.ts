import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { described, PAGE, SPAN } from "../../http/route-description";
import { invalid, notFound } from "../../http/refusal";
import { OF_TENANT } from "../reach-asked.io";
import { OF_EVENT } from "../streams/events.io";
import { cancelDelivery } from "./cancel.io";
import { listOfStream, listTroubled, withStates } from "./list.io";
import { locateDelivery, requestView } from "./lookup.io";
import { attemptView } from "./view";

const DELIVERY = {
  id: "27101",
  source: "instance:27",
  destinationId: "instance-27",
  status: "delivered",
  reason: null,
  because: null,
  destinationState: { name: "active", since: null, because: null },
  eventTypes: ["CREATED"],
  objectIds: ["acc_1"],
  attempts: 1,
  nextAttemptAt: null,
  createdAt: "2026-11-21T20:00:01.000Z",
  settledAt: "2026-11-21T20:00:02.000Z",
  warnings: [],
};

/** Deliveries: those of a stream, the troubled ones of all, and their tries (reference v1-api.md). */
export const deliveryRoutes = new Hono<AskerEnv>()
  .use("/deliveries/*", withKey("write", { limits: "kept" }))
  .use("/deliveries", withKey("write", { limits: "kept" }))
  .get(
    "/deliveries",
    described("Deliveries of a stream, or the organization's troubled ones", {
      tag: "deliveries",
      query: {
        ...PAGE,
        ...SPAN,
        ...OF_EVENT,
        ...OF_TENANT,
        source: "A source; absent: all that are retrying, held or dead",
        destinationId: "Of this destination",
        status: "pending, sent, retrying, held, delivered or dead",
      },
      answer: { items: [DELIVERY], next: null },
    }),
    async (c) =>
      c.json(c.req.query("source") === undefined ? await listTroubled(c) : await listOfStream(c)),
  )
  .get(
    "/deliveries/:id",
    described("One delivery with its request and all tries", {
      tag: "deliveries",
      answer: {
        ...DELIVERY,
        request: {
          method: "POST",
          url: "https://app.example/hook",
          headers: {},
          body: "{}",
          encoding: "text",
          truncated: false,
        },
        attemptLog: [],
      },
    }),
    async (c) => {
      const { name, stub, seq } = await locateDelivery(c, c.req.param("id"));
      const view = await stub.notification(seq);
      if (view === null) throw notFound(`No delivery '${c.req.param("id")}'`);
      return c.json({
        ...(await withStates(c, [{ stream: name, view }]))[0],
        request: await requestView(c, view, (await stub.notificationBody(seq)) ?? ""),
        attemptLog: view.notification.attempts.map(attemptView),
      });
    },
  )
  .post(
    "/deliveries/:id/resend",
    described("Send a delivery again, now, whatever its state", {
      tag: "deliveries",
      status: 202,
      answer: DELIVERY,
    }),
    async (c) => {
      const { name, stub, seq } = await locateDelivery(c, c.req.param("id"));
      const view = await stub.replay(seq, { forced: true });
      if (view === null) throw notFound(`No delivery '${c.req.param("id")}'`);
      if (view.notification.destinationId === null)
        throw invalid("The delivery has no destination");
      return c.json((await withStates(c, [{ stream: name, view }]))[0], 202);
    },
  )
  .post(
    "/deliveries/:id/cancel",
    described("End a delivery that waits: it is not sent any more", {
      tag: "deliveries",
      answer: { ...DELIVERY, status: "dead", reason: "cancelled" },
    }),
    async (c) => {
      const cancelled = await cancelDelivery(c, c.req.param("id"));
      return c.json((await withStates(c, [cancelled]))[0]);
    },
  );
