import { Hono } from "hono";
import { actorNames } from "../../accounts/actor-names.store";
import { readListCursor, timeCursor, writeListCursor } from "../../http/cursor-page";
import { jobsBefore } from "../../operations/jobs/list.io";
import { namesOfDestinations, namesOfSources } from "../names.io";
import type { ConsoleEnv } from "../session/session.io";
import { JobsPage } from "./jobs";

const PAGE = 50;

/** The organization's jobs, for all its members. */
export const jobPages = new Hono<ConsoleEnv>().get("/settings/jobs", async (c) => {
  const { organizationId, scopes } = c.var.asker;
  const before = readListCursor(c.req.query("cursor"), timeCursor);
  const { jobs, next } = await jobsBefore(c, { before, limit: PAGE });
  const [sources, destinations, actors] = await Promise.all([
    namesOfSources(c, [...new Set(jobs.flatMap(({ source }) => source ?? []))]),
    namesOfDestinations(
      c,
      jobs.flatMap(({ destinationId }) => destinationId ?? []),
    ),
    actorNames(
      c.env.DB,
      organizationId,
      jobs.flatMap(({ createdBy }) => createdBy ?? []),
    ),
  ]);
  return c.render(
    <JobsPage
      jobs={jobs}
      names={{ sources, destinations, actors }}
      older={next === null ? null : `/console/settings/jobs?cursor=${writeListCursor(next)}`}
      isOwner={scopes.includes("admin")}
      now={Date.now()}
    />,
    { title: "Jobs", here: "settings", live: true },
  );
});
