import { Hono } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { attemptView } from "../deliveries/view";
import { testRequest } from "./fields";
import { BODY_BYTES, destinationOfPath } from "./lookup.io";
import { sendTest } from "./test.io";

/** A sample event, sent to a destination to see how it answers (reference v1-api.md). */
export const testRoutes = new Hono<AskerEnv>().post(
  "/destinations/:id/test",
  described("Send a sample event through the very same path", {
    tag: "destinations",
    body: testRequest,
    bodyExample: { event: { hello: "world" } },
    answer: {
      n: 1,
      at: "2026-11-21T20:00:00.000Z",
      status: 200,
      durationMs: 12,
      error: null,
      responseHeaders: {},
      responseBody: "ok",
      truncated: false,
    },
  }),
  async (c) => {
    const record = await destinationOfPath(c);
    const { event } = parse(testRequest, (await readJson(c, BODY_BYTES)) ?? {});
    return c.json(attemptView(await sendTest(c, record, event)));
  },
);
