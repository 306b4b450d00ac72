import { describe, expect, it } from "vitest";
import { laneOf } from "../../src/delivery/lane";
import type { Queues } from "../../src/stream/outbox/lanes.io";
import { queuesOf } from "../../src/stream/outbox/queue-choice";

/** A binding that is known by its name. */
const bound = (...names: string[]): Parameters<typeof queuesOf>[0] => {
  const entries = ["DELIVERIES", "DELIVERIES_SLOW", ...names].map((name) => [name, name]);
  return Object.fromEntries(entries);
};
const nameOf = (queue: Queues["fast"]): unknown => queue;
const streams = Array.from({ length: 10_000 }, (_, id) => `1/instance:${id}`);

describe("the queues of a stream", () => {
  it("are the first of each lane where there are no others, whatever else is bound", () => {
    const bindings = bound("DELIVERIES_OLD", "POLLS", "DELIVERIES_SLOW_", "XDELIVERIES_2");
    for (const stream of streams.slice(0, 50)) {
      const { fast, slow } = queuesOf(bindings, stream);
      expect([fast, slow].map(nameOf)).toEqual(["DELIVERIES", "DELIVERIES_SLOW"]);
    }
  });

  it("are shared out evenly where there are several, each lane for itself and gaps left out", () => {
    const bindings = bound("DELIVERIES_2", "DELIVERIES_5", "DELIVERIES_10", "DELIVERIES_SLOW_2");
    const counts = new Map<unknown, number>();
    for (const stream of streams)
      for (const queue of Object.values(queuesOf(bindings, stream)))
        counts.set(queue, (counts.get(queue) ?? 0) + 1);
    expect([...counts.keys()].map(String).toSorted()).toEqual([
      "DELIVERIES",
      "DELIVERIES_10",
      "DELIVERIES_2",
      "DELIVERIES_5",
      "DELIVERIES_SLOW",
      "DELIVERIES_SLOW_2",
    ]);
    for (const [name, count] of counts) {
      const share = String(name).includes("SLOW") ? 5_000 : 2_500;
      expect(Math.abs(count - share)).toBeLessThan(share / 10);
    }
  });

  it("are the same each time", () => {
    const bindings = bound("DELIVERIES_2", "DELIVERIES_3");
    for (const stream of streams.slice(0, 50))
      expect(queuesOf(bindings, stream)).toEqual(queuesOf({ ...bindings }, stream));
  });
});

describe("the lane of a queue", () => {
  it.each([
    ["tributary-deliveries", "fast"],
    ["tributary-deliveries-2", "fast"],
    ["tributary-deliveries-slow", "slow"],
    ["tributary-deliveries-slow-12", "slow"],
    ["a-slow-one-deliveries", "fast"],
  ])("%s is %s", (queue, lane) => {
    expect(laneOf(queue)).toBe(lane);
  });
});
