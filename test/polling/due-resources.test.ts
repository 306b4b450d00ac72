import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import type { Instance } from "../../src/instances/instance";
import { scheduleOf } from "../../src/instances/schedule";
import { dueResources } from "../../src/polling/due-resources";
import { pollingFaults } from "../../src/polling/settings";
import { cases } from "../cases";

/** An instance of a connector with lists, or of `key`, whose resources have these intervals; null: none of their own. */
const polled = (intervals: readonly (number | string | null)[], usual = 15, key = "hubspot") =>
  ({
    id: 7,
    connector: findConnector(key),
    configuration: {
      "event.vendor.type": "polling",
      "event.poller.refresh_interval": String(usual),
      "event.poller.configuration": JSON.stringify(
        Object.fromEntries(
          intervals.map((refreshInterval, index) => [
            `r${index}`,
            { url: "/hubs/crm/contacts", idField: "id", refreshInterval },
          ]),
        ),
      ),
    },
    disabled: false,
    pollerDisabled: null,
    valid: true,
  }) as unknown as Instance;

describe("an instance is polled as often as its resource that is polled most often", () => {
  it.each<[(number | string | null)[], number, string, number]>([
    [[null, null], 15, "hubspot", 15],
    [[5, null], 15, "hubspot", 5],
    [[60, 30], 15, "hubspot", 30],
    [["60", null], 15, "hubspot", 15],
    // A feed of the whole account is read as often as the instance says.
    [[60], 15, "box", 15],
  ])("%j beside %i of %s: every %i minutes", (intervals, usual, key, every) => {
    expect(scheduleOf(polled(intervals, usual, key)).interval).toBe(every);
  });

  it("and a resource is read no more and no less often than it asks for, whatever ticks are lost", () => {
    const interval = fc.integer({ min: 1, max: 90 });
    const lost = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 4 }), lost, (intervals, gaps) => {
        const instance = polled(intervals);
        const { interval: every, slot } = scheduleOf(instance) as {
          interval: number;
          slot: number;
        };
        const reads = intervals.map((): number[] => []);
        const gapAt = new Map(gaps.map((length, index) => [300 + index * 100, length]));
        for (let from = 0; from < 1_000;) {
          const to = from + (gapAt.get(from) ?? 0);
          const minutes = Array.from({ length: to - from + 1 }, (_, index) => from + index);
          if (minutes.some((minute) => minute % every === slot)) {
            const due = dueResources(instance, { from, to });
            for (const [index, times] of reads.entries())
              if (due?.includes(`r${index}`) ?? true) times.push(to);
          }
          from = to + 1;
        }
        for (const [index, times] of reads.entries()) {
          const own = intervals[index] ?? 0;
          const apart = times.slice(1).map((at, place) => at - (times[place] ?? 0));
          expect(Math.max(0, ...apart)).toBeLessThanOrEqual(own + every + 40);
          expect(times.length).toBeGreaterThanOrEqual(Math.floor((1_000 - 6 * 41) / own) - 1);
          expect(times.length).toBeLessThanOrEqual(Math.ceil(1_000 / own) + 1 + gaps.length);
        }
      }),
      { numRuns: cases(5, 500) },
    );
  });
});

it("a smallest interval that divides the others reads each exactly on its minutes", () => {
  const instance = polled([5, 60]);
  const { slot } = scheduleOf(instance);
  const due = (minute: number) => dueResources(instance, { from: minute, to: minute });
  const hour = 60 * 1_000 + (slot ?? 0);
  expect(due(hour)).toBeUndefined();
  for (const later of [5, 10, 55]) expect(due(hour + later)).toEqual(["r0"]);
  expect(due(hour + 60)).toBeUndefined();
  expect(dueResources(instance, { from: hour - 2, to: hour + 7 })).toBeUndefined();
});

it("an interval is a whole number of minutes, up to a month", () => {
  const faults = pollingFaults(polled([0, 1.5, "soon", 44_641, 44_640]));
  const path = "configuration.event.poller.configuration";
  expect(faults.map(({ field }) => field)).toEqual(
    [0, 1, 2, 3].map((index) => `${path}.r${index}.refreshInterval`),
  );
  expect(faults[0]?.message).toContain("a whole number of minutes from 1 to 44640");
});
