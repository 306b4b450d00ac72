import { type Context, Hono } from "hono";
import { type AskerEnv, withSecrets } from "../accounts/asker.io";
import { notFound } from "../http/refusal";
import { pageOf } from "../http/numbered-page";
import { doorsOf, ofId, ofToken, shown, shownAll } from "../instances/lookup.io";
import { type InstanceEdits, readInstance, shownEdited } from "./edit.io";
import { entriesOf } from "../instances/entries";
import type { Instance } from "../instances/instance";
import { type InstanceFilter, listInstances, listPollerDisabled } from "../instances/list.store";
import { swaggerOf } from "./swagger";
import { entryView, findEntry } from "../instances/view";
import { isoSeconds } from "../values/instant";

/** `/instances` of the connector surface (reference connector-events-api.md §4). Static paths come before `:id`. */
export function instanceRoutes(edits: InstanceEdits): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .use("/instances/*", withSecrets)
    .use("/instances", withSecrets)
    .use("/jobs/*", withSecrets)
    .route("/", organizationRoutes(edits))
    .route("/instances", oneInstanceRoutes(edits, ofToken))
    .route("/instances/:id", oneInstanceRoutes(edits, ofId));
}

/** All instances of the organization, and new ones. */
function organizationRoutes(edits: InstanceEdits): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .get("/instances", async (c, next) => {
      // With an Element token and no Organization the path names the token's one instance.
      if (c.var.byOrganization !== true) return next();
      const page = pageOf(c.req.query());
      const filter = {
        tags: [...(c.req.queries("tags[]") ?? []), ...(c.req.queries("tags") ?? [])],
        searchText: c.req.query("searchText"),
        elementKey: c.req.query("elementKey"),
      };
      const { items, total } = await list(c, filter, page);
      if (items.length === 0) throw notFound("No instances found");
      page.answer(c, items.length, total);
      return c.json(await shownAll(c, items));
    })
    .post("/instances", async (c) =>
      c.json(await shownEdited(c, await edits.create(c, await readInstance(c)))),
    )
    .get("/instances/count", async (c) => {
      const none = { offset: 0, limit: 0 };
      const { total } = await list(c, NO_FILTER, none);
      const elementKey = c.req.query("elementKey");
      const ofElement =
        elementKey === undefined
          ? total
          : (await list(c, { ...NO_FILTER, elementKey }, none)).total;
      return c.json({ totalInstances: total, elementInstances: ofElement });
    })
    .get("/instances/polling-disabled", async (c) => c.json(await pollerDisabled(c)))
    .get("/jobs/polling-disabled", async (c) => c.json(await pollerDisabled(c)));
}

/** What can be done with one instance: the one that the Element token is of, or that `:id` names. */
function oneInstanceRoutes(
  edits: InstanceEdits,
  instanceOf: (c: Context<AskerEnv>) => Promise<Instance>,
): Hono<AskerEnv> {
  const change = async (c: Context<AskerEnv>): Promise<Response> =>
    c.json(await shownEdited(c, await edits.change(c, await instanceOf(c), await readInstance(c))));
  const enable = async (c: Context<AskerEnv>, enabled: boolean): Promise<Response> =>
    c.json(await shown(c, await edits.enable(c, await instanceOf(c), enabled)));
  return new Hono<AskerEnv>()
    .get("/configuration", async (c) => c.json(configurationOf(await instanceOf(c))))
    .get("/configuration/:key", async (c) =>
      c.json(entryOf(await instanceOf(c), c.req.param("key"))),
    )
    .patch("/configuration/:key", async (c) =>
      c.json(await edits.changeEntry(c, await instanceOf(c), c.req.param("key"))),
    )
    .put("/enabled", (c) => enable(c, true))
    .delete("/enabled", (c) => enable(c, false))
    .get("/docs", async (c) => c.json(swaggerOf((await instanceOf(c)).connector)))
    .get("/", async (c) => c.json(await shown(c, await instanceOf(c))))
    .put("/", change)
    .patch("/", change)
    .delete("/", async (c) => {
      await edits.drop(c, await instanceOf(c));
      return c.body(null, 200);
    });
}

function list(
  c: Context<AskerEnv>,
  filter: InstanceFilter,
  page: { offset: number; limit: number },
): ReturnType<typeof listInstances> {
  return listInstances(c.env.DB, doorsOf(c).ring, c.var.asker.organizationId, filter, page);
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
