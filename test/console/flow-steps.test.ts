import { describe, expect, it } from "vitest";
import { withNewStep, withoutStep, withStep } from "../../src/console/apps/step-form";
import { depthsOf, stepsOf } from "../../src/console/apps/steps";
import { descriptor, step, trigger } from "../flows/build";

const form = (fields: Record<string, string>) => new URLSearchParams(fields);
const component = (flow: object, id: string) => {
  const found = descriptor(flow).get(id);
  if (found === undefined) throw new Error(`No component '${id}'`);
  return found;
};

describe("a flow's steps", () => {
  it("come in the order of their work, with what they do and what they come after", () => {
    const flow = {
      last: step(
        { url: "https://b.example" },
        {},
        { source: { in: { P: ["response"] } }, label: " Tell B " },
      ),
      P: step({ url: "https://a.example/{{{$.T.out.data.id}}}" }),
      T: trigger("paid"),
    };
    expect(
      stepsOf(flow)?.steps.map(({ name, does, after }) => [name, does, after.map(({ id }) => id)]),
    ).toEqual([
      ["T", "event paid", []],
      ["P", "POST https://a.example/{{{$.T.out.data.id}}}", ["T"]],
      ["Tell B", "POST ", ["P"]],
    ]);
  });

  it("are called by what they do where their ids came by chance, and show no credential", () => {
    const id = crypto.randomUUID();
    const flow = { T: trigger(), [id]: step({ url: "https://ada:secret@a.example/x" }) };
    const [, called] = stepsOf(flow)?.steps ?? [];
    expect(called?.name).toMatch(/^POST https:\/\/.*a\.example\/x$/);
    expect(called?.name).not.toContain("secret");
  });

  it("are none where the flow can't be read", () => {
    expect(stepsOf({ T: { type: "nothing" } })).toBeUndefined();
  });

  it("have a depth each though they go round in a circle", () => {
    const round = (from: string) =>
      step(
        { url: "https://a.example" },
        {},
        { source: { in: { [from]: ["response"] } }, config: {} },
      );
    const depths = depthsOf(descriptor({ A: round("B"), B: round("A") }));
    expect([...depths.keys()].toSorted()).toEqual(["A", "B"]);
  });
});

describe("a step's form", () => {
  const flow = {
    T: trigger("paid"),
    P: step({ url: "https://a.example", body: { a: 1 }, headers: "{}" }),
  };

  it("changes what it names and nothing else of the flow", () => {
    const fields = {
      label: "Tell A",
      method: "Put",
      url: "https://b.example",
      body: '{"a":2}',
      headers: "",
      onError: "errorPort",
      maxRetries: "3",
    };
    const changed = withStep(flow, component(flow, "P"), form(fields));
    expect(changed["T"]).toBe(flow.T);
    expect(changed["P"]).toMatchObject({
      type: "appmixer.utils.http.Put",
      label: "Tell A",
      source: flow.P["source"],
      errorHandling: { autoRetry: false, maxRetries: 3, onError: "errorPort" },
      config: {
        transform: { in: { T: { out: { lambda: { url: "https://b.example", body: { a: 2 } } } } } },
      },
    });
    expect(JSON.stringify(changed)).not.toContain("headers");
  });

  it("sets a trigger's properties, lists as such", () => {
    const instance = {
      type: "tributary.events.instances.OnEvent",
      source: {},
      config: { properties: { instanceId: "7", other: 1 } },
    };
    const fields = form({ instanceId: "8", objectTypes: "contacts, accounts", eventTypes: "" });
    expect(withStep({ T: instance }, component({ T: instance }, "T"), fields)["T"]).toMatchObject({
      config: { properties: { instanceId: "8", objectTypes: ["contacts", "accounts"], other: 1 } },
    });
  });

  it("adds a step below one, under an id that is free, and takes it out again with what names it", () => {
    const below = withNewStep(flow, component(flow, "P"), "https://c.example");
    expect(descriptor(below).get("step-1")?.inputs).toEqual([
      { inPort: "in", from: "P", outPort: "response" },
    ]);
    const without = withoutStep(below, "P");
    expect(Object.keys(without)).toEqual(["T", "step-1"]);
    expect(descriptor(without).get("step-1")?.inputs).toEqual([]);
    expect(JSON.stringify(without)).not.toContain('"P"');
  });
});
