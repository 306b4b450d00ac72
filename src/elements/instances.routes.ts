import { type Context, Hono } from "hono";
import { type AskerEnv, withSecrets } from "../accounts/routes";
import { notFound } from "../http/refusal";
import { pageOf } from "../http/paging";
import { doorsOf, ofId, ofToken, shown } from "../instances/lookup.io";
import type { InstanceEdits } from "./edit.io";
import { entriesOf } from "../instances/entries";
import type { Instance } from "../instances/instance";
import { listInstances, listPollerDisabled } from "../instances/store";
import { swaggerOf } from "./swagger";
import { entryView, findEntry } from "../instances/view";
import { isoSeconds } from "../values/instant";

/** `/instances` of the connector surface (reference connector-events-api.md §4). */
export function instanceRoutes(edits: InstanceEdits): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .use("/instances/*", withSecrets)
    .use("/instances", withSecrets)
    .use("/jobs/*", withSecrets)
    .get("/instances", async (c) => {
      const { asker, byOrganization } = c.var;
      if (byOrganization !== true) return c.json(await shown(c, await ofToken(c)));
      const page = pageOf(c.req.query());
      const { items, total } = await listInstances(
        c.env.DB,
        doorsOf(c).ring,
        asker.organizationId,
        {
          tags: [...(c.req.queries("tags[]") ?? []), ...(c.req.queries("tags") ?? [])],
          searchText: c.req.query("searchText"),
          elementKey: c.req.query("elementKey"),
        },
        page,
      );
      if (items.length === 0) throw notFound("No instances found");
      page.answer(c, items.length, total);
      return c.json(await Promise.all(items.map((instance) => shown(c, instance))));
    })
    .post("/instances", async (c) => c.json(await shown(c, await edits.create(c))))
    .get("/instances/count", async (c) => {
      const all = await listInstances(
        c.env.DB,
        doorsOf(c).ring,
        c.var.asker.organizationId,
        NO_FILTER,
        { offset: 0, limit: 0 },
      );
      return c.json({ totalInstances: all.total, elementInstances: all.total });
    })
    .get("/instances/polling-disabled", async (c) => c.json(await pollerDisabled(c)))
    .get("/jobs/polling-disabled", async (c) => c.json(await pollerDisabled(c)))
    .get("/instances/configuration", async (c) => c.json(configurationOf(await ofToken(c))))
    .get("/instances/configuration/:key", async (c) =>
      c.json(entryOf(await ofToken(c), c.req.param("key"))),
    )
    .patch("/instances/configuration/:key", async (c) =>
      c.json(await edits.changeEntry(c, await ofToken(c), c.req.param("key"))),
    )
    .put("/instances/enabled", async (c) =>
      c.json(await shown(c, await edits.enable(c, await ofToken(c), true))),
    )
    .delete("/instances/enabled", async (c) =>
      c.json(await shown(c, await edits.enable(c, await ofToken(c), false))),
    )
    .get("/instances/docs", async (c) => c.json(swaggerOf((await ofToken(c)).connector)))
    .put("/instances", async (c) => c.json(await shown(c, await edits.change(c, await ofToken(c)))))
    .patch("/instances", async (c) =>
      c.json(await shown(c, await edits.change(c, await ofToken(c)))),
    )
    .delete("/instances", async (c) => edits.drop(c, await ofToken(c)))
    .get("/instances/:id", async (c) => c.json(await shown(c, await ofId(c))))
    .put("/instances/:id", async (c) =>
      c.json(await shown(c, await edits.change(c, await ofId(c)))),
    )
    .patch("/instances/:id", async (c) =>
      c.json(await shown(c, await edits.change(c, await ofId(c)))),
    )
    .delete("/instances/:id", async (c) => edits.drop(c, await ofId(c)))
    .get("/instances/:id/configuration", async (c) => c.json(configurationOf(await ofId(c))))
    .get("/instances/:id/configuration/:key", async (c) =>
      c.json(entryOf(await ofId(c), c.req.param("key"))),
    )
    .patch("/instances/:id/configuration/:key", async (c) =>
      c.json(await edits.changeEntry(c, await ofId(c), c.req.param("key"))),
    )
    .put("/instances/:id/enabled", async (c) =>
      c.json(await shown(c, await edits.enable(c, await ofId(c), true))),
    )
    .delete("/instances/:id/enabled", async (c) =>
      c.json(await shown(c, await edits.enable(c, await ofId(c), false))),
    )
    .get("/instances/:id/docs", async (c) => c.json(swaggerOf((await ofId(c)).connector)));
}

const NO_FILTER = { tags: [], searchText: undefined, elementKey: undefined };

function configurationOf(instance: Instance): Record<string, unknown>[] {
  const known = entriesOf(instance.connector);
  const keys = new Set(known.map(({ key }) => key));
  const extra = Object.keys(instance.configuration).flatMap((key) =>
    keys.has(key) ? [] : (findEntry(instance, key) ?? []),
  );
  return [...known, ...extra].map((entry) => entryView(instance, entry));
}

function entryOf(instance: Instance, key: string): Record<string, unknown> {
  const entry = findEntry(instance, key);
  if (entry === undefined) throw notFound(`No configuration '${key}'`);
  return entryView(instance, entry);
}

async function pollerDisabled(c: Context<AskerEnv>): Promise<Record<string, unknown>[]> {
  const rows = await listPollerDisabled(c.env.DB, c.var.asker.organizationId);
  return rows.flatMap(({ id, elementKey, pollerDisabled: record }) =>
    record === null
      ? []
      : {
          instanceId: id,
          elementKey,
          resource: record.resource,
          failureCount: record.failureCount,
          disabledDate: isoSeconds(record.disabledDate),
          lastError: record.lastError,
        },
  );
}
