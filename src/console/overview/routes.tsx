import { Hono } from "hono";
import { readConfig } from "../../config";
import { writeCounts } from "../../metering/counter.io";
import { usageByDay, usageSeries } from "../../metering/store";
import { costUsd } from "../../operations/usage/cost";
import { sum } from "../../operations/usage/summary";
import type { ConsoleEnv } from "../session/session.io";
import { OverviewPage } from "./page";
import { figuresOf, monthOf, rangeOf, spanOfRange } from "./range";
import { readTroubles } from "./troubles.io";

const WRITTEN_EVERY_MS = 60_000;

export const overviewRoutes = new Hono<ConsoleEnv>().get("/", async (c) => {
  const { organizationId } = c.var.asker;
  const now = Date.now();
  const range = rangeOf(c.req.query("range"));
  await writeCounts(c.env.DB, now, WRITTEN_EVERY_MS);
  const { from, to, stepMs } = spanOfRange(range, now);
  const [summed, days, troubles] = await Promise.all([
    usageSeries(c.env.DB, { organizationId, from, to }, stepMs),
    usageByDay(c.env.DB, { organizationId, from: monthOf(now), to: now }),
    readTroubles(c),
  ]);
  const month = sum(days);
  return c.render(
    <OverviewPage
      range={range}
      figures={figuresOf(summed, range, now)}
      month={{ costUsd: costUsd(month), events: month.events }}
      troubles={troubles}
      addressMissing={readConfig(c.env).publicUrl === undefined}
      now={now}
    />,
    { title: "Overview", here: "overview", live: true },
  );
});

/** Where programs reach this deployment. */
export const baseUrlOf = (c: { env: Env; req: { url: string } }): string =>
  readConfig(c.env).publicUrl ?? new URL(c.req.url).origin;
