import * as z from "zod";
import { collectionLink } from "../address";
import type { Kind } from "../kinds/kind";
import { kinds, type Version, versions } from "../kinds/registry";

type Schema = Record<string, unknown>;

/** OpenAPI 3 of all kinds (reference resource-api.md §7): schema keys are `group.version.Kind`. */
export function openApi(): Schema {
  const schemas: Schema = {};
  const paths: Schema = {};
  for (const kind of kinds)
    for (const version of versions) {
      const key = `${kind.group}.${version}.${kind.kind}`;
      schemas[key] = resourceSchema(kind, version, key);
      schemas[`${key}Spec`] = jsonSchema(kind.spec);
      for (const [name, schema] of Object.entries(kind.subResources))
        schemas[`${key}${capital(name)}`] = jsonSchema(schema);
      Object.assign(paths, pathsOf(kind, version, key));
    }
  return {
    openapi: "3.0.3",
    info: { title: "Resources", version: "1" },
    servers: [{ url: "/apis" }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { ...schemas, Metadata: metadata, Finalizer: finalizer, Owner: owner },
    },
  };
}

/** One JSON Schema for the documents of all kinds, distinguished by `kind`. */
export function jsonSchemaOfAll(): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Resource",
    oneOf: kinds.map((kind) => ({
      title: kind.kind,
      type: "object",
      required: ["kind"],
      properties: {
        group: { const: kind.group },
        apiVersion: { enum: [...versions] },
        kind: { const: kind.kind },
        ...common(metadata, finalizer, owner),
        spec: jsonSchema(kind.spec),
        ...Object.fromEntries(
          Object.entries(kind.subResources).map(([name, schema]) => [name, jsonSchema(schema)]),
        ),
      },
      patternProperties: { "^x-": {} },
    })),
  };
}

function resourceSchema(kind: Kind, version: Version, key: string): Schema {
  const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
  return {
    type: "object",
    "x-axway-group": kind.group,
    "x-axway-version": version,
    "x-axway-kind": kind.kind,
    "x-axway-plural": kind.plural,
    "x-axway-scoped": kind.scopes.length > 0,
    "x-axway-scopes": kind.scopes.map((scope) => ({ kind: scope })),
    properties: {
      group: { type: "string", enum: [kind.group] },
      apiVersion: { type: "string", enum: [version] },
      kind: { type: "string", enum: [kind.kind] },
      ...common(ref("Metadata"), ref("Finalizer"), ref("Owner")),
      spec: ref(`${key}Spec`),
      ...Object.fromEntries(
        Object.keys(kind.subResources).map((name) => [name, ref(`${key}${capital(name)}`)]),
      ),
    },
  };
}

function common(metadataSchema: Schema, finalizerSchema: Schema, ownerSchema: Schema): Schema {
  return {
    name: { type: "string", maxLength: 253 },
    title: { type: "string", maxLength: 350 },
    metadata: metadataSchema,
    attributes: { type: "object", additionalProperties: { type: "string" } },
    tags: { type: "array", items: { type: "string" } },
    finalizers: { type: "array", items: finalizerSchema },
    owner: ownerSchema,
  };
}

const metadata: Schema = {
  type: "object",
  properties: {
    id: { type: "string" },
    resourceVersion: { type: "string" },
    selfLink: { type: "string" },
    scope: {
      type: "object",
      properties: { kind: { type: "string" }, name: { type: "string" } },
    },
    references: { type: "array", items: { type: "object" } },
  },
};
const finalizer: Schema = {
  type: "object",
  required: ["name"],
  properties: { name: { type: "string" }, description: { type: "string" } },
};
const owner: Schema = {
  type: "object",
  required: ["type", "id"],
  properties: { type: { type: "string", enum: ["team"] }, id: { type: "string" } },
};

function pathsOf(kind: Kind, version: Version, key: string): Schema {
  const body = { "application/json": { schema: { $ref: `#/components/schemas/${key}` } } };
  const list = {
    "application/json": {
      schema: { type: "array", items: { $ref: `#/components/schemas/${key}` } },
    },
  };
  const collections = [
    ...kind.scopes.map((scope) => collectionLink(kind, version, { kind: scope, name: "{scope}" })),
    ...(kind.unscoped ? [collectionLink(kind, version, null)] : []),
  ];
  const answer = (status: number, content?: Schema): Schema => ({
    [status]: { description: "", ...(content === undefined ? {} : { content }) },
  });
  const paths: Schema = {};
  for (const path of collections) {
    const scope = path.includes("{scope}") ? [parameter("scope")] : [];
    paths[path] = {
      parameters: scope,
      get: { responses: answer(200, list) },
      post: { requestBody: { content: body }, responses: answer(201, body) },
    };
    paths[`${path}/{name}`] = {
      parameters: [...scope, parameter("name")],
      get: { responses: answer(200, body) },
      put: { requestBody: { content: body }, responses: answer(200, body) },
      delete: { responses: answer(204) },
    };
  }
  if (!kind.unscoped)
    paths[collectionLink(kind, version, null)] = { get: { responses: answer(200, list) } };
  return paths;
}

const parameter = (name: string): Schema => ({
  name,
  in: "path",
  required: true,
  schema: { type: "string" },
});

function jsonSchema(schema: z.ZodType): Schema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
  });
  return rest;
}

const capital = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
