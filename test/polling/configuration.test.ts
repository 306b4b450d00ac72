import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePollingConfiguration } from "../../src/polling/configuration";
import type { PolledResource } from "../../src/polling/polled-resource";
import type { PollingInput } from "../../src/polling/configuration";

const CONCUR = "yyyy-MM-dd'T'HH:mm:ss.SSS";
const reports = {
  url: `/hubs/expense/reports?where=modifiedDateAfter='\${date:${CONCUR}}'`,
  idField: "ID",
  filterByUpdatedDate: true,
  datesConfiguration: {
    updatedDateField: "LastModifiedDate",
    updatedDateFormat: CONCUR,
    updatedDateTimezone: "GMT",
    createdDateField: "CreateDate",
    createdDateFormat: CONCUR,
  },
  createdCheckTolerance: 60,
  pageSize: 20,
  pollDelay: 60,
};
const parsedReports: PolledResource = {
  resource: "reports",
  url: reports.url,
  idField: "ID",
  updated: { field: "LastModifiedDate", format: CONCUR, zone: "GMT" },
  created: { field: "CreateDate", format: CONCUR, zone: "UTC" },
  filterByUpdatedDate: true,
  filterByCurrentDate: false,
  createdCheckToleranceMs: 60_000,
  pageSize: 20,
  pollDelayMs: 60_000,
  overlapMs: 300_000,
};
const minimal = { url: "/hubs/crm/contacts", idField: "id" };
const parsedMinimal: PolledResource = {
  resource: "contacts",
  ...minimal,
  filterByUpdatedDate: true,
  filterByCurrentDate: false,
  createdCheckToleranceMs: 0,
  pollDelayMs: 0,
  overlapMs: 300_000,
};
const defaults = { reports, contacts: minimal };

const parse = (input: PollingInput, defaultIdField?: string) =>
  parsePollingConfiguration(input, defaults, defaultIdField);
const resources = (input: PollingInput) => {
  const result = parse(input);
  if (!result.ok) throw new Error(`${result.field}: ${result.message}`);
  return result.resources;
};
const names = (input: PollingInput) => resources(input).map(({ resource }) => resource);
/** The first resource of a configuration with one resource, `contacts`, and a change. */
const contacts = (change: Record<string, unknown>) =>
  resources({ configuration: { contacts: { ...minimal, ...change } } })[0];

describe("event.poller.configuration", () => {
  it("is read from a nested object and from JSON text alike", () => {
    expect(resources({ configuration: { reports } })).toEqual([parsedReports]);
    expect(resources({ configuration: JSON.stringify({ reports }) })).toEqual([parsedReports]);
  });

  it("gives every optional field its default", () => {
    expect(contacts({})).toEqual(parsedMinimal);
  });

  it.each<[unknown]>([[undefined], [null], [""], ["  "], ["{}"], ["null"], [{}]])(
    "falls back to the connector's default when it is %j",
    (configuration) => {
      expect(resources({ configuration })).toEqual([parsedReports, parsedMinimal]);
    },
  );

  it("takes text for numbers and truth values", () => {
    const text = {
      filterByUpdatedDate: "false",
      filterByCurrentDate: "TRUE",
      createdCheckTolerance: "60",
    };
    expect(contacts({ ...text, pageSize: "50", pollDelay: "1.5", overlap: "0" })).toEqual({
      ...parsedMinimal,
      filterByUpdatedDate: false,
      filterByCurrentDate: true,
      createdCheckToleranceMs: 60_000,
      pageSize: 50,
      pollDelayMs: 1500,
      overlapMs: 0,
    });
  });

  it("takes drifted names and misplaced fields", () => {
    const drifted = {
      URL: minimal.url,
      IdField: "id",
      filterByUpdateDate: false,
      DatesConfiguration: {
        UpdatedDateField: "m",
        updatedDateFormat: CONCUR,
        UpdatedDateTimezone: "PST",
        createdCheckTolerance: 10,
      },
    };
    expect(resources({ configuration: { contacts: drifted } })).toEqual([
      {
        ...parsedMinimal,
        updated: { field: "m", format: CONCUR, zone: "PST" },
        filterByUpdatedDate: false,
        createdCheckToleranceMs: 10_000,
      },
    ]);
  });

  it("ignores unknown fields", () => {
    expect(contacts({ colour: "blue", datesConfiguration: { era: 2 } })).toEqual(parsedMinimal);
  });

  it("takes blank text and null for absent", () => {
    const blank = {
      updatedDateField: "",
      createdDateField: " ",
      updatedDateFormat: "",
      createdDateTimezone: null,
    };
    expect(contacts({ pageSize: "", pollDelay: null, datesConfiguration: blank })).toEqual(
      parsedMinimal,
    );
    expect(contacts({ datesConfiguration: "" })).toEqual(parsedMinimal);
  });

  it("reads the created date in the format of the updated one unless told", () => {
    const dates = {
      updatedDateField: "u",
      updatedDateFormat: "milliseconds",
      createdDateField: "c",
    };
    expect(contacts({ datesConfiguration: dates })?.created).toEqual({
      field: "c",
      format: "milliseconds",
      zone: "UTC",
    });
    const told = { ...dates, createdDateFormat: "yyyy", createdDateTimezone: "America/Denver" };
    expect(contacts({ datesConfiguration: told })?.created).toEqual({
      field: "c",
      format: "yyyy",
      zone: "America/Denver",
    });
  });

  it("leaves out a format that nobody gave", () => {
    expect(contacts({ datesConfiguration: { updatedDateField: "u" } })?.updated).toEqual({
      field: "u",
      zone: "UTC",
    });
  });

  it("takes a path for a resource", () => {
    const configuration = {
      "calendars/{calendarId}/changed-events": { ...minimal, idField: "user.id" },
    };
    expect(resources({ configuration })).toMatchObject([
      { resource: "calendars/{calendarId}/changed-events", idField: "user.id" },
    ]);
  });

  const dates = (change: Record<string, unknown>) => ({ ...minimal, datesConfiguration: change });
  it.each<[string, unknown, string, string]>([
    ["bad JSON", "{reports", "", `Expected a JSON object, got "{reports"`],
    ["a list", [], "", "Expected a JSON object, got []"],
    ["a number", 7, "", "Expected a JSON object, got 7"],
    ["JSON text of a list", "[1]", "", `Expected a JSON object, got "[1]"`],
    ["a resource that is text", { reports: "x" }, ".reports", `Expected an object, got "x"`],
    ["a missing url", { reports: { idField: "id" } }, ".reports.url", "Is required"],
    ["a blank url", { reports: { ...minimal, url: "" } }, ".reports.url", "Is required"],
    ["a missing idField", { reports: { url: "/a" } }, ".reports.idField", "Is required"],
    [
      "an idField that is a number",
      { reports: { ...minimal, idField: 7 } },
      ".reports.idField",
      "Expected a text, got 7",
    ],
    [
      "an unknown template",
      { reports: { ...minimal, url: "/a?${now}" } },
      ".reports.url",
      `Unknown template "\${now}"`,
    ],
    [
      "an unknown zone in a template",
      { reports: { ...minimal, url: "/a?${dateTimeZone:Mars:yyyy}" } },
      ".reports.url",
      `Unknown time zone "Mars" in "\${dateTimeZone:Mars:yyyy}"`,
    ],
    [
      "a bad pattern",
      { reports: dates({ updatedDateFormat: "yyyy-MM-ddTHH" }) },
      ".reports.datesConfiguration.updatedDateFormat",
      `Date pattern "yyyy-MM-ddTHH" has the unknown letter "T"`,
    ],
    [
      "a bad pattern of the created date",
      { reports: dates({ createdDateFormat: "yyyy'" }) },
      ".reports.datesConfiguration.createdDateFormat",
      `Date pattern "yyyy'" has an unbalanced quote`,
    ],
    [
      "an unknown zone",
      { reports: dates({ UpdatedDateTimezone: "Mars" }) },
      ".reports.datesConfiguration.updatedDateTimezone",
      `Unknown time zone "Mars"`,
    ],
    [
      "dates that are text",
      { reports: { ...minimal, datesConfiguration: "x" } },
      ".reports.datesConfiguration",
      `Expected an object, got "x"`,
    ],
    [
      "dates that are a list",
      { reports: { ...minimal, datesConfiguration: [] } },
      ".reports.datesConfiguration",
      "Expected an object, got []",
    ],
    [
      "a truth value that is none",
      { reports: { ...minimal, filterByUpdatedDate: "maybe" } },
      ".reports.filterByUpdatedDate",
      `Expected true or false, got "maybe"`,
    ],
    [
      "a tolerance that is no number",
      { reports: { ...minimal, createdCheckTolerance: "soon" } },
      ".reports.createdCheckTolerance",
      `Expected a number of seconds, got "soon"`,
    ],
    [
      "a negative delay",
      { reports: { ...minimal, pollDelay: -1 } },
      ".reports.pollDelay",
      "Expected a number of seconds, got -1",
    ],
    [
      "a delay that is true",
      { reports: { ...minimal, pollDelay: true } },
      ".reports.pollDelay",
      "Expected a number of seconds, got true",
    ],
    [
      "a page of nothing",
      { reports: { ...minimal, pageSize: 0 } },
      ".reports.pageSize",
      "Expected a page size of 1 or more, got 0",
    ],
    [
      "a misplaced tolerance that is no number",
      { reports: dates({ createdCheckTolerance: "x" }) },
      ".reports.datesConfiguration.createdCheckTolerance",
      `Expected a number of seconds, got "x"`,
    ],
  ])("refuses %s and names the key", (_name, configuration, path, message) => {
    expect(parse({ configuration })).toEqual({
      ok: false,
      field: `event.poller.configuration${path}`,
      message,
    });
  });

  it("answers any value without throwing", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.json(), fc.dictionary(fc.string(), fc.object())),
        (configuration) => {
          expect(parse({ configuration })).toHaveProperty("ok");
        },
      ),
    );
  });
});

describe("event.poller.urls", () => {
  it("reads a line with every field, the id field from the connector's default", () => {
    const line = `reports|/hubs/expense/reports?after=\${date:${CONCUR}}|/ignored|LastModifiedDate|${CONCUR}|PST|CreateDate|milliseconds|MST`;
    expect(resources({ urls: line })).toEqual([
      {
        ...parsedMinimal,
        resource: "reports",
        url: `/hubs/expense/reports?after=\${date:${CONCUR}}`,
        idField: "ID",
        updated: { field: "LastModifiedDate", format: CONCUR, zone: "PST" },
        created: { field: "CreateDate", format: "milliseconds", zone: "MST" },
      },
    ]);
  });

  it("reads lines with few or empty fields, the id field being `id`", () => {
    expect(resources({ urls: "contacts | /hubs/crm/contacts\r\n\nthings|/things||u||\n" })).toEqual(
      [
        parsedMinimal,
        {
          ...parsedMinimal,
          resource: "things",
          url: "/things",
          updated: { field: "u", zone: "UTC" },
        },
      ],
    );
  });

  it("takes the id field it is told for a resource the connector does not know", () => {
    expect(parse({ urls: "things|/things" }, "Id")).toMatchObject({
      ok: true,
      resources: [{ idField: "Id" }],
    });
  });

  it.each([
    "contacts|reports",
    "contacts\nreports",
    "contacts \r\n reports\n",
    "contacts|reports|contacts",
  ])("reads %j as names of the connector's resources", (urls) => {
    expect(resources({ urls })).toEqual([parsedMinimal, parsedReports]);
  });

  it.each([
    ["contacts|deals", `Unknown resource "deals"`],
    ["toString", `Unknown resource "toString"`],
    [
      "things|/things|x|u|yyyyT",
      `Date pattern "yyyyT" has the unknown letter "T" (things.updatedDateFormat)`,
    ],
    ["things|/things|x|u|yyyy|Mars", `Unknown time zone "Mars" (things.updatedDateTimezone)`],
    ["things|/things?${now}", `Unknown template "\${now}" (things.url)`],
    ["things|/things\nreports", "Is required (reports.url)"],
  ])("refuses %j", (urls, message) => {
    expect(parse({ urls })).toEqual({ ok: false, field: "event.poller.urls", message });
  });
});

describe("event.objects", () => {
  it.each(["contacts,reports", " contacts , reports,", "contacts\nreports"])(
    "reads the names in %j",
    (objects) => {
      expect(resources({ objects })).toEqual([parsedMinimal, parsedReports]);
    },
  );

  it("refuses a name the connector does not know", () => {
    expect(parse({ objects: "contacts,Deal" })).toEqual({
      ok: false,
      field: "event.objects",
      message: `Unknown resource "Deal"`,
    });
  });
});

describe("parsePollingConfiguration", () => {
  it("prefers the configuration to the urls to the objects to the default", () => {
    const objects = "reports";
    const urls = "things|/things";
    expect(names({ configuration: { mine: minimal }, urls, objects })).toEqual(["mine"]);
    expect(names({ configuration: "{}", urls, objects })).toEqual(["things"]);
    expect(names({ configuration: {}, urls: " ", objects })).toEqual(["reports"]);
    expect(names({ configuration: null, urls: null, objects: null })).toEqual([
      "reports",
      "contacts",
    ]);
    expect(names({})).toEqual(["reports", "contacts"]);
  });

  it("polls nothing when nobody says what", () => {
    expect(parsePollingConfiguration({}, {})).toEqual({ ok: true, resources: [] });
  });
});
