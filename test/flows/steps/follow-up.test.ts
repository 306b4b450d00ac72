import { describe, expect, it } from "vitest";
import { followUp } from "../../../src/flows/steps/follow-up";
import { descriptor, step, trigger } from "../build";

const below = (port: string) => ({ ...step(), source: { in: { P: [port] } }, config: {} });
const flow = descriptor({
  T: trigger(),
  P: step({}, {}, { errorHandling: { onError: "errorPort" } }),
  Q: below("response"),
  R: below("response"),
  E: below("error"),
});
const ran = {
  format: "flow-step" as const,
  flowId: "f",
  componentId: "P",
  sender: { componentId: "T", port: "out" },
  correlationId: "run",
  startedAt: 5,
  input: "content" as const,
};
const scope = { T: { out: { data: 1 } } };

const follow = (port: string, content: Record<string, unknown>, known: object = scope) =>
  followUp(
    { stream: "1/user:1", seq: 7 },
    ran,
    { descriptor: flow, scope: { ...known } },
    { port, content },
    9,
  );

describe("what follows a step", () => {
  it("goes to the steps that listen to the port, as steps of the same run", () => {
    const { events, targets } = follow("response", { statusCode: 200 });
    expect(targets.map(({ destinationId, envelope }) => ({ destinationId, envelope }))).toEqual(
      ["Q", "R"].map((componentId) => ({
        destinationId: `flow-f-${componentId}`,
        envelope: {
          ...ran,
          componentId,
          sender: { componentId: "P", port: "response" },
          input: "scope",
        },
      })),
    );
    expect(events).toMatchObject([
      { objectId: "f/P", objectType: "flow-step", eventType: "response", date: 9, to: [0, 1] },
    ]);
  });

  it("adds the content to what the run has produced", () => {
    const [event] = follow("response", { statusCode: 200 }).events;
    expect(JSON.parse(event?.data ?? "")).toEqual({
      scope: { ...scope, P: { response: { statusCode: 200 } } },
    });
  });

  it("is one event however often it is committed, and another at each port", () => {
    const ids = ["response", "response", "error"].map((port) => follow(port, {}).events[0]?.id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it("goes on with the content alone when the run has produced more than 4 MiB", () => {
    const most = 4_194_304;
    const size = (text: string) => follow("error", {}, { T: { out: text } }).events[0]?.data ?? "";
    const rest = size("").length;
    expect(size("x".repeat(most - rest))).toHaveLength(most);
    expect(JSON.parse(size("x".repeat(most - rest + 1)))).toEqual({ scope: { P: { error: {} } } });
  });
});
