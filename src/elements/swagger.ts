import type { Connector } from "../connectors/definition";

/** Swagger 2.0 of an instance's hub resources. */
export function swaggerOf(connector: Connector): Record<string, unknown> {
  const paths: Record<string, unknown> = {};
  for (const [name, { list, get }] of Object.entries(connector.resources)) {
    if (list !== undefined) paths[`/hubs/${connector.hub}/${name}`] = { get: listOperation(name) };
    if (get !== undefined)
      paths[`/hubs/${connector.hub}/${name}/{id}`] = { get: itemOperation(name) };
  }
  return {
    swagger: "2.0",
    info: { title: connector.name, description: connector.description, version: "api-v2" },
    basePath: "/elements/api-v2",
    consumes: ["application/json"],
    produces: ["application/json"],
    securityDefinitions: { secrets: { type: "apiKey", in: "header", name: "Authorization" } },
    security: [{ secrets: [] }],
    paths,
  };
}

function listOperation(name: string): Record<string, unknown> {
  const text = (parameter: string, description: string): Record<string, unknown> => ({
    name: parameter,
    in: "query",
    type: "string",
    required: false,
    description,
  });
  return {
    operationId: `list_${name}`,
    tags: [name],
    summary: `Find ${name}`,
    parameters: [
      text("where", "CEQL conditions"),
      text("orderBy", "Field asc or desc"),
      text("fields", "Members to return, comma-separated"),
      { name: "page", in: "query", type: "integer", required: false, description: "Page, from 1" },
      {
        name: "pageSize",
        in: "query",
        type: "integer",
        required: false,
        description: "Records a page",
      },
      text("nextPage", "Elements-Next-Page-Token of the previous page"),
    ],
    responses: {
      "200": { description: "Records", schema: { type: "array", items: { type: "object" } } },
    },
  };
}

function itemOperation(name: string): Record<string, unknown> {
  return {
    operationId: `get_${name}`,
    tags: [name],
    summary: `One of ${name}`,
    parameters: [{ name: "id", in: "path", type: "string", required: true }],
    responses: {
      "200": { description: "The record", schema: { type: "object" } },
      "404": { description: "Not found" },
    },
  };
}
