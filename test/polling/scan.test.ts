import { describe, expect, it } from "vitest";
import { MOST_SCANS } from "../../src/polling/limits";
import type { Position } from "../../src/polling/cursor";
import type { Reading } from "../../src/polling/records";
import {
  changesNothing,
  needsAnotherScan,
  positionAfter,
  reachedOld,
  type Scan,
} from "../../src/polling/scan";

const scan = (change: Partial<Scan> = {}): Scan => ({
  pages: 2,
  candidates: 1,
  fresh: 1,
  dates: [],
  ...change,
});
const reading = (change: Partial<Reading> = {}): Reading => ({
  source: "instance:1",
  resource: {
    resource: "contacts",
    url: "/contacts",
    idField: "id",
    filterByUpdatedDate: true,
    filterByCurrentDate: false,
    createdCheckToleranceMs: 0,
    pollDelayMs: 0,
    overlapMs: 0,
  },
  deleted: undefined,
  after: 100,
  startedAt: 200,
  templated: true,
  firstPoll: false,
  updated: undefined,
  created: undefined,
  ...change,
});

describe("needsAnotherScan", () => {
  it.each<[string, boolean, number, Partial<Scan>, number, boolean]>([
    ["repeats several numbered pages that brought something new", true, 1, {}, 1, true],
    ["repeats until one finds nothing", true, 2, {}, 0, false],
    ["takes one page as it is: nothing shifts inside an answer", true, 1, { pages: 1 }, 1, false],
    ["trusts pages that are found by a token", false, 1, {}, 1, false],
    ["gives up after so many", true, MOST_SCANS, {}, 1, false],
    ["repeats the last but one", true, MOST_SCANS - 1, {}, 1, true],
  ])("%s", (_, isNumbered, scans, change, found, expected) => {
    expect(needsAnotherScan(isNumbered, scans, scan(change), found)).toBe(expected);
  });
});

describe("reachedOld", () => {
  const newestFirst = [190, 180, 150, 120, 100];

  it.each<[string, number[], boolean, boolean]>([
    ["stops at the first date outside the window", newestFirst, false, true],
    ["goes on while all dates are inside", [190, 180, 150, 120, 101], false, false],
    ["doesn't believe in an order of four dates", newestFirst.slice(1), false, false],
    ["goes on when the order is another", [100, 190, 180, 150, 100], false, false],
    ["leaves it to the vendor when the URL has a template", newestFirst, true, false],
  ])("%s", (_, dates, templated, expected) => {
    expect(reachedOld(scan({ dates }), reading({ templated }))).toBe(expected);
  });
});

describe("changesNothing", () => {
  const clean: Position = { failures: 0, last: 50 };
  const half = { startedAt: 1, after: 0, position: {}, pages: 1 };

  it.each<[string, boolean, Position, Partial<Reading>, boolean, boolean]>([
    ["spares the write of an idle poll", true, clean, {}, false, true],
    ["writes what was found", false, clean, {}, false, false],
    ["writes that failures are over", true, { ...clean, failures: 1 }, {}, false, false],
    ["writes that a half-read list is read", true, { ...clean, scan: half }, {}, false, false],
    ["writes that the vendor may be called again", true, clean, {}, true, false],
    [
      "writes that there was a first poll",
      true,
      clean,
      { templated: false, firstPoll: true },
      false,
      false,
    ],
    ["needs no such note with a window", true, clean, { firstPoll: true }, false, true],
  ])("%s", (_, isIdle, position, change, isPostponed, expected) => {
    expect(changesNothing(isIdle, position, reading(change), isPostponed)).toBe(expected);
  });
});

describe("positionAfter", () => {
  const failing: Position = {
    last: 50,
    floor: 10,
    rule: "r",
    failures: 3,
    failedAt: 60,
    lastError: "Not found",
    scan: { startedAt: 1, after: 0, position: {}, pages: 1 },
    snapshotAt: 20,
    deletionsTo: 30,
  };
  const kept = { failures: 0, floor: 10, rule: "r", snapshotAt: 20, deletionsTo: 30 };

  it("moves to the start of a poll that saw a change, and forgets failures and the half-read list", () => {
    expect(positionAfter(failing, false, reading())).toEqual({ ...kept, last: 200 });
  });

  it("stays where it is when nothing was seen", () => {
    expect(positionAfter(failing, true, reading())).toEqual({ ...kept, last: 50 });
  });

  it("moves with a first poll that has only its hashes to compare with", () => {
    const first = reading({ firstPoll: true, templated: false });
    expect(positionAfter({ failures: 0 }, true, first)).toEqual({ failures: 0, last: 200 });
  });
});
