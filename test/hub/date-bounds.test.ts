import { describe, expect, it } from "vitest";
import { dateBounds, isWithin, readInstant } from "../../src/hub/date-bounds";
import { parseWhere } from "../../src/hub/where";

const bounds = (where: string) => {
  const parsed = parseWhere(where);
  if (!parsed.ok) throw new Error(parsed.message);
  return dateBounds(parsed.expression, {
    updatedField: "meta.updated",
    createdField: "created",
    where: { since: { operators: ["="], checks: { field: "seen", operator: ">=" } } },
  });
};
const within = (where: string, updated: unknown) => isWithin({ meta: { updated } }, bounds(where));

describe("isWithin", () => {
  it.each<[string, unknown, boolean]>([
    ["meta.updated>'2026-01-01T00:00:00Z'", "2026-01-01T00:00:00.000Z", false],
    ["meta.updated>'2026-01-01T00:00:00Z'", "2026-01-01T00:00:00.000000001Z", true],
    ["meta.updated>'2026-01-01T00:00:00.000+0000'", "2025-12-31T16:00:00-08:00", false],
    ["meta.updated>=2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", true],
    ["meta.updated<'2026-01-01T00:00:00Z'", "2026-01-01T00:00:00Z", false],
    ["meta.updated<='2026-01-01T00:00:00Z'", "2026-01-01T00:00:00Z", true],
    ["meta.updated<='2026-01-01T00:00:00Z'", "2026-01-01T00:00:00.001Z", false],
    [
      "meta.updated>'2026-01-01T00:00:00' AND meta.updated<'2026-01-02T00:00:00'",
      "2026-01-01T12:00:00",
      true,
    ],
    [
      "meta.updated>'2026-01-01T00:00:00' AND meta.updated<'2026-01-02T00:00:00'",
      "2026-01-02T00:00:00",
      false,
    ],
  ])("%s holds %s: %s", (where, updated, expected) => {
    expect(within(where, updated)).toBe(expected);
  });

  it.each<[string, boolean]>([
    ["2026-01-02T12:00:00.000", true],
    ["2026-01-02 00:00:00.0", true],
    ["2026-01-01T23:59:59.999", false],
  ])("compares the date that a condition of the connector's names: %s", (seen, expected) => {
    expect(isWithin({ seen }, bounds("since='2026-01-02'"))).toBe(expected);
  });

  it.each<[string, string, unknown]>([
    ["the record's date has no zone", "meta.updated>'2026-01-01T00:00:00Z'", "2025-01-01T00:00:00"],
    ["the bound has no zone", "meta.updated>'2026-01-01T00:00:00'", "2025-01-01T00:00:00Z"],
    ["the record's date is of another form", "meta.updated>'2026-01-01T00:00:00Z'", "01/02/2025"],
    ["the record's date is a number", "meta.updated>'2026-01-01T00:00:00Z'", 1],
    ["the record has no date", "meta.updated>'2026-01-01T00:00:00Z'", null],
    ["the bound is of another form", "meta.updated>1700000000000", "2001-01-01T00:00:00Z"],
    [
      "the field is none of the resource's dates",
      "other>'2026-01-01T00:00:00Z'",
      "2001-01-01T00:00:00Z",
    ],
    ["it is no bound", "meta.updated='2026-01-01T00:00:00Z'", "2001-01-01T00:00:00Z"],
    [
      "it is one of several ways",
      "meta.updated>'2026-01-01T00:00:00Z' OR a=1",
      "2001-01-01T00:00:00Z",
    ],
  ])("believes the vendor when %s", (_, where, updated) => {
    expect(within(where, updated)).toBe(true);
  });
});

describe("readInstant", () => {
  it.each([
    "2026-01-01",
    "2026-13-01T00:00:00Z",
    "x",
    "",
    "2026-01-01T00:00:00 MST",
    "2026-01-01T00:00:00.0000000001Z",
  ])("does not read %j", (text) => {
    expect(readInstant(text)).toBeUndefined();
  });
});
