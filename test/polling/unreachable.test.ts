import { describe, expect, it } from "vitest";
import { Ration } from "../../src/polling/pacing/ration";
import { afterSilence, turnOf, type Unreachable } from "../../src/polling/unreachable";

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 29, 12);

describe("a vendor that gives no answer", () => {
  it("is tried again after one minute, two, four … up to thirty, a quarter earlier by chance", () => {
    let state: Unreachable | undefined;
    const waits = Array.from({ length: 7 }, () => {
      state = afterSilence(state, "No answer", NOON, 1);
      return (state.nextAt - NOON) / MINUTE;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(afterSilence(state, "No answer", NOON, 0).nextAt).toBe(NOON + 22.5 * MINUTE);
  });

  it("keeps since when, and says why it is so now", () => {
    const before = afterSilence(undefined, "Timeout", NOON, 1);
    const after = afterSilence(before, "Host not found", NOON + MINUTE, 1);
    expect(after).toMatchObject({ since: NOON, because: "Host not found", tries: 2 });
  });

  const state = afterSilence(undefined, "No answer", NOON, 1);
  it.each([
    ["that answers", undefined, "fast", 0, "now"],
    ["that was tried a moment ago", state, "fast", 0, "later"],
    ["that was tried a moment ago", state, "slow", 0, "later"],
    ["whose next try is due", state, "fast", MINUTE, "slow-lane"],
    ["whose next try is due", state, "slow", MINUTE, "now"],
    ["for whom somebody waits", state, undefined, 0, "now"],
  ] as const)("%s: %o in the %s lane after %i ms is polled %s", (_, given, lane, ms, turn) => {
    expect(turnOf(given, lane, NOON + ms)).toBe(turn);
  });
});

describe("what one message may use", () => {
  it("ends after a minute; what counts only as a whole may be read to its end for ten", () => {
    const ration = new Ration(NOON);
    const over = (ms: number, isWhole?: boolean) => ration.isOver(NOON + ms, isWhole);
    expect([over(MINUTE - 1), over(MINUTE), over(MINUTE, true), over(10 * MINUTE, true)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it.each([
    ["600 small pages", 600, 1_000],
    ["18 pages of 10 MB", 18, 10_000_000],
  ])("is %s", (_, pages, units) => {
    const ration = new Ration(NOON);
    for (let page = 1; page < pages; page += 1) ration.spend(units);
    expect(ration.isOver(NOON)).toBe(false);
    ration.spend(units);
    expect(ration.isOver(NOON)).toBe(true);
    expect(ration.isOver(NOON, true)).toBe(false);
  });
});
