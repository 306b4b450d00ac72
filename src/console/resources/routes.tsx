import { Hono } from "hono";
import { parseJson } from "../../http/body";
import type { Address, ScopeName } from "../../resources/address";
import { shapeOf } from "../../resources/embed";
import { readShown } from "../../resources/embed.io";
import { kindNamed, kindsIn } from "../../resources/kinds/registry";
import { listStatements } from "../../resources/list";
import { readLatest } from "../../resources/log/store";
import type { Resource } from "../../resources/resource";
import { countKinds, readPage, readResource } from "../../resources/store";
import { withCorrelationId } from "../../resources/surface.routes";
import { createFrom, removeFrom, replaceWith } from "../../resources/writes/handlers.io";
import { missing } from "../../resources/writes/checks";
import { numericId } from "../../values/whole-number";
import { faultsOfRefusal } from "../apps/form-faults";
import { leave, readForm } from "../session/routes";
import { documentOf } from "./documents";
import type { Typed } from "./forms";
import { pageOfCollection, pageOfItem } from "./list";
import {
  addressOfPath,
  collectionOfPath,
  itemOfPath,
  known,
  type ResourcesContext,
  type ResourcesEnv,
} from "./lookup.io";
import { logOfScope, logOfTopic, NO_LOG, olderOf, SHOWN, wouldMatch } from "./log.io";
import { CollectionPage, type ItemShown, ItemPage, OverviewPage } from "./pages";

type Collection = Extract<Address, { at: "collection" }>;

const PAGE = 50;
const FEW = 10;
const FORM_BYTES = 3_000_000;

/** Resources of the organization, at the paths that they have below `/apis`. */
export const resourcePages = new Hono<ResourcesEnv>()
  .use("/resources/*", withCorrelationId)
  .get("/resources", async (c) => {
    const { organizationId } = c.var.asker;
    const before = numericId(c.req.query("before") ?? "") ?? null;
    const [environments, integrations, counts, changes] = await Promise.all([
      listed(c, "Environment", FEW + 1),
      listed(c, "Integration", FEW + 1),
      countKinds(c.env.DB, organizationId, null),
      readLatest(c.env.DB, organizationId, { before, limit: SHOWN }),
    ]);
    const scopes = [
      { kind: "Environment" as const, found: environments },
      { kind: "Integration" as const, found: integrations },
    ].map(({ kind, found }) => ({ kind, items: found.slice(0, FEW), isAll: found.length <= FEW }));
    return c.render(
      <OverviewPage
        scopes={scopes}
        counts={counts}
        changes={changes}
        older={olderOf("/console/resources", changes, SHOWN)}
        now={Date.now()}
      />,
      { title: "Resources", here: "resources" },
    );
  })
  .post("/resources/create/:path{.+}", async (c) => {
    const address = collectionOfPath(c);
    const form = await readForm(c, FORM_BYTES);
    const scope = scopeOf(address);
    try {
      const body = form.has("document")
        ? parseJson(form.get("document") ?? "")
        : (documentOf(address.kind.kind, form, scope) ?? {});
      const { resource, warnings } = await known(() => createFrom(c, address, body));
      c.set("subject", resource.name);
      const text = [`${resource.name} is made.`, ...warnings.map(({ detail }) => detail)].join(" ");
      const to = pageOfItem(resource.kind, resource.scope, resource.name);
      return await leave(c, to, { tone: "good", text });
    } catch (error) {
      const faults = faultsOfRefusal(error);
      if (faults === undefined) throw error;
      c.status(400);
      return known(() => showCollection(c, address, { faults, form }));
    }
  })
  .post("/resources/replace/:path{.+}", async (c) => {
    const address = itemOfPath(c);
    const text = (await readForm(c, FORM_BYTES)).get("document") ?? "";
    try {
      const { resource } = await known(() => replaceWith(c, address, parseJson(text)));
      const to = pageOfItem(resource.kind, resource.scope, resource.name);
      return await leave(c, to, { tone: "good", text: "Saved." });
    } catch (error) {
      const faults = faultsOfRefusal(error);
      if (faults === undefined) throw error;
      c.status(400);
      return known(() => showItem(c, address, { text, faults }));
    }
  })
  .post("/resources/delete/:path{.+}", async (c) => {
    const address = itemOfPath(c);
    const { kind } = await known(() => removeFrom(c, address, false));
    const text =
      kind === "gone"
        ? `${address.name} is deleted.`
        : `${address.name} is being deleted: it goes with its last finalizer.`;
    return leave(c, pageOfCollection(address.kind, address.scope), { tone: "good", text });
  })
  .get("/resources/:path{.+}", async (c) => {
    if (addressOfPath(c).at === "item") return known(() => showItem(c, itemOfPath(c)));
    const form = new URL(c.req.url).searchParams;
    return known(() => showCollection(c, collectionOfPath(c), { faults: [], form }));
  });

/** A collection without a scope is what is outside of all. */
const scopeOf = ({ scope }: Collection): ScopeName | null => (scope === "all" ? null : scope);

/** Resources of one kind in the order of their names, which are unique in a scope. */
async function listed(
  c: ResourcesContext,
  kindName: string,
  limit: number,
  { scope = null, after = "" }: { scope?: ScopeName | null; after?: string } = {},
): Promise<Resource[]> {
  const kind = kindNamed(kindName);
  const tests = [
    ...(after === "" ? [] : [`name=gt=${JSON.stringify(after)}`]),
    ...(scope === null && kind.scopes.length > 0 ? ["metadata.scope.name==null"] : []),
  ];
  const query = { sort: "name,ASC", ...(tests.length === 0 ? {} : { query: tests.join(";") }) };
  const page = { page: 1, pageSize: limit };
  const { organizationId } = c.var.asker;
  const { rows } = listStatements(organizationId, kind, scope ?? "all", query, page);
  const { items } = await readPage(c.env.DB, { rows, count: COUNTED }, page);
  return items;
}

/** Nobody looks at how many there are altogether. */
const COUNTED = { sql: "SELECT 0 AS total", values: [] };

async function showCollection(
  c: ResourcesContext,
  address: Collection,
  typed: Typed,
): Promise<Response> {
  const { kind } = address;
  const scope = scopeOf(address);
  if (scope !== null)
    await existing(c, { kind: kindNamed(scope.kind), scope: null, name: scope.name });
  const after = c.req.query("after")?.slice(0, 253) ?? "";
  const isHook = kind.kind === "ResourceHook";
  const here = pageOfCollection(kind, scope);
  const [items, webhooks, matched] = await Promise.all([
    listed(c, kind.kind, PAGE, { scope, after }),
    isHook ? listed(c, "Webhook", PAGE, { scope }) : [],
    isHook && typed.form.has("kind-0") ? wouldMatch(c, typed.form, scope) : undefined,
  ]);
  const last = items.at(-1);
  return c.render(
    <CollectionPage
      kind={kind}
      scope={scope}
      items={items}
      next={
        last === undefined || items.length < PAGE
          ? null
          : `${here}?after=${encodeURIComponent(last.name)}`
      }
      here={here}
      to={here.replace("/resources/", "/resources/create/")}
      typed={typed}
      webhooks={webhooks.map(({ name }) => name)}
      matched={matched}
      now={Date.now()}
    />,
    { title: kind.kind, here: "resources" },
  );
}

type Item = ReturnType<typeof itemOfPath>;

async function existing(
  c: ResourcesContext,
  key: Parameters<typeof readResource>[2],
): Promise<Resource> {
  const resource = await readResource(c.env.DB, c.var.asker.organizationId, key);
  if (resource === undefined) throw missing(key);
  return resource;
}

async function showItem(
  c: ResourcesContext,
  address: Item,
  typed?: ItemShown["typed"],
): Promise<Response> {
  const resource = await existing(c, address);
  const { kind, name } = resource;
  const isScope = kindsIn(kind.kind).length > 0;
  const { asker } = c.var;
  const [document, counts, log] = await Promise.all([
    readShown(c.env.DB, asker, resource, address.version, shapeOf({})),
    isScope
      ? countKinds(c.env.DB, asker.organizationId, { kind: kind.kind, name })
      : new Map<string, number>(),
    isScope
      ? logOfScope(c, resource)
      : kind.kind === "WatchTopic"
        ? logOfTopic(c, resource)
        : NO_LOG,
  ]);
  return c.render(
    <ItemPage
      resource={resource}
      document={document}
      typed={typed}
      counts={counts}
      now={Date.now()}
      {...log}
    />,
    { title: name, here: "resources" },
  );
}
