import { type Context, Hono } from "hono";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { type Page, pageOf } from "../../http/numbered-page";
import { invalid, notFound } from "../../http/refusal";
import { ownInstance } from "../../instances/lookup.io";
import { namedNotification, shownNotification, streamOf } from "./found.io";
import { bodiesOf } from "../history/list.io";
import { deliveryView, instanceOfTopic, notificationView } from "./view";

/** `/notifications` (reference connector-events-api.md §8): the notifications in the streams of instances. */
export const notificationRoutes = new Hono<AskerEnv>()
  .use("/notifications", withSecrets)
  .use("/notifications/*", withSecrets)
  .get("/notifications", async (c) => {
    const topics = c.req.queries("topics[]") ?? [];
    if (topics.length === 0) throw invalid("topics[]: Expected at least one topic", "topics[]");
    return c.json(await listed(c, topics, pageOf(c.req.query())));
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

/** A page of the notifications of topics, topic after topic, each newest first. */
async function listed(
  c: Context<AskerEnv>,
  topics: readonly string[],
  { offset, limit }: Page,
): Promise<Record<string, unknown>[]> {
  const ids = topics.flatMap((topic) => instanceOfTopic(topic) ?? []);
  const lists = await Promise.all(
    ids.map(async (id) => {
      const instance = await ownInstance(c, id);
      const stub = streamOf(c, instance);
      return { instance, stub, total: await stub.total() };
    }),
  );
  const shown: Record<string, unknown>[] = [];
  let before = 0;
  for (const { instance, stub, total } of lists) {
    const from = Math.max(0, offset + shown.length - before);
    before += total;
    if (from >= total || shown.length === limit) continue;
    const place = { offset: from, limit: Math.min(limit - shown.length, total - from) };
    const { views } = await stub.notificationsAt(place);
    const bodies = await bodiesOf(stub, views);
    for (const view of views)
      shown.push(notificationView(instance, view, bodies.get(view.notification.seq) ?? ""));
  }
  return shown;
}
