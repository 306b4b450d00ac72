import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPattern, formatInstant, parseInstant } from "../../src/polling/java-date";
import { parseZone, UTC, type Zone } from "../../src/polling/zone";

const zone = (text: string): Zone => {
  const parsed = parseZone(text);
  if (!parsed) throw new Error(`No zone ${text}`);
  return parsed;
};
const L = Date.parse("2017-08-30T19:19:29.123Z");
const CONCUR = "yyyy-MM-dd'T'HH:mm:ss.SSS";

describe("parseZone", () => {
  it.each([
    ["GMT", 0],
    ["UTC", 0],
    ["Z", 0],
    ["gmt", 0],
    ["EST", -5],
    ["EDT", -4],
    ["CST", -6],
    ["CDT", -5],
    ["MST", -7],
    ["MDT", -6],
    ["PST", -8],
    ["PDT", -7],
    ["pst", -8],
    ["-8:00", -8],
    ["+6:00", 6],
    ["+05:30", 5.5],
    ["-03:30", -3.5],
    ["+0600", 6],
    ["-8", -8],
    ["GMT+5:30", 5.5],
    ["America/Denver", -6],
    ["Asia/Kolkata", 5.5],
    ["Etc/GMT+8", -8],
  ])("reads %s as %d hours from UTC in August", (text, hours) => {
    const local = formatInstant(L, "yyyy-MM-dd HH:mm", zone(text));
    expect(Date.parse(`${local.replace(" ", "T")}Z`)).toBe(
      Math.floor(L / 60_000) * 60_000 + hours * 3_600_000,
    );
  });

  it("keeps an abbreviation fixed in winter and summer", () => {
    const winter = Date.parse("2017-01-01T12:00:00Z");
    expect(formatInstant(winter, "HH XXX", zone("PST"))).toBe("04 -08:00");
    expect(formatInstant(winter, "HH XXX", zone("PDT"))).toBe("05 -07:00");
    expect(formatInstant(L, "HH XXX", zone("PST"))).toBe("11 -08:00");
  });

  it.each([
    "",
    "Mars/Olympus",
    "SYSTEM",
    "BST8",
    "+25:00",
    "+05:75",
    "america/denver",
    "toString",
    "__proto__",
  ])("knows no zone %j", (text) => {
    expect(parseZone(text)).toBeUndefined();
  });
});

describe("checkPattern", () => {
  it.each([
    CONCUR,
    "yyyy-MM-dd'T'HH:mm:ssXXX",
    "EEE, dd MMM yyyy HH:mm:ss Z",
    "h 'o''clock' a, z",
    "''yy",
    "X XX XXX",
    "SSSSSSSSS",
    "milliseconds",
  ])("accepts %s", (pattern) => {
    expect(checkPattern(pattern)).toBeUndefined();
  });

  it.each([
    ["yyyy-MM-ddTHH:mm", `Date pattern "yyyy-MM-ddTHH:mm" has the unknown letter "T"`],
    ["YYYY-MM-dd", `Date pattern "YYYY-MM-dd" has the unknown letter "Y"`],
    ["yyyy'T", `Date pattern "yyyy'T" has an unbalanced quote`],
    ["'it''s", `Date pattern "'it''s" has an unbalanced quote`],
    ["HH XXXX", `Date pattern "HH XXXX" has the unknown form "XXXX"`],
    ["SSSSSSSSSS", `Date pattern "SSSSSSSSSS" has the unknown form "SSSSSSSSSS"`],
    ["", `Date pattern "" is empty`],
  ])("refuses %j and says why", (pattern, message) => {
    expect(checkPattern(pattern)).toBe(message);
    expect(() => formatInstant(L, pattern, UTC)).toThrow(message);
  });
});

describe("formatInstant", () => {
  it.each([
    ["yyyy yyy y yy", UTC, "2017 2017 2017 17"],
    ["M MM MMM MMMM", UTC, "8 08 Aug August"],
    ["d dd E EEE EEEE", UTC, "30 30 Wed Wed Wednesday"],
    ["H HH h hh a", UTC, "19 19 7 07 PM"],
    ["m mm s ss", UTC, "19 19 29 29"],
    ["S SS SSS SSSSSS SSSSSSSSS", UTC, "1 12 123 123000 123000000"],
    ["z Z X XX XXX", UTC, "UTC +0000 Z Z Z"],
    ["z Z X XX XXX", zone("GMT"), "GMT +0000 Z Z Z"],
    ["z Z X XX XXX", zone("MST"), "MST -0700 -07 -0700 -07:00"],
    ["z Z X XX XXX", zone("+5:30"), "GMT+05:30 +0530 +0530 +0530 +05:30"],
    ["z Z X XX XXX", zone("+10:00"), "GMT+10:00 +1000 +10 +1000 +10:00"],
    ["z Z X XX XXX", zone("-03:30"), "GMT-03:30 -0330 -0330 -0330 -03:30"],
    ["z Z X XX XXX", zone("America/Denver"), "MDT -0600 -06 -0600 -06:00"],
    ["HH 'o''clock' ''yy''", UTC, "19 o'clock '17'"],
    ["yyyy-MM-dd'T'HH:mm:ss'Z'", UTC, "2017-08-30T19:19:29Z"],
    ["milliseconds", UTC, "1504120769123"],
    ["seconds", UTC, "1504120769"],
  ])("prints %s at %o as %s", (pattern, at, text) => {
    expect(formatInstant(L, pattern, at)).toBe(text);
  });

  it("prints midnight and noon on a twelve-hour clock", () => {
    expect(formatInstant(Date.parse("2017-01-01T00:05:00Z"), "hh:mm a", UTC)).toBe("12:05 AM");
    expect(formatInstant(Date.parse("2017-01-01T12:05:00Z"), "hh:mm a", UTC)).toBe("12:05 PM");
  });

  it.each([
    ["2017-03-12T08:59:59Z", "2017-03-12 01:59:59 -07:00 MST"],
    ["2017-03-12T09:00:00Z", "2017-03-12 03:00:00 -06:00 MDT"],
    ["2017-11-05T07:59:59Z", "2017-11-05 01:59:59 -06:00 MDT"],
    ["2017-11-05T08:00:00Z", "2017-11-05 01:00:00 -07:00 MST"],
    ["2015-03-08T09:00:00Z", "2015-03-08 03:00:00 -06:00 MDT"],
    ["2030-07-01T00:00:00Z", "2030-06-30 18:00:00 -06:00 MDT"],
    ["2030-11-03T08:00:00Z", "2030-11-03 01:00:00 -07:00 MST"],
  ])("prints %s in Denver as %s", (instant, text) => {
    expect(
      formatInstant(Date.parse(instant), "yyyy-MM-dd HH:mm:ss XXX z", zone("America/Denver")),
    ).toBe(text);
  });
});

describe("parseInstant", () => {
  it.each([
    [1504120769, "seconds", 1504120769000],
    ["1504120769", "seconds", 1504120769000],
    [1504120769.25, "seconds", 1504120769250],
    ...[1, 23, 123, 957].map((ms): [unknown, string, number] => [
      1504120769 + ms / 1000,
      "seconds",
      1504120769000 + ms,
    ]),
    ["1504120769.123456", "seconds", 1504120769123],
    ["-1", "seconds", -1000],
    ["2017-08-30T19:19:29Z", "seconds", 1504120769000],
    ["99999999999999999", "seconds", undefined],
    ["soon", "seconds", undefined],
    [1504120769123, "milliseconds", 1504120769123],
    ["1504120769123", "milliseconds", 1504120769123],
  ])("reads %o as %s since 1970: %s", (value, format, at) => {
    expect(parseInstant(value, format, UTC)).toBe(at);
  });

  it("CO-1: reads trimmed fraction digits as a fraction, on a host in any zone", () => {
    expect(parseInstant("2013-09-02T19:46:01.98", CONCUR, UTC)).toBe(
      Date.parse("2013-09-02T19:46:01.980Z"),
    );
  });

  it.each([
    ["2017-08-30T19:19:29", CONCUR, "2017-08-30T19:19:29.000Z"],
    ["2017-08-30T19:19:29.", CONCUR, "2017-08-30T19:19:29.000Z"],
    ["2017-08-30T19:19:29.1", CONCUR, "2017-08-30T19:19:29.100Z"],
    ["2017-08-30T19:19:29.123456", CONCUR, "2017-08-30T19:19:29.123Z"],
    ["2017-08-30T19:19:29.123456789", CONCUR, "2017-08-30T19:19:29.123Z"],
    ["2017-08-30T19:19:29.123Z", CONCUR, "2017-08-30T19:19:29.123Z"],
    ["2017-08-30T19:19:29.123+0000", CONCUR, "2017-08-30T19:19:29.123Z"],
    ["2017-08-30T19:19:29.123+0000", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2017-08-30T19:19:29.123Z"],
    ["2017-08-30T19:19:29.123+00:00", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2017-08-30T19:19:29.123Z"],
    ["2017-08-30T19:19:29Z", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2017-08-30T19:19:29.000Z"],
    ["2017-08-30T12:19:29-07:00", "yyyy-MM-dd'T'HH:mm:ssXXX", "2017-08-30T19:19:29.000Z"],
    ["2017-08-30T12:19:29.5-7:00", "yyyy-MM-dd'T'HH:mm:ssXXX", "2017-08-30T19:19:29.500Z"],
    ["2017-08-30T12:19:29-7", "yyyy-MM-dd'T'HH:mm:ssX", "2017-08-30T19:19:29.000Z"],
    ["2017-08-30T12:19:29-0700", "yyyy-MM-dd'T'HH:mm:ssXX", "2017-08-30T19:19:29.000Z"],
    ["2017-08-30T19:19:29.123000", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "2017-08-30T19:19:29.123Z"],
    ["Wed, 30 Aug 2017 19:19:29 +0000", "EEE, dd MMM yyyy HH:mm:ss Z", "2017-08-30T19:19:29.000Z"],
    ["Wed Aug 30 13:19:29 MDT 2017", "EEE MMM dd HH:mm:ss z yyyy", "2017-08-30T19:19:29.000Z"],
    ["30 august 2017", "dd MMMM yyyy", "2017-08-30T00:00:00.000Z"],
    ["8/3/2017 7:05:09 pm", "M/d/yyyy h:mm:ss a", "2017-08-03T19:05:09.000Z"],
    ["08/30/2017 12:00:00 AM", "MM/dd/yyyy hh:mm:ss a", "2017-08-30T00:00:00.000Z"],
    ["08/30/2017 19:19:29.25", "MM/dd/yyyy HH:mm:ss", "2017-08-30T19:19:29.250Z"],
    ["08/30/2017 19:19:29", "MM/dd/yyyy HH:mm:ss Z", "2017-08-30T19:19:29.000Z"],
    ["08/30/17", "MM/dd/yy", "2017-08-30T00:00:00.000Z"],
    ["170830", "yyMMdd", "2017-08-30T00:00:00.000Z"],
    ["20170830191929123", "yyyyMMddHHmmssSSS", "2017-08-30T19:19:29.123Z"],
    ["19 o'clock on 2017-08-30", "HH 'o''clock on' yyyy-MM-dd", "2017-08-30T19:00:00.000Z"],
    ["19:19:29, 30 Aug 2017", "HH:mm:ss, dd MMM yyyy", "2017-08-30T19:19:29.000Z"],
    ["19:19:29,30.8.2017", "HH:mm:ss,d.M.yyyy", "2017-08-30T19:19:29.000Z"],
    [20170830, "yyyyMMdd", "2017-08-30T00:00:00.000Z"],
    [L, "milliseconds", "2017-08-30T19:19:29.123Z"],
    ["1504120769123", "milliseconds", "2017-08-30T19:19:29.123Z"],
    ["2017-08-30T19:19:29.123Z", "milliseconds", "2017-08-30T19:19:29.123Z"],
    [L, undefined, "2017-08-30T19:19:29.123Z"],
    ["1504120769123", undefined, "2017-08-30T19:19:29.123Z"],
    [L, CONCUR, "2017-08-30T19:19:29.123Z"],
    [" 2017-08-30T19:19:29Z ", undefined, "2017-08-30T19:19:29.000Z"],
    ["2017-08-30 19:19:29", undefined, "2017-08-30T19:19:29.000Z"],
    ["2017-08-30T19:19:29,5+05:30", undefined, "2017-08-30T13:49:29.500Z"],
    ["2017-08-30T19:19Z", undefined, "2017-08-30T19:19:00.000Z"],
    ["20170830T191929Z", undefined, "2017-08-30T19:19:29.000Z"],
    ["2017-08-30", undefined, "2017-08-30T00:00:00.000Z"],
    ["2017-08-30T19:19:29Z", "not a pattern", "2017-08-30T19:19:29.000Z"],
  ])("reads %j by %s as %s", (value, format, instant) => {
    const at = parseInstant(value, format, UTC);
    expect(at === undefined ? undefined : new Date(at).toISOString()).toBe(instant);
  });

  it("uses the configured zone only when the value carries none", () => {
    const mst = zone("MST");
    expect(parseInstant("2017-08-30T12:19:29.123", CONCUR, mst)).toBe(L);
    expect(parseInstant("2017-08-30T12:19:29.123", undefined, mst)).toBe(L);
    expect(parseInstant("2017-08-30T19:19:29.123Z", CONCUR, mst)).toBe(L);
    expect(parseInstant("2017-08-30T19:19:29.123Z", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", mst)).toBe(L);
    expect(parseInstant("2017-08-30T21:19:29.123+02:00", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", mst)).toBe(
      L,
    );
    expect(parseInstant(L, "milliseconds", mst)).toBe(L);
  });

  it.each([
    ["2017-03-12T01:30:00", "2017-03-12T08:30:00.000Z"],
    ["2017-03-12T02:30:00", "2017-03-12T09:30:00.000Z"],
    ["2017-03-12T03:30:00", "2017-03-12T09:30:00.000Z"],
    ["2017-11-05T00:30:00", "2017-11-05T06:30:00.000Z"],
    ["2017-11-05T01:30:00", "2017-11-05T08:30:00.000Z"],
    ["2017-11-05T02:30:00", "2017-11-05T09:30:00.000Z"],
  ])("reads %s in Denver, where the clock changes, as %s", (value, instant) => {
    expect(parseInstant(value, CONCUR, zone("America/Denver"))).toBe(Date.parse(instant));
  });

  it.each([
    [undefined, CONCUR],
    [null, CONCUR],
    ["", CONCUR],
    [true, CONCUR],
    [{}, CONCUR],
    ["soon", CONCUR],
    ["2017-02-30T00:00:00", CONCUR],
    ["2017-13-01T00:00:00", CONCUR],
    ["2017-08-30T25:00:00", CONCUR],
    ["13:00 PM", "hh:mm a"],
    ["30 Foo 2017", "dd MMM yyyy"],
    ["2017-08-30T19:19:29 XYZ", "yyyy-MM-dd'T'HH:mm:ss z"],
    ["2017-08-30T19:19:29 and more", CONCUR],
    ["1504120769", undefined],
    ["2017", undefined],
    ["soon", "milliseconds"],
    [Number.NaN, undefined],
    [1e300, "milliseconds"],
    ["9".repeat(400), "milliseconds"],
  ])("cannot read %j by %s", (value, format) => {
    expect(parseInstant(value, format, UTC)).toBeUndefined();
  });

  it("is quick with hostile text", () => {
    const text = "A".repeat(50_000);
    expect(parseInstant(text, "EEE MMM z a EEE z MMM", UTC)).toBeUndefined();
    expect(parseInstant("1".repeat(50_000), CONCUR, UTC)).toBeUndefined();
  });
});

describe("formatInstant and parseInstant", () => {
  const instants = fc.integer({ min: Date.parse("2015-01-01"), max: Date.parse("2030-12-31") });
  const zones = fc.constantFrom(
    "UTC",
    "GMT",
    "PST",
    "MDT",
    "-8:00",
    "+05:30",
    "America/Denver",
    "Asia/Kolkata",
    "Pacific/Apia",
  );

  it("agree to the millisecond when the pattern has an offset", () => {
    const patterns = fc.constantFrom(
      "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
      "yyyyMMddHHmmssSSSXX",
      "EEEE, d MMMM yyyy hh:mm:ss.SSSSSS a Z",
      "MM/dd/yy HH 'o''clock' mm ss,SSS X",
    );
    fc.assert(
      fc.property(instants, patterns, zones, (at, pattern, name) => {
        expect(parseInstant(formatInstant(at, pattern, zone(name)), pattern, UTC)).toBe(at);
      }),
    );
  });

  it("agree to the millisecond in the zone of the value, unless the clock repeats it", () => {
    fc.assert(
      fc.property(instants, zones, (at, name) => {
        const text = formatInstant(at, CONCUR, zone(name));
        const read = parseInstant(text, CONCUR, zone(name)) ?? Number.NaN;
        expect(read).toBeGreaterThanOrEqual(at);
        expect(formatInstant(read, CONCUR, zone(name))).toBe(text);
      }),
    );
  });

  it("read any text without throwing", () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (value, format) => {
        const at = parseInstant(value, format, UTC);
        expect(at === undefined || Number.isInteger(at)).toBe(true);
      }),
    );
  });
});

describe("what programs write for no date", () => {
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
    for (const zone of [UTC, parseZone("America/Los_Angeles") ?? UTC]) {
      const formats = [undefined, "milliseconds", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss"];
      expect(formats.map((format) => parseInstant(value, format, zone))).toEqual(
        formats.map(() => undefined),
      );
    }
  });
});
