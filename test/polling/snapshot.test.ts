import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { diffSnapshot, isSnapshotDue } from "../../src/polling/snapshot/diff";
import { emulate, platform, stored, VENDOR } from "../platform";
import { CLIENT, CODE } from "../vendors/grants";
import { hubspotEmulator } from "../vendors/hubspot";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const rule = { strategy: "snapshot" as const, everyMs: 60_000, maxRatio: 0.2 };
const ids = (count: number, from = 1) =>
  new Set(Array.from({ length: count }, (_, index) => String(from + index)));

describe("diffSnapshot", () => {
  it("tells what appeared and what vanished", () => {
    expect(diffSnapshot(ids(10), ids(10, 2), rule)).toEqual({
      kind: "diff",
      appeared: ["11"],
      vanished: ["1"],
    });
  });

  it("refuses when more than the ratio would vanish, and takes exactly the ratio", () => {
    expect(diffSnapshot(ids(10), ids(8, 3), rule).kind).toBe("diff");
    expect(diffSnapshot(ids(10), ids(7, 4), rule).kind).toBe("refused");
    expect(diffSnapshot(ids(10), new Set(), rule).kind).toBe("refused");
    expect(diffSnapshot(new Set(), ids(3), rule).kind).toBe("diff");
  });

  it("is due at first, and then when its minutes are over", () => {
    expect(isSnapshotDue(undefined, undefined, 0)).toBe(false);
    expect(isSnapshotDue(rule, undefined, 0)).toBe(true);
    expect(isSnapshotDue(rule, 0, 59_999)).toBe(false);
    expect(isSnapshotDue(rule, 0, 60_000)).toBe(true);
  });
});

const realNow = Date.now.bind(Date);
let offset = 0;

/** The clock goes ahead, and never back: budgets of the same account remember it. */
function later(ms: number): void {
  offset += ms;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => realNow() + offset);
  onTestFinished(() => clock.mockRestore());
}

describe("deletion by snapshot", () => {
  const connect = async (deletion: object) => {
    const hubspot = hubspotEmulator();
    const { paths } = emulate(hubspot.answer);
    onTestFinished(() => void vi.unstubAllGlobals());
    const made = await on.call("POST", "/instances", {
      element: { key: "hubspot" },
      providerData: { code: CODE },
      configuration: {
        "oauth.api.key": CLIENT.id,
        "oauth.api.secret": CLIENT.secret,
        "base.url": VENDOR,
        "oauth.base.url": VENDOR,
        "event.vendor.type": "polling",
        "event.poller.configuration": {
          contacts: {
            url: "/hubs/crm/contacts?where=lastmodifieddate>=${epoch}",
            idField: "id",
            datesConfiguration: {
              updatedDateField: "updatedAt",
              updatedDateFormat: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            },
            deletion,
          },
        },
      },
    });
    return { hubspot, paths, made };
  };

  it("records at first, then tells what a complete scan no longer shows", async () => {
    const { hubspot, made } = await connect({ strategy: "snapshot", everyMinutes: 1 });
    const { id } = made.body;
    for (let index = 1; index <= 250; index += 1)
      hubspot.put("contacts", String(index), 1_600_000_000_000);
    await on.poll(id);
    expect(await stored(on, id)).toEqual([]);
    hubspot.remove("contacts", "7", "9");
    await on.poll(id);
    expect(await stored(on, id)).toEqual([]);
    later(61_000);
    expect((await on.poll(id)).status).toBe(200);
    expect((await stored(on, id)).map(({ eventType, objectId }) => [eventType, objectId])).toEqual([
      ["DELETED", "7"],
      ["DELETED", "9"],
    ]);
  });

  it("tells nothing when too much vanished at once, and says so", async () => {
    later(0);
    const { hubspot, made } = await connect({ strategy: "snapshot", everyMinutes: 1 });
    const { id } = made.body;
    for (let index = 1; index <= 10; index += 1)
      hubspot.put("contacts", String(index), 1_600_000_000_000);
    await on.poll(id);
    hubspot.remove("contacts", "1", "2", "3");
    later(61_000);
    const { status, body } = await on.poll(id);
    expect(status).toBe(502);
    expect(body.error.message).toContain("3 of 10 records vanished");
    expect(await stored(on, id)).toEqual([]);
  });

  it.each([
    ["has no content", { status: 204 }, "no content"],
    [
      "is null beside errors",
      { status: 200, body: { results: null, errors: [{ message: "Try later" }] } },
      "Try later",
    ],
  ])("tells nothing when a later page %s, and says so", async (_, trouble, words) => {
    const { hubspot, made } = await connect({ strategy: "snapshot", everyMinutes: 1, maxRatio: 1 });
    const { id } = made.body;
    for (let index = 1; index <= 250; index += 1)
      hubspot.put("contacts", String(index), 1_600_000_000_000);
    await on.poll(id);
    later(61_000);
    emulate((request) =>
      request.text.includes('"after":"200"') ? trouble : hubspot.answer(request),
    );
    const { status, body } = await on.poll(id);
    expect(status).toBe(502);
    expect(body.error.message).toContain(words);
    expect(await stored(on, id)).toEqual([]);
  });

  it.each([
    [{ strategy: "guess" }, "deletion"],
    [{ strategy: "snapshot", maxRatio: 2 }, "deletion"],
  ])("is refused as %j", async (deletion, path) => {
    const { made } = await connect(deletion);
    expect(made.status).toBe(400);
    expect(made.body.message).toContain(path);
  });
});
