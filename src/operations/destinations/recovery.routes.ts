import { Hono } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { recoveryRequest } from "./fields";
import { BODY_BYTES, destinationOfPath } from "./lookup.io";
import { recover } from "./recovery.io";

/** Dead notifications of a destination, delivered again (reference v1-api.md). */
export const recoveryRoutes = new Hono<AskerEnv>().post(
  "/destinations/:id/recover",
  described("Deliver its dead notifications since an instant again", {
    tag: "destinations",
    body: recoveryRequest,
    bodyExample: { since: "2026-11-20T00:00:00.000Z" },
    status: 202,
    answer: { jobId: "job_1", total: 12, because: null },
  }),
  async (c) => {
    const record = await destinationOfPath(c);
    const { since: from } = parse(recoveryRequest, await readJson(c, BODY_BYTES));
    return c.json(await recover(c, record, from), 202);
  },
);
