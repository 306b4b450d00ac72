import { type Context, Hono } from "hono";
import { keyring } from "../../db/sealed";
import { readConfig } from "../../config";
import { countTroubles } from "../../delivery/exceptions.store";
import { writeCounts } from "../../metering/counter.io";
import { activeSources, usageSeries } from "../../metering/store";
import { instanceSource, streamName } from "../../stream/stream-name";
import { countInstances, recentInstances } from "../../instances/list.store";
import { rowOf, type Row } from "../deliveries/list";
import type { ConsoleEnv } from "../session/session.io";
import { firstHour, HOUR_MS, hoursOf } from "./hours";
import { OverviewPage } from "./page";

/** The latest notifications are read from this many streams, and from each this many. */
const STREAMS = 20;
const ROWS = 25;
/** More than so many are shown as `1,000+`: the page costs the same however much there is. */
const COUNTED = { instances: 1_000, troubles: 10_000 };
const WRITTEN_EVERY_MS = 60_000;

export const overviewRoutes = new Hono<ConsoleEnv>().get("/", async (c) => {
  const { organizationId } = c.var.asker;
  const now = Date.now();
  await writeCounts(c.env.DB, now, WRITTEN_EVERY_MS);
  const span = { organizationId, from: firstHour(now), to: now };
  const [summed, troubles, rows, instances] = await Promise.all([
    usageSeries(c.env.DB, span, HOUR_MS),
    countTroubles(c.env.DB, organizationId, COUNTED.troubles),
    latest(c, now),
    countInstances(c.env.DB, organizationId, COUNTED.instances),
  ]);
  return c.render(
    <OverviewPage
      hours={hoursOf(summed, now)}
      rows={rows}
      instances={Math.min(instances, COUNTED.instances)}
      hasMoreInstances={instances > COUNTED.instances}
      troubles={troubles}
      baseUrl={baseUrlOf(c)}
      addressMissing={readConfig(c.env).publicUrl === undefined}
      now={now}
    />,
    { title: "Overview", here: "overview", live: true },
  );
});

/** Where programs reach this deployment. */
export const baseUrlOf = (c: Context<ConsoleEnv>): string =>
  readConfig(c.env).publicUrl ?? new URL(c.req.url).origin;

async function latest(c: Context<ConsoleEnv>, now: number): Promise<Row[]> {
  const { organizationId } = c.var.asker;
  const ring = keyring(readConfig(c.env).masterKeys);
  const [active, recent] = await Promise.all([
    activeSources(c.env.DB, organizationId, firstHour(now), STREAMS),
    recentInstances(c.env.DB, ring, organizationId, STREAMS),
  ]);
  const names = new Map(recent.map(({ id, name }) => [instanceSource(id), name]));
  const sources = [...new Set([...active, ...names.keys()])].slice(0, STREAMS);
  const pages = await Promise.all(
    sources.map(async (source) => {
      const stub = c.env.EVENT_STREAMS.getByName(streamName({ organizationId, source }));
      const views = await stub.notifications({ before: null, limit: ROWS, withEvents: true });
      return views.map((view) => rowOf(view, source, names.get(source)));
    }),
  );
  return pages
    .flat()
    .toSorted((left, right) => right.createdAt - left.createdAt)
    .slice(0, ROWS);
}
