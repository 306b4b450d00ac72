import { type Context, Hono } from "hono";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { subscriptionOf } from "../../delivery/destination";
import { parse, readJson } from "../../http/body";
import { type Page, pageOf } from "../../http/numbered-page";
import { invalid, notFound } from "../../http/refusal";
import { ownInstance } from "../../instances/lookup.io";
import type { NotificationView } from "../../stream/history";
import { deliveriesOf, namedNotification, shownNotification, streamOf } from "./found.io";
import { bodiesOf } from "../history/list.io";
import { allDeliveries, shownDelivery } from "./hydrated.io";
import { newNotification, publishedView } from "./published";
import { isShown, publish, publishedOn } from "./published.io";
import { instanceOfTopic, notificationView } from "./view";

const BODY_BYTES = 1024 * 1024;

/** `/notifications` (reference connector-events-api.md §8): those of instances, and what clients publish. */
export const notificationRoutes = new Hono<AskerEnv>()
  .use("/notifications", withSecrets)
  .use("/notifications/*", withSecrets)
  .get("/notifications", async (c) => {
    const topics = c.req.queries("topics[]") ?? [];
    if (topics.length === 0) throw invalid("topics[]: Expected at least one topic", "topics[]");
    return c.json(await listed(c, topics, pageOf(c.req.query())));
  })
  .post("/notifications", async (c) =>
    c.json(publishedView(await publish(c, parse(newNotification, await readJson(c, BODY_BYTES))))),
  )
  .get("/notifications/:id", async (c) =>
    c.json(await shownNotification(await namedNotification(c))),
  )
  .delete("/notifications/:id", async (c) => {
    const { stub, view } = await namedNotification(c);
    await stub.acknowledge(view.notification.seq, { hides: true });
    return c.body(null, 200);
  })
  .put("/notifications/:id/acknowledge", async (c) => {
    const found = await namedNotification(c);
    await found.stub.acknowledge(found.view.notification.seq);
    const { notification } = found.view;
    const view = { ...found.view, notification: { ...notification, acknowledged: true as const } };
    return c.json(await shownNotification({ ...found, view }));
  })
  .get("/notifications/:id/subscriptions/deliveries", async (c) =>
    c.json(await allDeliveries(c, await namedNotification(c), isWhole(c))),
  )
  .get("/notifications/:id/subscriptions/:sid/deliveries", async (c) => {
    const deliveries = await deliveriesOf(await namedNotification(c));
    const named = deliveries.find(
      ({ subscriptionId }) => String(subscriptionId) === c.req.param("sid"),
    );
    if (named === undefined) throw notFound(`No subscription '${c.req.param("sid")}'`);
    const shown = await shownDelivery(c, named, isWhole(c));
    return c.json(isWhole(c) ? shown : [shown]);
  });

const isWhole = (c: Context<AskerEnv>): boolean => c.req.query("hydrate") === "true";

/** A topic's notifications: how many there are, and some of them as they are shown, newest first. */
type Topic = {
  total: number;
  shown: (place: Page) => Promise<Record<string, unknown>[]>;
};

/** A page of the notifications of topics, topic after topic, each newest first. */
async function listed(
  c: Context<AskerEnv>,
  topics: readonly string[],
  page: Page,
): Promise<Record<string, unknown>[]> {
  const { offset, limit } = page;
  const all = await Promise.all([...new Set(topics)].map((topic) => topicOf(c, topic)));
  const shown: Record<string, unknown>[] = [];
  let [before, taken] = [0, 0];
  for (const { total, shown: of } of all) {
    const from = Math.max(0, offset + taken - before);
    before += total;
    if (from >= total || taken === limit) continue;
    const some = Math.min(limit - taken, total - from);
    taken += some;
    shown.push(...(await of({ ...page, offset: from, limit: some })));
  }
  return shown;
}

async function topicOf(c: Context<AskerEnv>, topic: string): Promise<Topic> {
  const id = instanceOfTopic(topic);
  if (id === undefined) {
    const views = await publishedOn(c, topic);
    return {
      total: views.length,
      shown: async ({ offset, limit }) => views.slice(offset, offset + limit).map(publishedView),
    };
  }
  const instance = await ownInstance(c, id);
  const stub = streamOf(c, instance);
  // A notification to another subscriber is the same one: the instance's own stands for both.
  const isListed = ({ notification }: NotificationView) =>
    subscriptionOf(notification.destinationId ?? "") === undefined;
  return {
    total: await stub.total(),
    shown: async (place) => {
      const { views } = await stub.notificationsAt(place);
      const wanted = views.filter((view) => isShown(view) && isListed(view));
      const bodies = await bodiesOf(stub, wanted);
      return wanted.map((view) =>
        notificationView(instance, view, bodies.get(view.notification.seq) ?? ""),
      );
    },
  };
}
