import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NewEvent, StoredEvent, Target } from "../../src/stream/event";
import { boundedName, MOST_NAME } from "../../src/stream/in-range";
import { isDate } from "../../src/values/instant";
import { groupsByWeight, numbered, partsOf, planCommit } from "../../src/stream/plan";

const event = (id: string, change: Partial<NewEvent> = {}): NewEvent => ({
  id,
  objectType: "accounts",
  objectId: `o-${id}`,
  eventType: "CREATED",
  date: 1,
  data: "{}",
  to: [0],
  ...change,
});
const target = (change: Partial<Target> = {}): Target => ({
  destinationId: "d",
  envelope: { format: "verbatim" },
  most: 10,
  ordering: "none",
  ...change,
});
const context = { now: 77, isKnown: (id: string) => id === "known" };
const idsOf = (events: readonly StoredEvent[]) => events.map(({ id }) => id);

describe("planCommit", () => {
  it("takes what is neither known nor told twice, received now", () => {
    const given = ["a", "known", "b", "a"].map((id) => event(id));
    const { events } = planCommit({ events: given, targets: [target()] }, context);
    expect(events).toMatchObject([
      { id: "a", receivedAt: 77, notifications: [] },
      { id: "b", receivedAt: 77, notifications: [] },
    ]);
    expect(events[0]).not.toHaveProperty("to");
  });

  it("sends each target its own events, at most so many together, in order", () => {
    const events = Array.from({ length: 5 }, (_, index) =>
      event(String(index), { to: index % 2 === 0 ? [0, 1] : [1] }),
    );
    const targets = [target({ most: 2 }), target({ destinationId: "other", most: 3 })];
    const { drafts } = planCommit({ events, targets }, context);
    expect(drafts.map((draft) => [draft.target.destinationId, idsOf(draft.events)])).toEqual([
      ["d", ["0", "2"]],
      ["d", ["4"]],
      ["other", ["0", "1", "2"]],
      ["other", ["3", "4"]],
    ]);
  });

  it("hangs the vendor's body on the first unknown event", () => {
    const events = [event("known"), event("a"), event("b")];
    const { drafts } = planCommit({ events, targets: [target({ most: 1 })], raw: "{}" }, context);
    expect(drafts.map(({ raw }) => raw?.id)).toEqual(["a", "a"]);
    const nothing = { events: [event("known")], targets: [target()], raw: "{}" };
    expect(planCommit(nothing, context)).toEqual({ events: [], drafts: [] });
  });
});

describe("an event that a commit plans", () => {
  it.each([Number.NaN, Infinity, -Infinity, 8.7e15, 8.64e15, -8.64e15, -62_135_596_800_000])(
    "dated %d is of the time it was received",
    (date) => {
      const { events } = planCommit({ events: [event("a", { date })], targets: [] }, context);
      expect(events).toMatchObject([{ date: 77, data: "{}" }]);
    },
  );

  it("has a date that can be written and names that rows can hold, whatever its source says", () => {
    const odd = fc.constantFrom("\0", "\ud83d", "\ud83d".repeat(2_500), "x".repeat(9_000));
    const name = fc.oneof(fc.string(), odd);
    const names = fc.record({ objectType: name, objectId: name, eventType: name });
    fc.assert(
      fc.property(fc.double(), names, (date, change) => {
        const given = event("a", { date, ...change });
        const [planned] = planCommit({ events: [given], targets: [] }, context).events;
        expect(planned && isDate(planned.date)).toBe(true);
        for (const key of ["objectType", "objectId", "eventType"] as const) {
          expect(planned?.[key]).toBe(boundedName(change[key]));
          expect(planned?.[key].length).toBeLessThanOrEqual(MOST_NAME);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("keeps long names apart that begin alike", () => {
    const long = "x".repeat(MOST_NAME);
    expect(boundedName(long)).toBe(long);
    expect(boundedName(`${long}a`)).not.toBe(boundedName(`${long}b`));
  });
});

describe("numbered", () => {
  const planned = (targets: Target[], events: NewEvent[]) => {
    const plan = planCommit({ events, targets, raw: "{}" }, context);
    return {
      ...plan,
      ...numbered([plan.drafts], plan.events, { event: 10, notification: 20 }, 77),
    };
  };

  it("goes on from the last numbers, and tells both sides of each other", () => {
    const { bundles, events, last } = planned(
      [target({ most: 2 })],
      ["a", "b", "c"].map((id) => event(id)),
    );
    expect(events.map(({ seq, notifications }) => [seq, notifications])).toEqual([
      [11, [21]],
      [12, [21]],
      [13, [22]],
    ]);
    expect(bundles[0]?.map(({ seq, events: of, raw }) => [seq, of, raw])).toEqual([
      [21, [11, 12], 11],
      [22, [13], 11],
    ]);
    expect(last).toEqual({ event: 13, notification: 22 });
  });

  it.each<[Partial<Target>, object]>([
    [{}, { kind: "pending", at: 77 }],
    [{ destinationId: null }, { kind: "kept" }],
    [{ skipped: true }, { kind: "dead", at: 77, reason: "destination-disabled" }],
  ])("begins %j as %j", (change, state) => {
    const { bundles } = planned([target(change)], [event("a")]);
    expect(bundles[0]?.[0]).toMatchObject({ state, tries: 0, attempts: [] });
  });

  it.each<[Partial<Target>, string[] | undefined]>([
    [{ ordering: "none" }, undefined],
    [{ ordering: "source" }, ["d|"]],
    [{ ordering: "object" }, ['["d","accounts","x"]', '["d","accounts","y"]']],
    [{ ordering: "source", destinationId: null }, undefined],
    [{ ordering: "object", skipped: true }, undefined],
  ])("puts %j behind %j", (change, keys) => {
    const events = ["x", "y", "x"].map((objectId, index) => event(String(index), { objectId }));
    const { bundles } = planned([target(change)], events);
    expect(bundles[0]?.[0]?.keys).toEqual(keys);
  });

  it("blocks only where there is an order", () => {
    const blocksOf = (change: Partial<Target>) =>
      planned([target({ ...change, blocks: true })], [event("a")]).bundles[0]?.[0]?.blocks;
    expect(blocksOf({ ordering: "source" })).toBe(true);
    expect(blocksOf({ ordering: "none" })).toBeUndefined();
  });
});

describe("cutting", () => {
  const items = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 });

  it("by weight goes over the limit with one item alone, and never cuts too early", () => {
    fc.assert(
      fc.property(
        items,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (all, limit, most) => {
          const groups = groupsByWeight(all, limit, most, (item) => item);
          const sum = (group: number[]) => group.reduce((total, item) => total + item, 0);
          expect(groups.flat()).toEqual(all);
          for (const [index, group] of groups.entries()) {
            expect(group.length).toBeLessThanOrEqual(most);
            expect(group.length === 1 || sum(group) <= limit).toBe(true);
            const [next] = groups[index + 1] ?? [];
            if (next !== undefined)
              expect(group.length === most || sum(group) + next > limit).toBe(true);
          }
        },
      ),
    );
  });

  it("a text keeps its characters whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 9 }), (text, size) => {
        const parts = partsOf(text, size);
        expect(parts.join("")).toBe(text);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(size);
          expect(part.isWellFormed()).toBe(text.isWellFormed());
        }
        expect(parts.length).toBeGreaterThan(0);
      }),
    );
    expect(partsOf("ab😀c", 3)).toEqual(["ab", "😀c"]);
    expect(partsOf("a\u{10ffff}b", 2)).toEqual(["a", "\u{10ffff}", "b"]);
    expect(partsOf("abcd", 2)).toEqual(["ab", "cd"]);
    expect(partsOf("", 5)).toEqual([""]);
  });
});
