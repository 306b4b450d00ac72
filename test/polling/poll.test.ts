import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { call, create, createOrganizations, record } from "../elements/build";
import { consume, emitted, meteredDatabase, poll, QUIET, streamOf, vendor } from "./build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

const MINUTE = 60_000;
const DATES = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";
const undated = (url = "/hubs/crm/accounts") => ({
  "event.poller.configuration": { accounts: { url, idField: "id" } },
});

describe("promise 10, cost is bounded: an idle poll", () => {
  it("costs one object request and no row, and reads no row but the instance and its organization", async () => {
    const instance = await create(QUIET);
    const requests = vendor({ data: [] });
    await consume("tributary-polls", [{ ids: [instance.id] }]);
    const before = await streamOf(instance).meter();
    const { db, meter } = meteredDatabase();
    await consume("tributary-polls", [{ ids: [instance.id] }], { DB: db });
    const after = await streamOf(instance).meter();
    expect(requests()).toHaveLength(2);
    expect(after.requests - before.requests).toBe(1);
    expect(after.rowsWritten - before.rowsWritten).toBe(0);
    expect(after.messages - before.messages).toBe(0);
    expect(meter.rowsWritten).toBe(0);
    // The instance, the list of ids it was found by, and whether its organization is there.
    expect(meter.rowsRead).toBeLessThanOrEqual(4);
  });

  it("after one that saw only what was known costs no row either", async () => {
    const instance = await create(QUIET);
    const list = { data: [record("a", Date.now())] };
    vendor(list);
    expect((await poll(instance)).first).toMatchObject({ created: 1 });
    expect((await poll(instance)).first).toMatchObject({ fetched: 1, created: 0 });
    list.data = [];
    await poll(instance);
    const before = await streamOf(instance).meter();
    await poll(instance);
    expect((await streamOf(instance).meter()).rowsWritten).toBe(before.rowsWritten);
  });
});

describe("the first poll", () => {
  it("tells what changed after the instance was made, and nothing older", async () => {
    const made = Date.now();
    const instance = await create(QUIET);
    const created = Date.now() + 5;
    vendor({
      data: [
        record("old", made - 1),
        record("changed", created, { createdDate: new Date(made - MINUTE).toISOString() }),
        record("new", created),
        record("gone", created, { deleted: true }),
        { name: "without an id", updatedDate: new Date(created).toISOString() },
      ],
    });
    expect((await poll(instance)).first).toEqual({
      objectType: "accounts",
      fetched: 4,
      created: 1,
      updated: 1,
      deleted: 1,
      error: null,
    });
    expect(await emitted(instance)).toEqual(["UPDATED changed", "CREATED new", "DELETED gone"]);
  });

  it.each([
    ["2026-11-01T06:30:00Z", "2026-11-01T00:30:00-06:00"],
    ["2026-11-01T09:30:00Z", "2026-11-01T02:30:00-07:00"],
    ["2026-03-08T09:30:00Z", "2026-03-08T03:30:00-06:00"],
  ])("asks in Denver's time, over its changes: since %s is %s", async (since, asked) => {
    const url =
      "/hubs/crm/accounts?where=updatedDate>='${dateTimeZone:America/Denver:yyyy-MM-dd'T'HH:mm:ssXXX}'";
    const instance = await create({ ...QUIET, ...undated(url), "event.poller.since": since });
    const requests = vendor({ data: [] });
    await poll(instance);
    expect(requests().map(({ searchParams }) => searchParams.get("updated_since"))).toEqual([
      asked,
    ]);
  });

  it("asks in microseconds, and in a format with quotes and colons", async () => {
    const since = { "event.poller.since": "2026-11-01T06:30:00.120Z", ...QUIET };
    const requests = vendor({ data: [] });
    for (const template of ["${epoch:us}", "${gmtDate:'at: 'HH:mm:ss.SSS}"])
      await poll(
        await create({ ...undated(`/accounts?where=updatedDate>='${template}'`), ...since }),
      );
    expect(requests().map(({ searchParams }) => searchParams.get("updated_since"))).toEqual([
      "1793514600120000",
      "at: 06:30:00.120",
    ]);
  });
});

describe("records without dates", () => {
  it("are recorded by the first poll, then told when they are new or other than before", async () => {
    const instance = await create({ ...QUIET, ...undated(), "event.objects": null });
    const list = { data: [{ id: 1, a: 1, b: { c: 2, d: 3 } }, { id: 2 }] as object[] };
    vendor(list);
    const after = async (data: object[]) => {
      list.data = data;
      const { first } = await poll(instance);
      return [first.created, first.updated];
    };
    expect(await after(list.data)).toEqual([0, 0]);
    expect(await after([{ b: { d: 3, c: 2 }, a: 1, id: 1 }, { id: 2 }])).toEqual([0, 0]);
    expect(await after([{ id: 1, a: 2 }, { id: 2 }, { id: 3 }])).toEqual([1, 1]);
    expect(await after([{ id: 1, a: 1 }, { id: 3 }])).toEqual([0, 1]);
    // Back to what it was: another change, and told again.
    expect(await after([{ id: 1, a: 2 }])).toEqual([0, 1]);
    expect(await emitted(instance)).toEqual(["UPDATED 1", "CREATED 3", "UPDATED 1", "UPDATED 1"]);
  });

  it("are UPDATED when unseen under a URL with a template", async () => {
    const url = "/hubs/crm/accounts?where=updatedDate>='${date}'";
    const instance = await create({ ...QUIET, ...undated(url), "event.objects": null });
    vendor({ data: [{ id: 1 }] });
    expect((await poll(instance)).first).toMatchObject({ created: 0, updated: 1 });
    expect((await poll(instance)).first).toMatchObject({ created: 0, updated: 0 });
  });
});

it("a resource that is a path keeps its name as objectType and in raw", async () => {
  const name = "calendars/{calendarId}/changed-events";
  const dates = { updatedDateField: "updatedDate", updatedDateFormat: DATES };
  const configuration = {
    [name]: { url: "/hubs/crm/accounts", idField: "id", datesConfiguration: dates },
  };
  const instance = await create({
    ...QUIET,
    "event.objects": null,
    "event.poller.configuration": JSON.stringify(configuration),
  });
  vendor({ data: [record("a", Date.now() + 5)] });
  expect((await poll(instance)).first).toMatchObject({ objectType: name, updated: 1 });
  const body = JSON.parse((await streamOf(instance).notificationBody(1)) ?? "{}");
  expect(body.message.raw[name]).toMatchObject([{ id: "a" }]);
  expect(body.message.raw.objectType).toBe(name);
});

it("a poll that is asked for while another runs comes after it, and tells nothing twice", async () => {
  const instance = await create(QUIET);
  const now = Date.now() + 5;
  const requests = vendor({ data: [record("a", now)] });
  const reports = await Promise.all([poll(instance), poll(instance), poll(instance)]);
  expect(reports.map(({ first }) => first.created).toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
  expect(requests()).toHaveLength(3);
  expect(await emitted(instance)).toEqual(["CREATED a"]);
});

it("an instance that is switched off, or was deleted, is not polled", async () => {
  const instance = await create(QUIET);
  const requests = vendor({ data: [] });
  await call("DELETE", `/instances/${instance.id}/enabled`);
  expect((await poll(instance)).status).toBe(409);
  await consume("tributary-polls", [{ ids: [instance.id] }]);
  await call("DELETE", `/instances/${instance.id}`);
  expect((await poll(instance)).status).toBe(404);
  await consume("tributary-polls", [{ ids: [instance.id] }]);
  expect(requests()).toEqual([]);
});
