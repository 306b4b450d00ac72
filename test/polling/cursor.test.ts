import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  keepIdsSince,
  longestLookBackMs,
  type Position,
  sinceEnabled,
  underRule,
  windowStart,
  withQuietMoved,
} from "../../src/polling/cursor";

const BASELINE = 1_000;
const DAY = 86_400_000;
const position = (change: Partial<Position> = {}): Position => ({ failures: 0, ...change });

describe("windowStart", () => {
  const delays = { pollDelayMs: 10, overlapMs: 5 };

  it.each<[string, Partial<Position>, number]>([
    ["begins at the baseline before the first poll", {}, BASELINE],
    ["begins at the last poll less delay and overlap", { last: 2_000 }, 1_985],
    ["never begins before the baseline", { last: 1_010 }, BASELINE],
    ["never begins before the last change of the rule", { last: 2_000, floor: 1_990 }, 1_990],
    ["begins at the floor before the first poll under a new rule", { floor: 1_500 }, 1_500],
  ])("%s", (_, change, expected) => {
    expect(windowStart(position(change), BASELINE, delays)).toBe(expected);
  });
});

describe("underRule", () => {
  const scan = { startedAt: 1, after: 0, position: {}, pages: 1 };

  it("keeps everything under the same rule, and takes the first rule for the same", () => {
    const before = position({ rule: "a", last: 5_000, scan });
    expect(underRule(before, "a", BASELINE)).toEqual(before);
    expect(underRule(position({ last: 5_000, scan }), "a", BASELINE)).toEqual(before);
  });

  it("looks at nothing from before a change of the rule, and gives up a half-read list", () => {
    const before = position({ rule: "a", last: 5_000, scan });
    const after = { failures: 0, rule: "b", last: 5_000, floor: 5_000 };
    expect(underRule(before, "b", BASELINE)).toEqual(after);
    expect(underRule(position({ rule: "a" }), "b", BASELINE).floor).toBe(BASELINE);
    expect(underRule(position({ rule: "a", last: 5_000, floor: 6_000 }), "b", 0).floor).toBe(6_000);
  });
});

describe("sinceEnabled", () => {
  const failing = position({ failures: 7, failedAt: 100, lastError: "Not found" });

  it.each([
    [99, 7],
    [100, 0],
    [101, 0],
  ])("after enabling at %s counts %s failures of instant 100", (enabledAt, failures) => {
    expect(sinceEnabled(failing, enabledAt).failures).toBe(failures);
  });
});

describe("withQuietMoved", () => {
  const at = 100 * DAY;
  const moved = (last: number | undefined, idleAt: number | undefined) => {
    const resources = { contacts: position(last === undefined ? {} : { last }) };
    const idle = new Map(idleAt === undefined ? [] : [["contacts", idleAt]]);
    return withQuietMoved({ resources }, idle).resources["contacts"]?.last;
  };

  it.each<[string, number | undefined, number | undefined, number | undefined]>([
    ["moves one that was quiet for more than three days", at - 3 * DAY - 1, at, at],
    ["leaves one that was quiet for three days", at - 3 * DAY, at, at - 3 * DAY],
    ["leaves one that was not idle in this poll", at - 9 * DAY, undefined, at - 9 * DAY],
    ["leaves one that has seen no change yet", undefined, at, undefined],
  ])("%s", (_, last, idleAt, expected) => {
    expect(moved(last, idleAt)).toBe(expected);
  });
});

describe("keepIdsSince", () => {
  it("reaches back from the oldest position by the longest look back", () => {
    const resources = { a: position({ last: 5_000 }), b: position({ last: 9_000 }) };
    expect(keepIdsSince(resources, BASELINE, 300)).toBe(4_700);
    expect(keepIdsSince({ ...resources, c: position() }, BASELINE, 300)).toBe(BASELINE - 300);
  });

  it("forgets no id that the next poll of any resource may see", () => {
    const instant = fc.integer({ min: BASELINE, max: BASELINE + 30 * DAY });
    const delays = { pollDelayMs: 10, overlapMs: 5 };
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.option(instant), { minKeys: 1 }), (lasts) => {
        const resources = Object.fromEntries(
          Object.entries(lasts).map(([name, last]) => [
            name,
            position(last === null ? {} : { last }),
          ]),
        );
        const since = keepIdsSince(resources, BASELINE, longestLookBackMs([delays]));
        for (const one of Object.values(resources))
          expect(windowStart(one, BASELINE, delays)).toBeGreaterThanOrEqual(since);
      }),
    );
  });

  it("looks back by the largest sum of delay and overlap", () => {
    expect(longestLookBackMs([])).toBe(0);
    expect(
      longestLookBackMs([
        { pollDelayMs: 10, overlapMs: 5 },
        { pollDelayMs: 2, overlapMs: 20 },
      ]),
    ).toBe(22);
  });
});
