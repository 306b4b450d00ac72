import { Hono } from "hono";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { described } from "../http/route-description";
import { notFound } from "../http/refusal";
import { readJob } from "../stream/jobs/store";
import { reachOf } from "./reach";

const JOB = {
  id: "job_1",
  kind: "replay",
  status: "running",
  processed: 40,
  total: null,
  error: null,
};

/** Jobs: work over many events of a stream, done page by page (reference v1-api.md). */
export const jobRoutes = new Hono<AskerEnv>()
  .use("/jobs/*", withKey("write", { limits: "kept" }))
  .get("/jobs/:id", described("How far a job is", { tag: "jobs", answer: JOB }), async (c) => {
    const { asker } = c.var;
    const job = await readJob(c.env.DB, asker.organizationId, c.req.param("id"), reachOf(asker));
    if (job === undefined) throw notFound(`No job '${c.req.param("id")}'`);
    return c.json(job);
  });
