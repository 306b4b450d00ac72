import { describe, expect, it } from "vitest";
import { readDescriptor } from "../../src/flows/descriptor";
import { parseAllowList } from "../../src/http/egress";
import { faultsOf } from "../../src/flows/validation/faults";
import { descriptor, step, trigger } from "./build";

const egress = {
  allow: parseAllowList(["127.0.0.1"]),
  allowHttp: false,
  ownHost: undefined,
  resolver: undefined,
};
const faults = (json: unknown) => faultsOf(descriptor(json), egress);

describe("a descriptor", () => {
  it("is right as the reference writes it", () => {
    const modifiers = { body: { m1: { variable: "$.T.out.data", functions: [] } } };
    const lambda = { url: "https://example.com/cb", body: "{{{m1}}}" };
    expect(faults({ T: trigger(), P: step(lambda, modifiers) })).toEqual([]);
  });

  it("takes a bare string as the port of a source", () => {
    expect(
      faults({ T: trigger(), P: step(undefined, {}, { source: { in: { T: "out" } } }) }),
    ).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, { componentId: string; message: string }]>([
    [
      "an event without a name",
      { T: { ...trigger(), config: { properties: {} } } },
      { componentId: "T", message: "Expected a text" },
    ],
    [
      "an unknown type",
      { T: { type: "appmixer.utils.http.Teleport" } },
      { componentId: "T", message: "is not a component" },
    ],
    [
      "a wrong in port",
      { T: trigger(), P: step(undefined, {}, { source: { input: { T: ["out"] } }, config: null }) },
      { componentId: "P", message: "no in port 'input'" },
    ],
    [
      "a transformation that does not match the source",
      {
        T: trigger(),
        P: step(
          undefined,
          {},
          { config: { transform: { wrong: { T: { out: { lambda: {} } } } } } },
        ),
      },
      { componentId: "P", message: "Malformed transformation" },
    ],
    [
      "a source that is not there",
      { P: step(undefined, {}, { source: { in: { X: ["out"] } }, config: null }) },
      { componentId: "P", message: "no component 'X'" },
    ],
    [
      "leaving out data",
      { T: trigger(), P: step({ url: "https://x.example", body: "{{{$.T.out.email}}}" }) },
      { componentId: "P", message: "the event is under 'data'" },
    ],
    [
      "a placeholder without a modifier",
      { T: trigger(), P: step({ url: "https://x.example", body: "{{{m9}}}" }) },
      { componentId: "P", message: "no modifier 'm9'" },
    ],
    [
      "a body type that is not there yet",
      { T: trigger(), P: step({ url: "https://x.example", bodyType: "form-data" }) },
      { componentId: "P", message: "not supported yet" },
    ],
  ])("names component and field of %s", (_, json, expected) => {
    const { componentId, message } = expected;
    expect(faults(json)).toContainEqual({
      componentId,
      field: expect.any(String),
      message: expect.stringContaining(message),
    });
  });

  it.each([
    "https://10.0.0.1/",
    " https://10.0.0.1/{{{$.T.out.data.id}}}?q={{{$.T.out.data.q}}}",
    "ht\ntps:\\\\169.254.169.254/{{{m1}}}",
    "https://user:secret@example.com/{{{m1}}}",
    "https://example.com:22/#{{{m1}}}",
    "http://example.com/cb",
    "example.com/cb",
  ])("names component and field of the address %j, which may not be called", (url) => {
    const modifiers = { url: { m1: { variable: "$.T.out.data", functions: [] } } };
    expect(faults({ T: trigger(), P: step({ url }, modifiers) })).toEqual([
      {
        componentId: "P",
        field: "config.transform.in.T.out.lambda.url",
        message: expect.stringMatching(/refused|not public|Expected an https|not an absolute URL/),
      },
    ]);
  });

  it.each([
    "{{{m1}}}",
    "{{{m1}}}://10.0.0.1/",
    "https://{{{m1}}}/",
    "https://10.0.0.{{{m1}}}/",
    "https://10.0.0.1{{{m1}}}",
    "https://10.0.0.1:{{{m1}}}/",
    "https://{{{m1}}}@10.0.0.1/",
    "http://127.0.0.1:8080/{{{m1}}}",
    "https://example.com/{{{m1}}}",
  ])("leaves %j to the guard when it is called", (url) => {
    const modifiers = { url: { m1: { variable: "$.T.out.data", functions: [] } } };
    expect(faults({ T: trigger(), P: step({ url }, modifiers) })).toEqual([]);
  });

  it("refuses a circle, and a lattice that would set off thousands of steps", () => {
    const below = (...from: string[]) => ({
      type: "appmixer.utils.http.Get",
      source: { in: Object.fromEntries(from.map((id) => [id, ["response"]])) },
    });
    expect(faults({ A: below("B"), B: below("A") })[0]?.message).toContain("circle");
    const lattice: Record<string, unknown> = { T: trigger(), A0: step(), B0: step() };
    for (let row = 1; row < 12; row += 1)
      for (const name of ["A", "B"]) lattice[`${name}${row}`] = below(`A${row - 1}`, `B${row - 1}`);
    expect(faults(lattice)[0]?.message).toContain("more than 1000 steps");
  });

  it.each([
    ["a prototype as an id", JSON.parse('{"__proto__": {"type": "a.b.c.D"}}')],
    ["constructor as an id", { constructor: trigger() }],
    ["an id with a dot", { "a.b": trigger() }],
    ["a type of three parts", { T: { type: "a.b.C" } }],
    ["a member that is not allowed", { T: { ...trigger(), onError: "x" } }],
  ])("refuses %s", (_, json) => {
    expect(readDescriptor(json).ok).toBe(false);
  });
});
