import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isoSeconds, isoText, toInstant } from "../../src/values/instant";

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
