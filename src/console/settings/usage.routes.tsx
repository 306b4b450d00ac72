import { Hono } from "hono";
import { connectorKeys } from "../../instances/list.store";
import { writeCounts } from "../../metering/counter.io";
import { readUsage } from "../../operations/usage/read.io";
import { namesOfSources } from "../names.io";
import type { ConsoleEnv } from "../session/session.io";
import { daysOf, SOURCES_SHOWN, startOf, UsagePage } from "./usage";

const WRITTEN_EVERY_MS = 60_000;

/** What the organization did and what it cost, as `GET /v1/usage` tells it. */
export const usagePages = new Hono<ConsoleEnv>().get("/settings/usage", async (c) => {
  const now = Date.now();
  const days = daysOf(c.req.query("days"));
  await writeCounts(c.env.DB, now, WRITTEN_EVERY_MS);
  const span = { from: startOf(days, now), to: now };
  const [byDay, bySource] = await Promise.all([
    readUsage(c, span, "day", connectorKeys),
    readUsage(c, span, "source", connectorKeys),
  ]);
  const sources = bySource.items.toSorted((one, other) => other.costUsd - one.costUsd);
  const shown = sources.slice(0, SOURCES_SHOWN);
  return c.render(
    <UsagePage
      days={days}
      byDay={byDay}
      sources={shown}
      others={sources.length - shown.length}
      names={{
        sources: await namesOfSources(
          c,
          shown.map(({ key }) => key),
        ),
        destinations: new Map(),
      }}
      isOwner={c.var.asker.scopes.includes("admin")}
      now={now}
    />,
    { title: "Usage and cost", here: "settings" },
  );
});
