import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { call, create, createOrganizations, withToken } from "./build";

beforeAll(createOrganizations);

const SIGNATURE = "event.notification.signature.key";
const POLLER = "event.poller.configuration";
const accounts = { accounts: { url: "/hubs/crm/accounts", idField: "id" } };

const entry = async (id: number, key: string) =>
  (await call("GET", `/instances/${id}/configuration/${key}`)).body;
const patch = (id: number, key: string, propertyValue: unknown) =>
  call("PATCH", `/instances/${id}/configuration/${key}`, { propertyValue });
/** The instance's schedule and what is stored of its configuration. */
const stored = (id: number) =>
  env.DB.prepare("SELECT interval, slot, configuration, secrets FROM instances WHERE id = ?")
    .bind(id)
    .first<{
      interval: number | null;
      slot: number | null;
      configuration: string;
      secrets: string;
    }>();

describe("GET /instances/{id}/configuration", () => {
  it("lists every key of the connector with its value or default, secrets masked", async () => {
    const { id } = await create({ [SIGNATURE]: "signing-secret", "own.key": "v" });
    const { body } = await call("GET", `/instances/${id}/configuration`);
    const keys = body.map(({ key }: { key: string }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    const values = Object.fromEntries(
      body.map(({ key, propertyValue }: Record<string, string>) => [key, propertyValue]),
    );
    expect(values).toMatchObject({
      [SIGNATURE]: "********",
      "sandbox.api.key": "********",
      "event.notification.type": "webhook",
      "event.notification.enabled": "true",
      "event.notification.callback.headers": null,
      "event.poller.refresh_interval": "1",
      [POLLER]: "{}",
      "filter.response.nulls": "true",
      "pagination.max": "100",
      "own.key": "v",
    });
    for (const value of Object.values(values))
      expect(value === null || typeof value === "string").toBe(true);
    expect(body[0]).toEqual({
      id: expect.any(Number),
      key: expect.any(String),
      name: expect.any(String),
      description: expect.any(String),
      defaultValue: expect.toSatisfy((value) => value === null || typeof value === "string"),
      propertyValue: expect.any(String),
      resellerConfig: false,
      companyConfig: false,
      active: true,
      internal: false,
      groupControl: false,
      displayOrder: 1,
      type: "BOOLEAN",
      hideFromConsole: false,
      required: false,
    });
  });

  it("gives one entry by id and by key alike, also with the Element token alone", async () => {
    const made = await create();
    const byKey = await entry(made.id, POLLER);
    expect(byKey).toMatchObject({ key: POLLER, propertyValue: "{}" });
    expect(await entry(made.id, String(byKey.id))).toEqual(byKey);
    for (const address of [POLLER, byKey.id]) {
      const path = `/instances/configuration/${address}`;
      expect((await call("GET", path, undefined, withToken(made))).body).toEqual(byKey);
    }
    expect((await call("GET", `/instances/${made.id}/configuration/no.such`)).status).toBe(404);
  });
});

describe("PATCH /instances/{id}/configuration/{configId}", () => {
  it("sets a value by id and by key, at once, and answers the entry", async () => {
    const made = await create({ "event.poller.refresh_interval": 15 });
    const { id } = await entry(made.id, "event.poller.refresh_interval");
    const byId = await patch(made.id, String(id), 30);
    expect(byId).toMatchObject({ status: 200, body: { id, propertyValue: "30" } });
    expect(await stored(made.id)).toMatchObject({ interval: 30 });
    expect((await patch(made.id, "event.poller.refresh_interval", "1")).status).toBe(200);
    expect(await stored(made.id)).toMatchObject({ interval: 1, slot: 0 });
    const token = withToken(made);
    const { body } = await call(
      "PATCH",
      `/instances/configuration/${id}`,
      { propertyValue: 2 },
      token,
    );
    expect(body.propertyValue).toBe("2");
  });

  it("takes the whole entry as it was read, and needs a propertyValue", async () => {
    const { id } = await create();
    const path = `/instances/${id}/configuration/pagination.max`;
    const whole = { ...(await entry(id, "pagination.max")), propertyValue: "50" };
    expect((await call("PATCH", path, whole)).body.propertyValue).toBe("50");
    const { status, body } = await call("PATCH", path, { value: "50" });
    expect({ status, message: body.message }).toMatchObject({
      status: 400,
      message: expect.stringContaining("propertyValue"),
    });
    expect((await patch(id, "no.such", "x")).status).toBe(404);
  });

  it("empties a value with null or an empty text: the default is back", async () => {
    const { id } = await create({ "pagination.max": 50 });
    for (const empty of [null, ""]) {
      await patch(id, "pagination.max", "50");
      expect((await patch(id, "pagination.max", empty)).body.propertyValue).toBe("100");
    }
  });
});

describe("a secret", () => {
  it("is sealed at rest, masked when read, and kept when its mask is sent back", async () => {
    const { id } = await create({ [SIGNATURE]: "signing-secret" });
    const before = await stored(id);
    expect(JSON.stringify(before)).not.toMatch(/signing-secret|vendor-secret/);
    expect((await patch(id, SIGNATURE, "********")).status).toBe(200);
    const masked = { configuration: { [SIGNATURE]: "********", "sandbox.api.key": "********" } };
    expect((await call("PUT", `/instances/${id}`, masked)).status).toBe(200);
    const destination = () =>
      env.DB.prepare("SELECT legacy_key_sealed AS sealed FROM destinations WHERE id = ?")
        .bind(`instance-${id}`)
        .first<string>("sealed");
    expect(Object.keys(JSON.parse((await stored(id))?.secrets ?? "{}"))).toEqual(
      Object.keys(JSON.parse(before?.secrets ?? "{}")),
    );
    expect(await destination()).not.toBeNull();
    expect((await patch(id, SIGNATURE, "")).body.propertyValue).toBeNull();
    expect(await destination()).toBeNull();
  });
});

describe("values", () => {
  it.each<[unknown, string | null]>([
    [true, "true"],
    [7, "7"],
    [accounts, JSON.stringify(accounts)],
    [JSON.stringify(accounts), JSON.stringify(accounts)],
    [null, null],
    ["", null],
  ])("%j reads back as %j", async (value, text) => {
    const key = typeof value === "object" && value !== null ? POLLER : "own.key";
    const { configuration } = await create({ [key]: value, "event.objects": null });
    expect(configuration[key]).toBe(text);
  });

  it.each([["polling"], ["POLLING"], ["polling,webhook"], ["webhooks, polling"]])(
    "event.vendor.type '%s' polls",
    async (type) => {
      const { id, eventsEnabled } = await create({ "event.vendor.type": type });
      expect(eventsEnabled).toBe(true);
      expect(await stored(id)).toMatchObject({ interval: 1 });
    },
  );

  it.each<[Record<string, unknown>, boolean]>([
    [{ "event.vendor.type": "webhooks" }, true],
    [{ "event.vendor.type": "polling", "event.notification.enabled": "false" }, false],
    [{ "event.vendor.type": null }, false],
    [{ "event.vendor.type": "polling", "sandbox.api.key": null }, true],
  ])("%j does not poll; events enabled: %s", async (change, enabled) => {
    const { id, eventsEnabled } = await create(change);
    expect(eventsEnabled).toBe(enabled);
    expect(await stored(id)).toMatchObject({ interval: null, slot: null });
  });

  it("an instance whose events are switched on without a vendor type takes the connector's own way", async () => {
    const { id } = await create({ "event.vendor.type": null, "event.notification.enabled": true });
    expect(await stored(id)).toMatchObject({ interval: 1 });
  });

  it("one that is switched off or deleted is not due any more", async () => {
    const { id } = await create();
    await call("DELETE", `/instances/${id}/enabled`);
    expect(await stored(id)).toMatchObject({ interval: null });
    await call("PUT", `/instances/${id}/enabled`);
    expect(await stored(id)).toMatchObject({ interval: 1 });
    await call("DELETE", `/instances/${id}`);
    expect(await stored(id)).toBeNull();
  });
});
