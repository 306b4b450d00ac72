import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dateOrNone,
  type EpochUnit,
  epochInstant,
  isDate,
  isoSeconds,
  isoText,
  isoTextOrNull,
  toInstant,
} from "../../src/values/instant";

const AT = Date.UTC(2026, 10, 21, 20, 0, 7, 123);

it("writes an instant to the millisecond, or to the second that has begun", () => {
  expect(isoText(AT)).toBe("2026-11-21T20:00:07.123Z");
  expect(isoSeconds(AT)).toBe("2026-11-21T20:00:07Z");
  expect(isoSeconds(AT + 876)).toBe("2026-11-21T20:00:07Z");
});

describe("toInstant", () => {
  it.each<[unknown, number | undefined]>([
    ["2026-11-21T20:00:07.123Z", AT],
    ["2026-11-21T20:00:07.123456789Z", AT],
    ["2026-11-21t20:00:07,123z", AT],
    ["2026-11-21 20:00:07.123", AT],
    ["2026-11-21T21:00:07.123+01:00", AT],
    ["2026-11-21T21:00:07.123+0100", AT],
    ["2026-11-21T21:00:07.123+01", AT],
    ["2026-11-21T12:00:07.1-0800", AT - 23],
    ["2026-11-21T20:00Z", AT - 7_123],
    [AT, AT],
    [BigInt(AT), AT],
    [String(AT), AT],
    ["2026-02-30T20:00:61Z", undefined],
    ["2026-11-21", undefined],
    ["21 Nov 2026", undefined],
    ["", undefined],
    [7, undefined],
    [null, undefined],
    [undefined, undefined],
    [{}, undefined],
    [true, undefined],
  ])("of %o is %o", (value, at) => {
    expect(toInstant(value)).toBe(at);
  });

  it.each([
    "0001-01-01",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00.0000000",
    "0001-01-01T00:00:00-08:00",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01 00:00:00",
    -62_135_596_800_000,
    "-62135596800000",
    "0000-00-00",
    "0000-00-00 00:00:00",
    "0000-00-00T00:00:00Z",
    "0000-00-00T00:00:00.000+00:00",
    "00000000",
    "00000000000000",
    "",
    " ",
    null,
    undefined,
    "null",
  ])("takes %o for no date", (value) => {
    expect(toInstant(value)).toBeUndefined();
  });

  it("reads back what isoText wrote", () => {
    const years = { min: new Date("0001-01-02"), max: new Date("9999-12-31"), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(years), (date) => {
        expect(toInstant(isoText(date.getTime()))).toBe(date.getTime());
      }),
    );
  });
});

describe("a number counted since 1970", () => {
  it.each<[unknown, EpochUnit | undefined, number | undefined]>([
    [1_764_374_980, undefined, 1_764_374_980_000],
    ["1764374980.123", undefined, 1_764_374_980_123],
    ["1355517523.000005", undefined, 1_355_517_523_000],
    [999_999_999, undefined, 999_999_999_000],
    [1_764_374_980_123, undefined, 1_764_374_980_123],
    ["1764374980123456", undefined, 1_764_374_980_123],
    ["1764374980123456789", undefined, 1_764_374_980_123],
    [1_764_374_980_123_456_789n, undefined, 1_764_374_980_123],
    [8_700_000_000_000_000, undefined, 8_700_000_000_000],
    [8_700_000_000_000_000, "ms", undefined],
    ["8700000000000000", "ms", undefined],
    [8_640_000_000_000_001, "ms", undefined],
    [1_764_374_980, "ms", 1_764_374_980],
    [1_764_374_980_123, "s", undefined],
    ["99999999999999999999", undefined, Date.UTC(5138, 10, 16, 9, 46, 40)],
    ["999999999999999999999", undefined, undefined],
    ["-1764374980", undefined, -1_764_374_980_000],
    ["12345678", undefined, undefined],
    [Number.NaN, undefined, undefined],
    [Number.POSITIVE_INFINITY, undefined, undefined],
    [1e300, undefined, undefined],
    [-1e300, "ns", undefined],
    ["9999-12-31T23:59:59.999Z", undefined, Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
    ["9999-12-31T23:59:59-12:00", undefined, undefined],
  ])("%o in %s is %o", (value, unit, at) => {
    expect(toInstant(value, unit)).toBe(at);
  });

  it("of any size and unit is a date that can be written, or none", () => {
    const units = fc.option(fc.constantFrom<EpochUnit[]>("s", "ms", "us", "ns"), {
      nil: undefined,
    });
    const numbers = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.bigInt().map(Number));
    fc.assert(
      fc.property(numbers, units, (value, unit) => {
        for (const at of [epochInstant(value, unit), toInstant(value, unit), dateOrNone(value)])
          if (at !== undefined) {
            expect(isDate(at)).toBe(true);
            expect(isoText(at)).toMatch(/^\d{4}-\d\d-\d\dT/);
          }
        expect(isoTextOrNull(value)).toBe(isDate(value) ? isoText(value) : null);
      }),
    );
  });
});
