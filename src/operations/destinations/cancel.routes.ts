import { Hono } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { cancelWaiting } from "./cancel.io";
import { cancelRequest } from "./fields";
import { BODY_BYTES, destinationOfPath } from "./lookup.io";

/** What waits for a destination, never to be delivered (reference v1-api.md). */
export const cancelRoutes = new Hono<AskerEnv>().post(
  "/destinations/:id/cancel",
  described("End what waits for it, all or what was made since an instant", {
    tag: "destinations",
    body: cancelRequest,
    bodyExample: { since: "2026-11-20T00:00:00.000Z" },
    status: 202,
    answer: { jobId: "job_1" },
  }),
  async (c) => {
    const record = await destinationOfPath(c);
    const { since = 0 } = parse(cancelRequest, (await readJson(c, BODY_BYTES)) ?? {});
    return c.json({ jobId: await cancelWaiting(c, record, since) }, 202);
  },
);
