import { Hono } from "hono";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { pageOf } from "../../http/numbered-page";
import { invalid, notFound } from "../../http/refusal";
import { namedNotification, ownInstance, shownNotification, streamOf } from "./found.io";
import { deliveryView, instanceOfTopic } from "./view";

/** `/notifications` (reference connector-events-api.md §8): the notifications in the streams of instances. */
export const notificationRoutes = new Hono<AskerEnv>()
  .use("/notifications", withSecrets)
  .use("/notifications/*", withSecrets)
  .get("/notifications", async (c) => {
    const topics = c.req.queries("topics[]") ?? [];
    if (topics.length === 0) throw invalid("topics[]: Expected at least one topic", "topics[]");
    const page = pageOf(c.req.query());
    const limit = page.offset + page.limit;
    const lists = await Promise.all(
      topics.map(async (topic) => {
        const id = instanceOfTopic(topic);
        if (id === undefined) return [];
        const instance = await ownInstance(c, id);
        const stub = streamOf(c, instance);
        const views = await stub.notifications({ before: null, limit, withEvents: false });
        return Promise.all(views.map((view) => shownNotification({ instance, view, stub })));
      }),
    );
    return c.json(lists.flat().slice(page.offset, limit));
  })
  .get("/notifications/:id", async (c) =>
    c.json(await shownNotification(await namedNotification(c))),
  )
  .put("/notifications/:id/acknowledge", async (c) => {
    const found = await namedNotification(c);
    await found.stub.acknowledge(found.view.notification.seq);
    return c.json({ ...(await shownNotification(found)), acknowledged: true });
  })
  .get("/notifications/:id/subscriptions/deliveries", async (c) => {
    const { instance, view } = await namedNotification(c);
    return c.json([deliveryView(instance, view)]);
  })
  .get("/notifications/:id/subscriptions/:sid/deliveries", async (c) => {
    const { instance, view } = await namedNotification(c);
    if (c.req.param("sid") !== String(instance.id))
      throw notFound(`No subscription '${c.req.param("sid")}'`);
    return c.json([deliveryView(instance, view)]);
  });
