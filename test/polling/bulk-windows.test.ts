import { describe, expect, it } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import { feeds } from "../../src/connectors/parsers";
import type { Instance } from "../../src/instances/instance";
import type { Cursor, Position } from "../../src/polling/cursor";
import { bulkWindows, readWindow, type Window } from "../../src/polling/feed/bulk-windows";
import type { PolledResource } from "../../src/polling/polled-resource";
import { polledResources } from "../../src/polling/settings";

const DAY = 86_400_000;
const NOW = 100 * DAY;
const quickbooks = findConnector("quickbooks")!;
const feed = feeds["quickbooks"]!;

const instance = {
  connector: quickbooks,
  baseline: 90 * DAY,
  configuration: { "event.objects": "invoices" },
} as unknown as Instance;
const settings = polledResources(instance);
const invoices: PolledResource = settings.ok ? settings.resources[0]! : ({} as PolledResource);

function windows(position: Position | undefined, change: Partial<PolledResource> = {}): Window[] {
  if (feed.kind !== "bulk") throw new Error("No bulk feed");
  const cursor: Cursor = { resources: position === undefined ? {} : { invoices: position } };
  return bulkWindows(instance, cursor, feed, [{ ...invoices, ...change }], NOW);
}

describe("bulkWindows", () => {
  it("asks for what changed since the baseline at first, then since the last poll less the overlap", () => {
    expect(windows(undefined)).toMatchObject([{ entity: "Invoice", from: 90 * DAY }]);
    expect(windows({ failures: 0, last: NOW - DAY })).toMatchObject([
      { from: NOW - DAY - invoices.pollDelayMs - invoices.overlapMs },
    ]);
  });

  const last = NOW - DAY;
  it.each<[string, Position, Partial<PolledResource>]>([
    ["whose URL the user has changed", { failures: 0, last }, { url: "/hubs/finance/invoices" }],
    ["that the connector does not have", { failures: 0, last }, { resource: "cats" }],
    [
      "whose list is half read",
      { failures: 0, last, scan: { startedAt: last, after: 0, position: 2, pages: 1 } },
      {},
    ],
  ])("leaves a resource to its list %s", (_, position, change) => {
    expect(windows(position)).toHaveLength(position.scan === undefined ? 1 : 0);
    expect(windows(position, change)).toEqual([]);
  });

  it("leaves a resource to its list when the feed does not reach back to the last poll", () => {
    const since = { ...instance, baseline: 0 };
    const from = (at: number) => {
      if (feed.kind !== "bulk") throw new Error("No bulk feed");
      const lookBackMs = invoices.pollDelayMs + invoices.overlapMs;
      const cursor = { resources: { invoices: { failures: 0, last: at + lookBackMs } } };
      return bulkWindows(since, cursor, feed, [invoices], NOW).length;
    };
    const oldest = NOW - (feed.kind === "bulk" ? feed.maxAgeMs : 0);
    expect([from(oldest), from(oldest + 1)]).toEqual([0, 1]);
  });
});

describe("readWindow", () => {
  const from = NOW - DAY;
  const invoice = (Id: string, at: number, change: object = {}) => ({
    Id,
    MetaData: {
      CreateTime: new Date(at).toISOString(),
      LastUpdatedTime: new Date(at).toISOString(),
    },
    ...change,
  });
  const read = (position: Position, records: object[]) => {
    const [window] = windows(position);
    if (window === undefined) throw new Error("No window");
    return readWindow({ ...window, from }, records, "instance:1", NOW);
  };

  it("moves to the start of the poll when it saw a change, and forgets failures", () => {
    const position = { failures: 2, failedAt: NOW - 1, lastError: "Refused", last: from };
    const { events, isIdle, moved } = read(position, [invoice("1", from + 1), invoice("2", from)]);
    expect(events.map(({ objectId, eventType }) => [objectId, eventType])).toEqual([
      ["1", "CREATED"],
    ]);
    expect(isIdle).toBe(false);
    expect(moved).toMatchObject({ failures: 0, last: NOW });
    expect(Object.keys(moved ?? {})).not.toContain("lastError");
  });

  it("writes nothing when it saw no change, unless there are failures to forget", () => {
    const idle = { failures: 0, last: from };
    expect(read(idle, [invoice("2", from)])).toEqual({
      events: [],
      isIdle: true,
      moved: undefined,
    });
    const { moved } = read({ ...idle, failures: 3, failedAt: 1, lastError: "Refused" }, []);
    expect(moved).toMatchObject({ failures: 0, last: from });
  });
});
