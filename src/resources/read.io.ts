import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { invalid, notFound } from "../http/refusal";
import type { RequestIdEnv } from "../http/surface";
import { type Address, collectionLink, type ScopeName } from "./address";
import { shapeOf } from "./embed";
import { readShown } from "./embed.io";
import type { Key } from "./key";
import { kindNamed } from "./kinds/registry";
import { unpackedQuery } from "./packed-query";
import { linkHeader, listStatements, pageOf } from "./list";
import type { Resource } from "./resource";
import { readCount, readPage, readResource } from "./store";
import { missing } from "./writes/checks";
import { copyDigits } from "../values/digits";

export type ApisEnv = AskerEnv & RequestIdEnv;
export type ApisContext = Context<ApisEnv>;
export type Item = Extract<Address, { at: "item" }>;
export type Collection = Extract<Address, { at: "collection" }>;

/** The largest page with `embed`: each relation of each resource is a query, and a request may make a thousand. */
const MOST_EMBEDDING = 100;

/** One page, with both headers (reference resource-api.md §4). */
export async function list(c: ApisContext, address: Collection) {
  const { kind, scope, version } = address;
  const { organizationId } = c.var.asker;
  const query = unpackedQuery(c.req.query());
  const page = pageOf(query);
  const shape = shapeOf(query);
  if (shape.embeds.length > 0 && page.pageSize > MOST_EMBEDDING)
    throw invalid(`With 'embed', a page has at most ${MOST_EMBEDDING} resources`, "pageSize");
  const statements = listStatements(organizationId, kind, scope, query, page);
  await refuseMissingScope(c, scope);
  const { items, total } = await readPage(c.env.DB, statements, page);
  const path = `/apis${collectionLink(kind, version, scope === "all" ? null : scope)}`;
  c.header("X-Axway-Total-Count", String(total));
  c.header("Link", linkHeader(path, new URL(c.req.url).search, page, total));
  const shown = await Promise.all(
    items.map((item) => readShown(c.env.DB, c.var.asker, item, version, shape)),
  );
  return c.json(shown);
}

/** How many a list would have. */
export async function count(c: ApisContext, address: Collection) {
  const { kind, scope } = address;
  const query = unpackedQuery(c.req.query());
  const wanted = query["count"] ?? "accessible";
  if (wanted !== "all" && wanted !== "accessible")
    throw invalid(`Invalid 'count' parameter '${wanted}'. Supported: [all, accessible]`, "count");
  const statements = listStatements(c.var.asker.organizationId, kind, scope, query, {
    page: 1,
    pageSize: 1,
  });
  await refuseMissingScope(c, scope);
  c.header("X-Axway-Total-Count", String(await readCount(c.env.DB, statements.count)));
  return c.body(null, 200);
}

async function refuseMissingScope(c: ApisContext, scope: ScopeName | "all"): Promise<void> {
  if (scope !== "all")
    await found(c, { kind: kindNamed(scope.kind), scope: null, name: scope.name });
}

/** A resource, or one of its subresources. */
export async function show(c: ApisContext, address: Item) {
  const { sub, version } = address;
  const shape = shapeOf(c.req.query());
  const resource = await found(c, address);
  if (sub !== undefined) {
    const value = Object.hasOwn(resource.content.sub, sub) ? resource.content.sub[sub] : undefined;
    if (value === undefined)
      throw notFound(
        `Subresource ${sub} of ${resource.name} not found in group ${resource.kind.group}`,
      );
    return c.json(copyDigits(resource.content.sub, { [sub]: value }));
  }
  return c.json(await readShown(c.env.DB, c.var.asker, resource, version, shape));
}

async function found(c: ApisContext, key: Key): Promise<Resource> {
  const resource = await readResource(c.env.DB, c.var.asker.organizationId, key);
  if (resource === undefined) throw missing(key);
  return resource;
}
