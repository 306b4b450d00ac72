import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandTemplates, hasTemplate } from "../../src/polling/url-template";

const L = Date.parse("2017-08-30T19:19:29.123Z");
const expand = (url: string, updatedDateFormat?: string, at = L) => {
  const result = expandTemplates(url, at, updatedDateFormat);
  return result.ok ? result.url : result.message;
};

describe("expandTemplates", () => {
  it.each([
    ["${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}", "2017-08-30T19:19:29Z"],
    ["${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}", "2017-08-30T19:19:29Z"],
    ["${date:yyyy-MM-dd'T'HH:mm:ss.SSS}", "2017-08-30T19:19:29.123"],
    ["${date:yyyy-MM-dd'T'HH:mm:ss.SSSSSS}", "2017-08-30T19:19:29.123000"],
    ["${date:EEE, dd MMM yyyy HH:mm:ss Z}", "Wed, 30 Aug 2017 19:19:29 +0000"],
    ["${gmtDate:EEE, dd MMM yyyy HH:mm:ss z}", "Wed, 30 Aug 2017 19:19:29 GMT"],
    ["${dateTimeZone:MST:yyyy-MM-dd'T'HH:mm:ssXXX}", "2017-08-30T12:19:29-07:00"],
    ["${dateTimeZone:PST:MM/dd/yyyy HH:mm:ss}", "08/30/2017 11:19:29"],
    ["${dateTimeZone:-8:00:MM/dd/yyyy HH:mm:ss}", "08/30/2017 11:19:29"],
    ["${dateTimeZone:-8:MM/dd/yyyy HH:mm:ss}", "08/30/2017 11:19:29"],
    ["${dateTimeZone:-0800:MM/dd/yyyy HH:mm:ss}", "08/30/2017 11:19:29"],
    ["${dateTimeZone:America/Denver:yyyy-MM-dd'T'HH:mm:ssXXX}", "2017-08-30T13:19:29-06:00"],
    ["${dateTimeZone:+6:00:yyyy-MM-dd'T'HH:mm:ssZ}", "2017-08-31T01:19:29+0600"],
    ["${dateTimeZone:+05:30:HH:mm}", "00:49"],
    ["${epoch}", "1504120769123"],
    ["${epoch:ms}", "1504120769123"],
    ["${epoch:s}", "1504120769"],
    ["${epoch:us}", "1504120769123000"],
    ["${date}", "2017-08-30T19:19:29Z"],
    ["${gmtDate}", "2017-08-30T19:19:29Z"],
    ["${dateTimeZone:MST}", "2017-08-30T12:19:29-07:00"],
    ["${GMTDATE:yyyy}-${DateTimeZone:MST:HH}-${Epoch:S}", "2017-12-1504120769"],
  ])("expands %s to %s", (template, text) => {
    expect(expandTemplates(`/hubs/x?where=d>'${template}'&n=1`, L)).toEqual({
      ok: true,
      url: `/hubs/x?where=d>'${text}'&n=1`,
      templated: true,
    });
  });

  it("prints the bare forms in the format of the updated date", () => {
    expect(expand("${date}", "yyyy-MM-dd'T'HH:mm:ss.SSS")).toBe("2017-08-30T19:19:29.123");
    expect(expand("${gmtDate}", "MM/dd/yyyy")).toBe("08/30/2017");
    expect(expand("where=lastmodifieddate='${date}'", "milliseconds")).toBe(
      "where=lastmodifieddate='1504120769123'",
    );
  });

  it("ends a template at the first brace and leaves other braces alone", () => {
    expect(expand("/calendars/{calendarId}/events?a=${epoch:s}}&b=${date:'{'yyyy}")).toBe(
      "/calendars/{calendarId}/events?a=1504120769}&b={2017",
    );
  });

  it.each([
    ["2017-03-12T08:59:59Z", "01:59:59 -07:00"],
    ["2017-03-12T09:00:00Z", "03:00:00 -06:00"],
    ["2017-11-05T07:59:59Z", "01:59:59 -06:00"],
    ["2017-11-05T08:00:00Z", "01:00:00 -07:00"],
  ])("follows Denver's clock at %s", (instant, text) => {
    expect(
      expand("${dateTimeZone:America/Denver:HH:mm:ss XXX}", undefined, Date.parse(instant)),
    ).toBe(text);
  });

  it.each([
    ["${today}", `Unknown template "\${today}"`],
    ["${}", `Unknown template "\${}"`],
    ["${dat:yyyy}", `Unknown template "\${dat:yyyy}"`],
    ["${epoch:h}", `Unknown epoch unit "h"`],
    ["${dateTimeZone:Mars:yyyy}", `Unknown time zone "Mars" in "\${dateTimeZone:Mars:yyyy}"`],
    ["${dateTimeZone}", `Unknown time zone "" in "\${dateTimeZone}"`],
    ["${dateTimeZone:+99:00:yyyy}", `Unknown time zone "+99:00" in "\${dateTimeZone:+99:00:yyyy}"`],
    ["${date:}", `Date pattern "" is empty`],
    ["${date:yyyy-QQ}", `Date pattern "yyyy-QQ" has the unknown letter "Q"`],
    ["${date:yyyy'T}", `Date pattern "yyyy'T" has an unbalanced quote`],
    ["${date:yyyy", `Template "\${date:yyyy" has no closing brace`],
  ])("refuses %s", (template, message) => {
    expect(expandTemplates(`/a?b=${template}`, L)).toEqual({ ok: false, message });
  });

  it("returns a URL without a template as it is", () => {
    fc.assert(
      fc.property(
        fc.string().filter((url) => !hasTemplate(url)),
        (url) => {
          expect(expandTemplates(url, L)).toEqual({ ok: true, url, templated: false });
        },
      ),
    );
  });

  it("answers any URL without throwing", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (descriptor, rest) => {
        expect(
          expandTemplates(`/x?\${${descriptor}}\${date:${rest}}\${dateTimeZone:${rest}`, L),
        ).toHaveProperty("ok");
      }),
    );
  });
});

describe("hasTemplate", () => {
  it("tells a template from a path variable", () => {
    expect(hasTemplate("/a?b=${date}")).toBe(true);
    expect(hasTemplate("/calendars/{calendarId}")).toBe(false);
  });
});
