import { type Context, Hono } from "hono";
import { keyring } from "../../db/sealed";
import { readConfig } from "../../config";
import { countExceptions } from "../../delivery/exceptions.store";
import { activeSources, readRollups } from "../../metering/store";
import { instanceSource, streamName } from "../../stream/stream-name";
import { connectorKeys, recentInstances } from "../../instances/list.store";
import { rowOf, type Row } from "../deliveries/list";
import type { ConsoleEnv } from "../session/session.io";
import { firstHour, hoursOf } from "./hours";
import { OverviewPage } from "./page";

/** The latest notifications are read from this many streams, and from each this many. */
const STREAMS = 20;
const ROWS = 25;

export const overviewRoutes = new Hono<ConsoleEnv>().get("/", async (c) => {
  const { organizationId } = c.var.asker;
  const now = Date.now();
  const [rollups, troubled, rows, instances] = await Promise.all([
    readRollups(c.env.DB, organizationId, firstHour(now), now),
    countExceptions(c.env.DB, organizationId),
    latest(c, now),
    connectorKeys(c.env.DB, organizationId),
  ]);
  const troubles = [...troubled.values()];
  return c.render(
    <OverviewPage
      hours={hoursOf(rollups, now)}
      rows={rows}
      instances={instances.size}
      dead={troubles.reduce((total, { dead }) => total + dead, 0)}
      pending={troubles.reduce((total, { pending }) => total + pending, 0)}
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
