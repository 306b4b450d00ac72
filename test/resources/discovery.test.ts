import { beforeAll, describe, expect, it } from "vitest";
import { type Client, freshClient } from "./build";

const ROOT = "/apis/definitions/v1alpha1/groups";
let client: Client;
beforeAll(async () => {
  client = await freshClient();
});

const get = async (path: string): Promise<any> => (await client.call("GET", path)).body;

describe("discovery", () => {
  it("lists both groups with a version, and counts them", async () => {
    const { body, headers } = await client.call("GET", `${ROOT}?pageSize=50`);
    expect(body.map(({ name }: any) => name)).toEqual(["management", "catalog"]);
    expect(body[0]).toMatchObject({
      group: "definitions",
      kind: "ResourceGroup",
      metadata: { resourceVersion: expect.stringMatching(/^\d+$/), references: [] },
      spec: {},
    });
    expect(headers.get("x-axway-total-count")).toBe("2");
  });

  it("has one definition per kind and scope kind, each with exactly one command line", async () => {
    const definitions: any[] = [];
    const lines: any[] = [];
    for (const group of ["management", "catalog"]) {
      definitions.push(...(await get(`${ROOT}/${group}/resources?pageSize=50`)));
      lines.push(...(await get(`${ROOT}/${group}/commandlines?pageSize=50`)));
    }
    const names = definitions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(lines).toHaveLength(names.length);
    expect(new Set(lines.map(({ spec }) => spec.resourceDefinition))).toEqual(new Set(names));
    const webhook = definitions.find(({ name }) => name === "webhook-environment");
    expect(webhook.spec).toEqual({
      kind: "Webhook",
      plural: "webhooks",
      scope: { kind: "Environment" },
      apiVersions: [
        { name: "v1", served: true, deprecated: false },
        { name: "v1alpha1", served: true, deprecated: true },
      ],
      references: {
        toResources: [
          { kind: "Secret", group: "management", types: ["soft"], scopeKind: "Environment" },
        ],
        fromResources: [],
      },
      queryParams: ["name", "title", "tags", "attributes", "owner.id"],
      subResources: { names: [] },
    });
    const words = lines.find(({ name }) => name === "webhook").spec.names;
    expect(words).toEqual({
      plural: "unscopedwebhooks",
      singular: "unscopedwebhook",
      shortNames: [],
    });
    const placed = new Set(definitions.map(({ spec }) => `${spec.kind} ${spec.scope?.kind}`));
    for (const { spec } of definitions)
      for (const target of spec.references.toResources)
        expect(placed).toContain(`${target.kind} ${target.scopeKind}`);
  });

  it("shows OpenAPI without a key, its properties references to schemas that exist", async () => {
    const { status, body } = await client.call("GET", "/apis/docs", undefined, {
      authorization: "",
    });
    expect(status).toBe(200);
    const { schemas } = body.components;
    expect(schemas["management.v1.Webhook"]).toMatchObject({
      "x-axway-kind": "Webhook",
      "x-axway-plural": "webhooks",
      "x-axway-scoped": true,
      "x-axway-scopes": [{ kind: "Environment" }, { kind: "Integration" }],
      properties: { spec: { $ref: "#/components/schemas/management.v1.WebhookSpec" } },
    });
    for (const [, name = ""] of JSON.stringify(body).matchAll(
      /"\$ref":"#\/components\/schemas\/([^"]+)"/g,
    ))
      expect(schemas).toHaveProperty([name]);
    expect((await get("/apis/jsonschema")).oneOf).toHaveLength(25);
  });
});
