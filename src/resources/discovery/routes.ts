import { type Context, Hono } from "hono";
import { type AskerEnv, withToken } from "../../accounts/asker.io";
import { notFound } from "../../http/refusal";
import { groups } from "../kinds/registry";
import { linkHeader, pageOf } from "../list";
import { commandLineDocuments, definitionDocuments, groupDocuments } from "./definitions";
import { jsonSchemaOfAll, openApi } from "./schemas";

type Document = Record<string, unknown>;

const ROOT = "/definitions/v1alpha1/groups";

/** What clients read before anything else (reference resource-api.md §7). */
export const discoveryRoutes = new Hono<AskerEnv>()
  .get("/docs", (c) => c.json(openApi()))
  .get("/jsonschema", (c) => c.json(jsonSchemaOfAll()))
  .get(ROOT, withToken, (c) => listed(c, groupDocuments()))
  .get(`${ROOT}/:group`, withToken, (c) => c.json(named(groupDocuments(), c.req.param("group"))))
  .get(`${ROOT}/:group/:collection`, withToken, (c) =>
    listed(c, documentsOf(c.req.param("group"), c.req.param("collection"))),
  )
  .get(`${ROOT}/:group/:collection/:name`, withToken, (c) =>
    c.json(
      named(documentsOf(c.req.param("group"), c.req.param("collection")), c.req.param("name")),
    ),
  );

function documentsOf(name: string, collection: string): Document[] {
  const group = groups.find((served) => served === name);
  if (group === undefined) throw notFound(`Resource ${name} not found in group definitions`);
  switch (collection) {
    case "resources":
      return definitionDocuments(group);
    case "commandlines":
      return commandLineDocuments(group);
    default:
      throw notFound(`Unknown path '${collection}'`);
  }
}

function listed(c: Context, documents: readonly Document[]): Response {
  const page = pageOf(c.req.query());
  const from = (page.page - 1) * page.pageSize;
  c.header("X-Axway-Total-Count", String(documents.length));
  const { pathname, search } = new URL(c.req.url);
  c.header("Link", linkHeader(pathname, search, page, documents.length));
  return c.json(documents.slice(from, from + page.pageSize));
}

function named(documents: readonly Document[], name: string): Document {
  const found = documents.find((document) => document["name"] === name);
  if (found === undefined) throw notFound(`Resource ${name} not found in group definitions`);
  return found;
}
