import { Hono } from "hono";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { readOffset, readWholeNumber } from "../../http/numbered-page";
import { foundMessage, messageView, retryMessage, watchMessage } from "./message.io";
import { deleteUnprocessed, listUnprocessed } from "./store";

/** Steps that failed for good (reference app-events-api.md §9). */
export const unprocessedRoutes = new Hono<UserEnv>()
  .use("/unprocessed-messages/*", withUser)
  .get("/unprocessed-messages", async (c) => {
    const { flowId, correlationId } = c.req.query();
    const rows = await listUnprocessed(c.env.DB, c.var.user.id, {
      ...(flowId === undefined ? {} : { flowId }),
      ...(correlationId === undefined ? {} : { correlationId }),
      limit: readWholeNumber(c.req.query("limit"), "limit", 20, 100),
      offset: readOffset(c.req.query("offset"), "offset"),
    });
    return c.json(await Promise.all(rows.map((row) => messageView(c.env, row))));
  })
  .get("/unprocessed-messages/:id", async (c) =>
    c.json(
      await messageView(c.env, await foundMessage(c.env.DB, c.var.user.id, c.req.param("id"))),
    ),
  )
  .delete("/unprocessed-messages/:id", async (c) => {
    watchMessage(c, await foundMessage(c.env.DB, c.var.user.id, c.req.param("id")));
    await deleteUnprocessed(c.env.DB, c.var.user.id, c.req.param("id"));
    return c.json({});
  })
  .on(
    "POST",
    ["/unprocessed-messages/:id", "/unprocessed-messages/:id/retry"],
    async (c): Promise<Response> => {
      const row = await foundMessage(c.env.DB, c.var.user.id, c.req.param("id") ?? "");
      watchMessage(c, row);
      await retryMessage(c.env, row);
      return c.json({});
    },
  );
