import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { isZero, withoutUnknown, withoutZeros } from "../../src/resources/absent";
import { kindNamed, kinds } from "../../src/resources/kinds/registry";
import { cases } from "../cases";

/** What generated clients send for what is not set, and what they lose. */

const trigger = { group: "*", kind: "*", name: "*", type: ["created"] };

describe("withoutZeros", () => {
  it.each<[string, unknown, unknown]>([
    ["Webhook", { url: "u", auth: { secret: {} } }, { url: "u" }],
    [
      "Webhook",
      { url: "u", auth: { secret: {}, location: { in: "header" } } },
      { url: "u", auth: { location: { in: "header" } } },
    ],
    ["Webhook", { url: "u", headers: null, auth: null }, { url: "u" }],
    // Taken as they are: the name of a Secret that went is empty, too.
    [
      "Webhook",
      { url: "u", auth: { secret: { name: "", key: "" } } },
      { url: "u", auth: { secret: { name: "", key: "" } } },
    ],
    ["Webhook", { url: "u", headers: { A: "" } }, { url: "u", headers: { A: "" } }],
    ["Environment", { description: "" }, { description: "" }],
    ["Environment", { variables: { A: "" }, icon: {} }, { variables: { A: "" }, icon: {} }],
    ["Secret", { data: { A: "" } }, { data: { A: "" } }],
    [
      "WatchTopic",
      { filters: [{ ...trigger, scope: { kind: "", name: "" } }] },
      { filters: [trigger] },
    ],
    ["Asset", { type: "API", autoRelease: { releaseType: "" } }, { type: "API" }],
    [
      "Asset",
      {
        type: "API",
        autoRelease: {
          releaseType: "",
          requiresInitialActivation: false,
          previousReleases: { updateState: "" },
        },
      },
      { type: "API" },
    ],
    ["APIServiceRevision", { apiService: "s", definition: null }, { apiService: "s" }],
    [
      "Credential",
      {
        credentialRequestDefinition: "d",
        managedApplication: "a",
        data: null,
        state: { name: "" },
      },
      { credentialRequestDefinition: "d", managedApplication: "a" },
    ],
    ["ManagedApplication", { security: { encryptionKey: "" } }, {}],
    [
      "DiscoveryAgent",
      { dataplaneType: "", config: { owner: { type: "", id: "" } } },
      { dataplaneType: "" },
    ],
    ["DiscoveryAgent", { config: { filter: "f", owner: { id: "" } } }, { config: { filter: "f" } }],
  ])("of a %s: %j is %j", (kind, given, expected) => {
    expect(withoutZeros(kindNamed(kind).spec, given)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ["Webhook", { url: "" }],
    ["Asset", { type: "" }],
    ["ResourceHook", { triggers: null, webhooks: [] }],
    ["ResourceHook", { triggers: [{}], webhooks: [""] }],
    ["Product", { assets: [{}] }],
    ["Asset", { type: "API", autoRelease: { releaseType: "", requiresInitialActivation: true } }],
    ["APIServiceInstance", { endpoint: [{ host: "", protocol: "https" }] }],
  ])("leaves to a %s what it can't miss: %j", (kind, given) => {
    const { spec } = kindNamed(kind);
    expect(withoutZeros(spec, given)).toEqual(given);
    expect(spec.safeParse(given).success).toBe(false);
  });

  it("takes time linear in what is sent", () => {
    const members = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`m${n}`, null]));
    expect(withoutZeros(kindNamed("Environment").spec, { variables: members })).toEqual({});
  });
});

describe("withoutUnknown", () => {
  it("names each by its path, and leaves the rest", () => {
    const given = { filters: [{ ...trigger, more: 1 }], other: { deep: 2 }, description: "d" };
    expect(withoutUnknown(kindNamed("WatchTopic").spec, given)).toEqual({
      value: { filters: [trigger], description: "d" },
      unknown: ["filters.0.more", "other"],
    });
  });
});

type Schema = {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | false;
  items?: Schema;
  enum?: string[];
  const?: string;
  anyOf?: Schema[];
  default?: unknown;
  minItems?: number;
};

const schemaOf = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;

/** What a schema takes. */
function taken(schema: Schema): fc.Arbitrary<any> {
  const { properties, required = [], items, additionalProperties, minItems = 0 } = schema;
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(taken));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (properties !== undefined)
    return fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, taken(inner)])),
      { requiredKeys: required },
    );
  if (schema.type === "array")
    return fc.array(taken(items ?? {}), { minLength: minItems, maxLength: 2 });
  if (schema.type === "object" && additionalProperties)
    return fc.dictionary(fc.constantFrom("a", "b"), taken(additionalProperties), { maxKeys: 2 });
  if (schema.type === "string") return fc.constantFrom("svc", "a.b", "x1");
  if (schema.type === "boolean") return fc.boolean();
  if (schema.type === "integer" || schema.type === "number") return fc.integer({ min: 1, max: 9 });
  return fc.constantFrom("any", 1, { of: ["it"] });
}

/** As a client with a model of it writes a value that it read: what was absent is sent as the zero of its type. */
function asModel(schema: Schema, value: any): unknown {
  const { properties, items } = schema;
  if (properties !== undefined && typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(properties).flatMap(([name, inner]): [string, unknown][] => {
        if (Object.hasOwn(value, name)) return [[name, asModel(inner, value[name])]];
        const zero = zeroOf(inner);
        return zero === undefined ? [] : [[name, zero]];
      }),
    );
  return Array.isArray(value) && items !== undefined
    ? value.map((element) => asModel(items, element))
    : value;
}

/** Undefined: `omitempty`. */
function zeroOf({ type, properties, default: given, enum: values }: Schema): unknown {
  if (properties !== undefined)
    return Object.fromEntries(
      Object.entries(properties).flatMap(([name, inner]) => {
        const zero = zeroOf(inner);
        return zero === undefined ? [] : [[name, zero]];
      }),
    );
  if (given !== undefined || type === "number" || type === "integer") return undefined;
  if (type === "boolean") return false;
  return type === "string" || values !== undefined ? "" : null;
}

/** Without zeros of any kind: the same for a client that can't tell them from what is absent. */
const essence = (value: any): unknown => {
  if (Array.isArray(value)) return value.map(essence);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) =>
      isZero(member) || member === false ? [] : [[key, essence(member)]],
    ),
  );
};

describe("a document that a generated client reads and writes back", () => {
  const parts = kinds.flatMap(({ kind, spec, subResources }): [string, z.ZodType][] => [
    [kind, spec],
    ...Object.entries(subResources).map(([sub, schema]): [string, z.ZodType] => [
      `${kind}/${sub}`,
      schema,
    ]),
  ]);

  it.each(parts)("is taken, and is what it was: %s", (_, part) => {
    const schema = schemaOf(part);
    fc.assert(
      fc.property(taken(schema), (first) => {
        const stored = part.parse(withoutZeros(part, first));
        const written = asModel(schema, stored);
        const again = part.parse(withoutZeros(part, written));
        expect(essence(again)).toEqual(essence(stored));
        expect(part.parse(withoutZeros(part, asModel(schema, again)))).toEqual(again);
      }),
      { numRuns: cases(20, 1_000) },
    );
  });
});
