import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ownOrganization } from "../organization";
import { markInvalid } from "../../src/instances/grants.store";
import {
  call,
  CALLBACK,
  create,
  createOrganizations,
  draft,
  MINE,
  stubOutside,
  withToken,
} from "./build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const read = async ({ id }: { id: number }) => (await call("GET", `/instances/${id}`)).body;

describe("POST /instances", () => {
  it("answers 200 with the instance as the reference prints it", async () => {
    const { status, body, headers } = await call("POST", "/instances", draft());
    expect(status).toBe(200);
    expect(headers.get("Access-Control-Expose-Headers")).toBe(
      "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition",
    );
    expect(body).toMatchObject({
      id: expect.any(Number),
      name: "Sandbox",
      createdDate: expect.stringMatching(INSTANT),
      token: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      element: {
        id: 1,
        name: "Sandbox CRM",
        key: "sandbox",
        hub: "crm",
        active: true,
        authentication: { type: "apiKey" },
      },
      tags: ["test"],
      provisionInteractions: [],
      valid: true,
      disabled: false,
      configuration: { "event.poller.configuration": "{}", "event.objects": "accounts" },
      eventsEnabled: true,
      eventsNotificationCallbackUrl: CALLBACK,
      externalAuthentication: "none",
      user: { id: 1, emailAddress: "anna@mine.example", firstName: "Admin", lastName: "" },
    });
    expect(await read(body)).toEqual(body);
  });

  it("names the connector by key in any case, or by id, and an instance without a name after it", async () => {
    for (const element of [{ key: "SANDBOX" }, { id: 1 }, { id: "1" }]) {
      const { id, name } = await create({}, { element, name: undefined, tags: undefined });
      expect(name).toBe(`Sandbox CRM ${id}`);
    }
  });

  it("strips markup from name and tags, and says nothing of providerData", async () => {
    const made = await create(
      { "sandbox.api.key": undefined },
      { name: "<b>Bold</b> & co", tags: ["<i>a</i>"], providerData: { apikey: "given-secret" } },
    );
    expect(made).toMatchObject({ name: "Bold & co", tags: ["a"], valid: true });
    expect(JSON.stringify(made)).not.toContain("given-secret");
    expect(made).not.toHaveProperty("providerData");
  });

  it("exchanges the code, and takes a refresh token that was there before", async () => {
    const sent = stubOutside(() =>
      Response.json({ access_token: "at", refresh_token: "rt", expires_in: 3600 }),
    );
    const oauth = { "oauth.api.key": "k", "oauth.api.secret": "s", "event.objects": null };
    const element = { key: "concur" };
    const made = await create(oauth, { element, providerData: { code: "c" } });
    expect(made.valid).toBe(true);
    expect(sent.map(({ text }) => new URLSearchParams(text).get("code"))).toEqual(["c"]);
    const initial = { ...oauth, "oauth.user.refresh_token": "old" };
    expect(await create(initial, { element, externalAuthentication: "initial" })).toMatchObject({
      valid: true,
      externalAuthentication: "initial",
    });
    expect(sent).toHaveLength(1);
    const bare = await create(oauth, { element });
    expect(bare).toMatchObject({ valid: false });
    const code = { providerData: { code: "later" } };
    expect((await call("PUT", `/instances/${bare.id}`, code)).body.valid).toBe(true);
    expect(sent).toHaveLength(2);
  });
});

describe("GET /instances", () => {
  it("finds by all of the tags, by a part of the name, and page by page", async () => {
    const made = [];
    for (const name of ["Alpha one", "Alpha two", "Beta"])
      made.push(await create({}, { name, tags: ["listed", name.slice(-3)] }));
    const ids = async (query: string) => {
      const { body, headers } = await call("GET", `/instances?${query}`);
      return { ids: body.map(({ id }: { id: number }) => id), headers };
    };
    const all = made.map(({ id }) => id);
    expect((await ids("tags[]=listed")).ids).toEqual(all);
    expect((await ids("tags[]=listed&tags[]=two")).ids).toEqual([all[1]]);
    expect((await ids("searchText=ALPHA")).ids).toEqual(all.slice(0, 2));
    const first = await ids("tags[]=listed&pageSize=2");
    expect(first.ids).toEqual(all.slice(0, 2));
    expect(first.headers.get("Elements-Returned-Count")).toBe("2");
    expect(first.headers.get("Elements-Total-Count")).toBe("3");
    const token = first.headers.get("Elements-Next-Page-Token");
    const second = await ids(`tags[]=listed&pageSize=2&nextPage=${token}`);
    expect(second.ids).toEqual(all.slice(2));
    expect(second.headers.get("Elements-Next-Page-Token")).toBeNull();
    expect((await ids("tags[]=listed&pageSize=2&page=2")).ids).toEqual(all.slice(2));
  });

  it.each(["tags[]=none", "searchText=100%25", "searchText=nothing"])(
    "answers 404 when nothing matches %s",
    async (query) => expect((await call("GET", `/instances?${query}`)).status).toBe(404),
  );

  it.each(["pageSize=0", "pageSize=x", "page=-1", "nextPage=!!"])("refuses ?%s", async (query) => {
    const { status, body } = await call("GET", `/instances?${query}`);
    expect(status).toBe(400);
    expect(body.message).toContain(`${query.split("=")[0]}: `);
  });
});

describe("PUT and PATCH /instances/{id}", () => {
  it("replace tags, and clear them with an empty list; absent members stay", async () => {
    const made = await create();
    for (const method of ["PUT", "PATCH"]) {
      const change = (body: object) => call(method, `/instances/${made.id}`, body);
      expect((await change({ tags: ["x", "y"] })).body).toMatchObject({
        tags: ["x", "y"],
        name: "Sandbox",
      });
      expect((await change({ tags: [] })).body).toMatchObject({ tags: [], name: "Sandbox" });
    }
  });

  it("merge configuration, and take the connector by its id", async () => {
    const made = await create();
    const { body } = await call("PATCH", `/instances/${made.id}`, {
      element: { id: 1 },
      name: "Renamed",
      configuration: { "event.poller.refresh_interval": 7 },
    });
    expect(body).toMatchObject({
      name: "Renamed",
      configuration: { ...made.configuration, "event.poller.refresh_interval": "7" },
    });
    const other = { element: { key: "concur" } };
    expect((await call("PATCH", `/instances/${made.id}`, other)).status).toBe(400);
  });

  it.each([
    [{}],
    [{ "event.notification.enabled": false }],
    [{ "event.vendor.type": null }],
    [{ "event.notification.signature.key": "k", "event.poller.configuration": {} }],
  ])("PUT of the whole object as it was read changes nothing, made with %j", async (change) => {
    const made = await create(change);
    const { status, body } = await call("PUT", `/instances/${made.id}`, made);
    expect(status).toBe(200);
    expect(body).toEqual({ ...made, updatedDate: expect.any(String) });
  });

  it("leave an instance that the vendor refused invalid until it gets other credentials", async () => {
    const made = await create();
    await markInvalid(env.DB, made.id, "Refused", Date.now());
    const change = async (body: object) =>
      (await call("PATCH", `/instances/${made.id}`, body)).body.valid;
    expect(await change({ name: "Renamed" })).toBe(false);
    expect(await change({ configuration: { "event.poller.refresh_interval": 3 } })).toBe(false);
    expect((await call("PUT", `/instances/${made.id}/enabled`)).body).toMatchObject({
      valid: false,
      invalidReason: "Refused",
    });
    expect(await change({ configuration: { "sandbox.api.key": "another" } })).toBe(true);
  });
});

describe("enabled, count, docs and DELETE", () => {
  it("switch an instance off and on; off, its hub is closed but for its objects", async () => {
    const made = await create();
    const authorization = `${MINE}, Element ${made.token}`;
    const hub = async (path: string) =>
      (await call("GET", `/hubs/crm/${path}`, undefined, authorization)).status;
    const { body } = await call("DELETE", `/instances/${made.id}/enabled`);
    expect(body.disabled).toBe(true);
    expect(await hub("accounts")).toBe(403);
    expect(await hub("objects")).toBe(200);
    stubOutside(() => Response.json({ data: [] }));
    expect((await call("PUT", `/instances/${made.id}/enabled`)).body.disabled).toBe(false);
    expect(await hub("accounts")).toBe(200);
  });

  it("count and describe", async () => {
    const { id } = await create();
    const { body } = await call("GET", "/instances/count");
    expect(body.totalInstances).toBeGreaterThan(0);
    expect(body.elementInstances).toBe(body.totalInstances);
    const docs = await call("GET", `/instances/${id}/docs`);
    expect(docs.body).toMatchObject({
      swagger: "2.0",
      paths: { "/hubs/crm/accounts": { get: { parameters: expect.any(Array) } } },
    });
  });

  it("end with an empty 200, after which nothing is left", async () => {
    const made = await create();
    const { status, body } = await call("DELETE", `/instances/${made.id}`);
    expect({ status, body }).toEqual({ status: 200, body: undefined });
    expect((await call("GET", `/instances/${made.id}`)).status).toBe(404);
    expect((await call("DELETE", `/instances/${made.id}`)).status).toBe(404);
  });
});

it("with its Element token an instance is reached without its id", async () => {
  const made = await create();
  const mine = (method: string, path: string, body?: unknown) =>
    call(method, path, body, withToken(made));
  expect((await mine("GET", "/instances")).body).toEqual(made);
  expect((await mine("PATCH", "/instances", { name: "Short" })).body.name).toBe("Short");
  expect((await mine("PUT", "/instances", { tags: [] })).body.tags).toEqual([]);
  expect((await mine("DELETE", "/instances/enabled")).body.disabled).toBe(true);
  expect((await mine("PUT", "/instances/enabled")).body.disabled).toBe(false);
  const { body: records } = await mine("GET", "/instances/event-poller-records");
  expect(records).toEqual([
    {
      id: expect.any(Number),
      instanceId: made.id,
      objectType: "accounts",
      lastPollDate: null,
      unreachable: null,
      failureCount: 0,
    },
  ]);
  expect((await mine("DELETE", "/instances")).status).toBe(200);
  expect((await mine("GET", "/instances")).status).toBe(401);
});

it("a connector whose definition cannot be read is left out of lists, which show the others", async () => {
  const { authorization, id } = await ownOrganization();
  await env.DB.prepare("INSERT INTO user_connectors VALUES (?, ?, 'broken', '{}', 1, 1)")
    .bind(8_000_000 + id, id)
    .run();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { status, body } = await call("GET", "/elements", undefined, authorization);
  expect(status).toBe(200);
  expect(body.map(({ key }: any) => key)).toContain("box");
  expect(body.map(({ key }: any) => key)).not.toContain("broken");
});

it("an instance whose secrets no key opens is left out of lists, which show the others", async () => {
  const { authorization } = await ownOrganization();
  const [broken, whole] = [
    await create({}, {}, authorization),
    await create({}, {}, authorization),
  ];
  await env.DB.prepare("UPDATE instances SET token_sealed = 'gone.AAAA' WHERE id = ?")
    .bind(broken.id)
    .run();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const listed = await call("GET", "/instances", undefined, authorization);
  expect(listed.body.map(({ id }: any) => id)).toEqual([whole.id]);
  for (const path of ["", "/analytics", "/analytics/instances", "/dispositions"])
    expect((await call("GET", `/instances/events${path}`, undefined, authorization)).status).toBe(
      200,
    );
});
