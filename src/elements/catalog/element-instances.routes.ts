import { type Context, Hono } from "hono";
import { type AskerEnv, withSecrets } from "../../accounts/asker.io";
import { notFound } from "../../http/refusal";
import { pageOf } from "../../http/numbered-page";
import { doorsOf, ofId, shown, shownAll } from "../../instances/lookup.io";
import { type InstanceEdits, readInstance, shownEdited } from "../edit.io";
import type { Instance } from "../../instances/instance";
import { listInstances } from "../../instances/list.store";
import { found } from "./routes";

/** `/elements/{keyOrId}/instances`: the instances of one connector (reference connector-events-api.md §3). */
export function elementInstanceRoutes(edits: InstanceEdits): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .use("/elements/:element/instances/*", withSecrets)
    .get("/elements/:element/instances", async (c) => {
      const { key } = await found(c);
      const { db, ring } = doorsOf(c);
      const page = pageOf(c.req.query());
      const filter = {
        tags: [...(c.req.queries("tags[]") ?? []), ...(c.req.queries("tags") ?? [])],
        searchText: c.req.query("searchText"),
        elementKey: key,
      };
      const { items, total } = await listInstances(
        db,
        ring,
        c.var.asker.organizationId,
        filter,
        page,
      );
      page.answer(c, items.length, total);
      return c.json(await shownAll(c, items));
    })
    .post("/elements/:element/instances", async (c) =>
      c.json(await shownEdited(c, await edits.create(c, await readInstance(c), await found(c)))),
    )
    .get("/elements/:element/instances/:id", async (c) =>
      c.json(await shown(c, await ofElement(c))),
    )
    .on(["PUT", "PATCH"], "/elements/:element/instances/:id", async (c) =>
      c.json(
        await shownEdited(c, await edits.change(c, await ofElement(c), await readInstance(c))),
      ),
    )
    .delete("/elements/:element/instances/:id", async (c) => {
      await edits.drop(c, await ofElement(c));
      return c.body(null, 200);
    });
}

/** The instance that a path names, if it is one of the path's connector. */
async function ofElement(c: Context<AskerEnv>): Promise<Instance> {
  const [instance, connector] = [await ofId(c), await found(c)];
  if (instance.connector.key !== connector.key)
    throw notFound(`No instance with id '${instance.id}' of '${connector.key}'`);
  return instance;
}
