import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { readLimit, readListCursor, timeCursor, writeListCursor } from "../../http/cursor-page";
import { described, PAGE } from "../../http/route-description";
import { notFound } from "../../http/refusal";
import { findJob, jobsBefore } from "./list.io";

const JOB = {
  id: "job_1",
  kind: "replay",
  status: "running",
  processed: 40,
  total: null,
  error: null,
  source: "instance:27",
  destinationId: "instance-27",
  createdAt: "2026-11-21T20:00:00.000Z",
  createdBy: "member:1",
};

/** Jobs: work over many events of a stream, done page by page (reference v1-api.md). */
export const jobRoutes = new Hono<AskerEnv>()
  .use("/jobs", withKey("write", { limits: "kept" }))
  .use("/jobs/*", withKey("write", { limits: "kept" }))
  .get(
    "/jobs",
    described("Jobs, the latest first: replays, recoveries, releases and erasures of users", {
      tag: "jobs",
      query: PAGE,
      answer: { items: [JOB], next: null },
    }),
    async (c) => {
      const before = readListCursor(c.req.query("cursor"), timeCursor);
      const limit = readLimit(c.req.query("limit"));
      const { jobs, next } = await jobsBefore(c, { before, limit });
      return c.json({ items: jobs, next: next === null ? null : writeListCursor(next) });
    },
  )
  .get("/jobs/:id", described("How far a job is", { tag: "jobs", answer: JOB }), async (c) => {
    const job = await findJob(c, c.req.param("id"));
    if (job === undefined) throw notFound(`No job '${c.req.param("id")}'`);
    return c.json(job);
  });
