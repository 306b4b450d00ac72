import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { emulate, platform, PUBLIC_URL, stored, VENDOR } from "../platform";
import { consume } from "../polling/build";
import { connect, later, told } from "../polling/pitfalls/connect";
import { boxEmulator } from "../vendors/box";
import { CLIENT, CODE } from "../vendors/grants";
import { hubspotEmulator, hubspotHeaders, PORTAL } from "../vendors/hubspot";
import { quickbooksEmulator, quickbooksHeaders, REALM } from "../vendors/quickbooks";
import type { Answer, Incoming } from "../vendors/server";
import { sfdcEmulator } from "../vendors/sfdc";

/** An instance that has events on and no `event.vendor.type`: whatever its connector supports is heard. */

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const BY_DEFAULT = { "event.vendor.type": null, "event.notification.enabled": "true" };
const own = (key: string, id: number) => `/events/${key}/${btoa(String(id))}`;
const wake = (id: number) => consume("tributary-polls", [{ ids: [id], wake: true }]);
const emulated = (answer: (request: Incoming) => Answer) => {
  onTestFinished(() => void vi.unstubAllGlobals());
  return emulate(answer);
};

type Vendor = {
  answer: (request: Incoming) => Answer;
  settings: Record<string, string>;
  data?: object;
  put: (id: string, at: number) => void;
  /** A delivery that tells of a change of the object. */
  send: (
    instance: { id: number; configuration: any },
    id: string,
    at: number,
  ) => Promise<Response> | Response;
  objectId: string;
  objectType: string;
};

const vendors: Record<string, () => Vendor> = {
  sfdc: () => {
    const sfdc = sfdcEmulator();
    return {
      answer: sfdc.answer,
      settings: { "event.objects": "Contact" },
      put: (id, at) => sfdc.put(id, at),
      send: ({ id, configuration }, objectId, at) => {
        const object = { attributes: { type: "Contact" }, Id: objectId, SystemModstamp: at };
        const body = JSON.stringify({ objects: [object], action: "create" });
        return on.deliver(`${own("sfdc", id)}?token=${configuration["event.vendor.token"]}`, body);
      },
      objectId: "003ak00000IiFInAAN",
      objectType: "Contact",
    };
  },
  hubspot: () => {
    const hubspot = hubspotEmulator();
    return {
      answer: hubspot.answer,
      settings: {},
      put: (id, at) => hubspot.put("companies", id, at),
      send: ({ id }, objectId, at) => {
        const body = JSON.stringify([
          { portalId: PORTAL, subscriptionType: "company.creation", objectId, occurredAt: at },
        ]);
        const path = own("hubspot", id);
        const url = `${PUBLIC_URL}/elements/api-v2${path}`;
        return on.deliver(path, body, hubspotHeaders(body, { secret: CLIENT.secret, url }));
      },
      objectId: "1801",
      objectType: "accounts",
    };
  },
  quickbooks: () => {
    const quickbooks = quickbooksEmulator();
    return {
      answer: quickbooks.answer,
      settings: { "event.vendor.signature.key": "verifier" },
      data: { realmId: REALM },
      put: (id, at) => quickbooks.put("Customer", id, at),
      send: ({ id }, objectId, at) => {
        const lastUpdated = new Date(at).toISOString();
        const entities = [{ id: objectId, operation: "Create", name: "Customer", lastUpdated }];
        const body = JSON.stringify({
          eventNotifications: [{ realmId: REALM, dataChangeEvent: { entities } }],
        });
        return on.deliver(own("quickbooks", id), body, quickbooksHeaders(body, "verifier"));
      },
      objectId: "63",
      objectType: "customers",
    };
  },
};

describe.each(Object.keys(vendors))("%s with events on and no vendor type", (key) => {
  it("hears webhooks and polls, and a change seen by both is one event", async () => {
    const { answer, settings, data, put, send, objectId, objectType } = vendors[key]!();
    emulated(answer);
    const instance = await connect(
      on,
      key,
      { ...BY_DEFAULT, "event.poller.refresh_interval": "1440", ...settings },
      data,
    );
    const at = Math.ceil(Date.now() / 1_000) * 1_000;
    put(objectId, at);
    expect((await send(instance, objectId, at)).status).toBe(200);
    expect((await on.streamOf(instance.id).traces()).counts).toEqual({});
    await wake(instance.id);
    expect(await told(on, instance.id)).toEqual([["CREATED", objectType, objectId]]);
    await send(instance, objectId, at);
    await on.poll(instance.id);
    expect(await told(on, instance.id)).toHaveLength(1);
  });

  it("emits what webhooks tell while nothing can be polled for want of credentials, once", async () => {
    const { answer, settings, data, put, send, objectId, objectType } = vendors[key]!();
    emulated(answer);
    const app = { "oauth.api.key": CLIENT.id, "oauth.api.secret": CLIENT.secret };
    const { body: instance } = await on.call("POST", "/instances", {
      element: { key },
      configuration: { ...BY_DEFAULT, ...app, ...settings },
    });
    expect(instance.valid).toBe(false);
    const at = Math.ceil(Date.now() / 1_000) * 1_000;
    put(objectId, at);
    expect((await send(instance, objectId, at)).status).toBe(200);
    const events = [["CREATED", objectType, objectId]];
    expect(await told(on, instance.id)).toEqual(events);
    later(60_000);
    const { body } = await on.call("PATCH", `/instances/${instance.id}`, {
      providerData: { code: CODE, ...data },
      configuration: { "base.url": VENDOR, "oauth.base.url": VENDOR },
    });
    expect(body.valid).toBe(true);
    expect((await on.poll(instance.id)).status).toBe(200);
    expect(await told(on, instance.id)).toEqual(events);
  });

  it("ignores webhooks, and says so, when it is only to be polled", async () => {
    const { answer, settings, data, send, objectId } = vendors[key]!();
    emulated(answer);
    const instance = await connect(on, key, settings, data);
    expect((await send(instance, objectId, Date.now())).status).toBe(200);
    expect(await stored(on, instance.id)).toEqual([]);
    const { counts } = await on.streamOf(instance.id).traces();
    expect(counts).toEqual({ ignored: 1 });
  });
});

it("a change of what the instance doesn't poll is told by its webhook", async () => {
  const hubspot = hubspotEmulator();
  emulated(hubspot.answer);
  const { id } = await connect(on, "hubspot", { ...BY_DEFAULT, "event.objects": "contacts" });
  for (const name of ["ticket", "deal", "contact", "product"]) {
    const body = JSON.stringify([
      {
        portalId: PORTAL,
        subscriptionType: `${name}.creation`,
        objectId: 5,
        occurredAt: Date.now(),
      },
    ]);
    const url = `${PUBLIC_URL}/elements/api-v2${own("hubspot", id)}`;
    const headers = hubspotHeaders(body, { secret: CLIENT.secret, url });
    expect((await on.deliver(own("hubspot", id), body, headers)).status).toBe(200);
  }
  const types = (await told(on, id)).map(([, type]) => type);
  expect(types).toEqual(["tickets", "deals", "products"]);
});

describe("a connector whose own way are webhooks", () => {
  const scheduled = (id: number) =>
    env.DB.prepare("SELECT interval FROM instances WHERE id = ?")
      .bind(id)
      .first<number | null>("interval");
  const start = async (settings: Record<string, unknown>) => {
    const box = boxEmulator();
    emulated(box.answer);
    const instance = await connect(on, "box", {
      "event.vendor.type": null,
      "event.poller.since": null,
      "event.notification.enabled": true,
      ...settings,
    });
    const change = (configuration: object) =>
      on.call("PATCH", `/instances/${instance.id}`, { configuration });
    return { box, id: instance.id, change };
  };
  const KEY = "event.vendor.signature.key";
  const BOTH = { "events.list.ids": "file:7", [KEY]: "k" };

  it.each<[string, Record<string, unknown>, number | null]>([
    ["nothing is listed", { [KEY]: "k" }, 15],
    ["a comma is all that is listed", { [KEY]: "k", "events.list.ids": " , " }, 15],
    ["there is no key", { "events.list.ids": "file:7" }, 15],
    ["the vendor makes no webhook", { ...BOTH, "events.list.ids": "file:404" }, 15],
    ["webhooks work", BOTH, null],
    ["its type is webhook, though none works", { "event.vendor.type": "webhook" }, null],
    [
      "its type is both, though webhooks work",
      { ...BOTH, "event.vendor.type": "polling,webhook" },
      15,
    ],
    ["events are off", { "event.notification.enabled": false }, null],
  ])("is polled meanwhile as it should be where %s", async (_, settings, interval) => {
    const { id } = await start(settings);
    expect(await scheduled(id)).toBe(interval);
  });

  it("is polled by its feed until webhooks work and after they no longer do; nothing is told twice or lost", async () => {
    const { box, id, change } = await start({});
    await on.poll(id);
    const file = { type: "file", id: "7", etag: "1" };
    box.log("e1", "ITEM_RENAME", file);
    await on.poll(id);
    expect(await stored(on, id)).toHaveLength(1);
    box.log("e2", "ITEM_RENAME", file);
    await change(BOTH);
    expect(await scheduled(id)).toBeNull();
    // Saving it has woken that poll already; another that meets it comes back after it.
    await wake(id);
    await expect.poll(() => stored(on, id)).toHaveLength(2);
    later(60_000);
    box.log("e3", "ITEM_RENAME", file);
    const [sent] = box.deliveries("FILE.RENAMED", file, "k");
    const path = new URL(sent!.address).pathname.replace("/elements/api-v2", "");
    expect((await on.deliver(path, sent!.body, sent!.headers)).status).toBe(200);
    expect(await stored(on, id)).toHaveLength(3);
    later(60_000);
    await change({ "events.list.ids": null });
    expect(await scheduled(id)).toBe(15);
    later(60_000);
    box.log("e4", "ITEM_RENAME", file);
    await on.poll(id);
    expect(await told(on, id)).toEqual(["1", "2", "3", "4"].map(() => ["UPDATED", "files", "7"]));
  });
});
