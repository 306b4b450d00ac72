import { describe, expect, it } from "vitest";
import type { Happened, Target } from "../../src/stream/event";
import { addressed } from "../../src/subscriptions/address";
import type { Hearing, Subscription } from "../../src/subscriptions/subscription";

const event = (id: string): Happened => ({
  id,
  objectType: "contacts",
  objectId: id,
  eventType: "CREATED",
  date: 1,
  data: "{}",
});

const target = (destinationId: string): Target => ({
  destinationId,
  envelope: { format: "verbatim" },
  most: 10,
  ordering: "none",
});

const subscription = (
  kind: Subscription["kind"],
  name: string,
  hears: (id: string) => Hearing,
): Subscription => {
  const shared = [target(name)];
  return { kind, hears: ({ id }) => hears(id), targets: () => shared };
};

const all = (): Hearing => "yes";

describe("addressed", () => {
  it("gives every event to those who hear of it, and each of them one target", async () => {
    const { events, targets } = await addressed(
      [event("a"), event("b")],
      [
        subscription("callback", "callback", all),
        subscription("flow", "step", (id) => (id === "b" ? "yes" : "no")),
      ],
    );
    expect(events.map(({ to }) => to)).toEqual([[0], [0, 1]]);
    expect(targets.map(({ destinationId }) => destinationId)).toEqual(["callback", "step"]);
  });

  it("keeps events apart for whom a subscription names targets of their own", async () => {
    const own: Subscription = {
      kind: "flow",
      hears: () => "yes",
      targets: ({ id }) => [target(`run of ${id}`), target(`second of ${id}`)],
    };
    const { events, targets } = await addressed([event("a"), event("b")], [own]);
    expect(events.map(({ to }) => to)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(targets).toHaveLength(4);
  });

  it("addresses nobody where nobody listens", async () => {
    expect(await addressed([event("a")], [])).toEqual({
      events: [{ ...event("a"), to: [] }],
      targets: [],
    });
  });

  it.each<[string, Subscription[], boolean]>([
    ["by the only one", [subscription("callback", "c", () => "filtered")], true],
    [
      "though a flow runs",
      [subscription("callback", "c", () => "filtered"), subscription("flow", "f", all)],
      true,
    ],
    [
      "while another destination hears of it",
      [subscription("callback", "c", () => "filtered"), subscription("endpoint", "e", all)],
      false,
    ],
    ["by nobody", [subscription("callback", "c", () => "no")], false],
  ])("marks an event that was turned away %s", async (_, subscriptions, isMarked) => {
    const { events } = await addressed([event("a")], subscriptions);
    expect(events[0]?.filtered ?? false).toBe(isMarked);
  });
});
