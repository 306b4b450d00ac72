import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { platform, stored } from "../platform";

let it0: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  it0 = await platform();
});
const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => void warn.mockClear());
const reasons = () => warn.mock.calls.map(([line]) => (JSON.parse(String(line)) as any).reason);

const own = (key: string, id: number) => `/events/${key}/${btoa(String(id))}`;
const hubspotSigned = (body: string, secret: string, url: string) => {
  const timestamp = String(Date.now());
  const signature = createHmac("sha256", secret)
    .update(`POST${url}${body}${timestamp}`)
    .digest("base64");
  return { "x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": timestamp };
};
const HUBSPOT_URL = "https://events.example.com/elements/api-v2/events/hubspot";
const hubspotItem = (portalId: number, objectId: number, change: object = {}) => ({
  eventId: objectId,
  subscriptionId: 1,
  portalId,
  occurredAt: 1705422467780,
  subscriptionType: "contact.creation",
  objectId,
  ...change,
});

describe("an app-wide address", () => {
  it("HS-3 given the batch above, then split by `portalId`, none lost: nobody sees what is another's", async () => {
    const secret = "app-secret-1";
    const one = await it0.instance("hubspot", {
      "hubspot.portal.id": "11",
      "oauth.api.secret": secret,
    });
    const two = await it0.instance("hubspotcrm", {
      "hubspot.portal.id": "12",
      "oauth.api.secret": secret,
    });
    const thief = await it0.instance("hubspot", {
      "hubspot.portal.id": "11",
      "oauth.api.secret": "other",
    });
    const body = JSON.stringify([hubspotItem(11, 1), hubspotItem(12, 2), hubspotItem(11, 3)]);
    const answer = await it0.deliver(
      "/events/hubspot",
      body,
      hubspotSigned(body, secret, HUBSPOT_URL),
    );
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("");
    expect((await stored(it0, one.id)).map(({ objectId }) => objectId)).toEqual(["1", "3"]);
    expect((await stored(it0, two.id)).map(({ objectId }) => objectId)).toEqual(["2"]);
    expect(await stored(it0, thief.id)).toEqual([]);
    const text = await it0.streamOf(two.id).notificationBody(1);
    expect(text).not.toContain('"portalId":11');
    expect(JSON.parse(text ?? "").message.raw).toEqual([hubspotItem(12, 2)]);
  });

  it("CO-6 given an unknown companyId, then 2xx and logged as unrouted", async () => {
    const answer = await it0.deliver(
      "/events/concur",
      JSON.stringify({ facts: { companyId: "nobody" } }),
    );
    expect(answer.status).toBe(200);
    expect(reasons()).toEqual(["unrouted"]);
  });

  it("refuses what no instance of the tenant can prove, in one line without secrets", async () => {
    const { id } = await it0.instance("quickbooks", {
      "quickbooks.realm.id": "777",
      "event.vendor.signature.key": "a-verifier-token",
    });
    const body = JSON.stringify([
      {
        specversion: "1.0",
        id: "1",
        type: "qbo.account.created.v1",
        intuitaccountid: "777",
        intuitentityid: "1",
      },
    ]);
    for (const headers of [{}, { "intuit-signature": "bad" }] as Record<string, string>[])
      expect((await it0.deliver("/events/quickbooks", body, headers)).status).toBe(401);
    expect(reasons()).toEqual(["unsigned", "wrong-signature"]);
    expect(JSON.stringify(warn.mock.calls)).not.toContain("a-verifier-token");
    expect(await stored(it0, id)).toEqual([]);
  });

  it("fans out to the instances that a header names, only where the signature fits", async () => {
    const one = await it0.instance("quickbooks", { "event.vendor.signature.key": "k1" });
    const two = await it0.instance("quickbooks", { "event.vendor.signature.key": "k2" });
    const body = JSON.stringify([
      {
        specversion: "1.0",
        id: "1",
        type: "qbo.account.created.v1",
        time: "2025-09-10T21:31:25Z",
        intuitaccountid: "1",
        intuitentityid: "5",
      },
    ]);
    const signature = createHmac("sha256", "k1").update(body).digest("base64");
    const headers = { "intuit-signature": signature, "Element-Instances": `${one.id},${two.id}` };
    expect((await it0.deliver("/events/quickbooks", body, headers)).status).toBe(200);
    expect(await stored(it0, one.id)).toHaveLength(1);
    expect(await stored(it0, two.id)).toHaveLength(0);
  });

  it("forgets the tenant of an instance that is deleted or named anew", async () => {
    const secret = "app-secret-2";
    const { id } = await it0.instance("hubspot", {
      "hubspot.portal.id": "31",
      "oauth.api.secret": secret,
    });
    await it0.call("PATCH", `/instances/${id}`, { configuration: { "hubspot.portal.id": "32" } });
    const send = async (portal: number) => {
      const body = JSON.stringify([hubspotItem(portal, 1)]);
      await it0.deliver("/events/hubspot", body, hubspotSigned(body, secret, HUBSPOT_URL));
      return stored(it0, id);
    };
    expect(await send(31)).toHaveLength(0);
    expect(await send(32)).toHaveLength(1);
    await it0.call("DELETE", `/instances/${id}`);
    await send(32);
    expect(reasons()).toEqual(["unrouted", "unrouted"]);
  });
});

describe("an instance's own address", () => {
  const boxBody = (id: string) =>
    JSON.stringify({
      id,
      trigger: "FILE.RENAMED",
      created_at: "2020-01-01T00:00:00Z",
      webhook: { id: "1" },
      source: { id: "7", type: "file", etag: "1", name: "naïve/ключ" },
    });
  const boxSigned = (body: string, key: string, at = Date.now()) => {
    const timestamp = new Date(at).toISOString();
    return {
      "box-delivery-timestamp": timestamp,
      "box-signature-version": "1",
      "box-signature-algorithm": "HmacSHA256",
      "box-signature-primary": createHmac("sha256", key)
        .update(body + timestamp)
        .digest("base64"),
    };
  };

  it("C-3 given a repeated delivery, then one event, committed before the answer", async () => {
    const { id } = await it0.instance("box", { "event.vendor.signature.key": "k" });
    const body = boxBody("one");
    for (let times = 0; times < 2; times += 1)
      expect((await it0.deliver(own("box", id), body, boxSigned(body, "k"))).status).toBe(200);
    const [event, ...others] = await stored(it0, id);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ objectType: "files", objectId: "7", eventType: "UPDATED" });
    expect(reasons()).toEqual(["repeated"]);
    const notification = JSON.parse((await it0.streamOf(id).notificationBody(1)) ?? "");
    expect(notification.message.raw).toEqual(JSON.parse(body));
    expect(notification.message.events).toEqual([
      {
        date: "2020-01-01T00:00:00Z",
        elementKey: "box",
        eventType: "UPDATED",
        objectId: "7",
        objectType: "files",
      },
    ]);
  });

  it("refuses a stale timestamp and commits nothing", async () => {
    const { id } = await it0.instance("box", { "event.vendor.signature.key": "k" });
    const body = boxBody("two");
    const headers = boxSigned(body, "k", Date.now() - 700_000);
    expect((await it0.deliver(own("box", id), body, headers)).status).toBe(401);
    expect(reasons()).toEqual(["stale"]);
    expect(await stored(it0, id)).toEqual([]);
  });

  it("refuses a box webhook when no key is configured", async () => {
    const { id } = await it0.instance("box", {});
    const body = boxBody("three");
    expect((await it0.deliver(own("box", id), body, boxSigned(body, "k"))).status).toBe(401);
    expect(reasons()).toEqual(["no-key"]);
  });

  it("BX-4 given `NO_ACTIVE_SESSION`, then the instance needs re-authorization", async () => {
    const { id } = await it0.instance("box", {
      "event.vendor.signature.key": "k",
      "oauth.user.token": "t",
    });
    const body = JSON.stringify({
      id: "1",
      trigger: "NO_ACTIVE_SESSION",
      webhook: { id: "1" },
      source: {},
    });
    expect((await it0.deliver(own("box", id), body, boxSigned(body, "k"))).status).toBe(200);
    const { body: instance } = await it0.call("GET", `/instances/${id}`);
    expect(instance).toMatchObject({
      valid: false,
      invalidReason: expect.stringContaining("session"),
    });
    expect(await stored(it0, id)).toEqual([]);
  });

  it("answers 404 for an instance that is not there, or of another element", async () => {
    const { id } = await it0.instance("box", {});
    expect((await it0.deliver(own("box", 987654), "{}")).status).toBe(404);
    expect((await it0.deliver(own("dropbox", id), "{}")).status).toBe(404);
    expect((await it0.deliver("/events/box/%20", "{}")).status).toBe(404);
    expect((await it0.deliver("/events/nothing", "{}")).status).toBe(404);
  });

  it("cuts 100 objects into notifications of at most 20, each with the whole body", async () => {
    const secret = "app-secret-3";
    const { id } = await it0.instance("hubspot", { "oauth.api.secret": secret });
    const body = JSON.stringify(
      Array.from({ length: 100 }, (_, index) => hubspotItem(1, index + 1)),
    );
    const path = own("hubspot", id);
    const url = `https://events.example.com/elements/api-v2${path}`;
    const before = await it0.streamOf(id).meter();
    expect((await it0.deliver(path, body, hubspotSigned(body, secret, url))).status).toBe(200);
    const meter = await it0.streamOf(id).meter();
    expect(meter.requests - before.requests).toBe(1);
    expect((meter.rowsWritten - before.rowsWritten) / 100).toBeLessThanOrEqual(1.5);
    const views = await it0
      .streamOf(id)
      .notifications({ before: null, limit: 10, withEvents: true });
    expect(views.map(({ events }) => events.length)).toEqual([20, 20, 20, 20, 20]);
    for (const { notification } of views) {
      const text = (await it0.streamOf(id).notificationBody(notification.seq)) ?? "";
      expect(text).toContain(`"raw":${body}`);
    }
  });

  it("drops what an instance that only polls is sent", async () => {
    const { id } = await it0.instance("hubspot", {
      "oauth.api.secret": "s",
      "event.vendor.type": "polling",
    });
    const body = JSON.stringify([hubspotItem(1, 1)]);
    const path = own("hubspot", id);
    const headers = hubspotSigned(body, "s", `https://events.example.com/elements/api-v2${path}`);
    expect((await it0.deliver(path, body, headers)).status).toBe(200);
    expect(reasons()).toEqual(["it is only polled"]);
    expect(await stored(it0, id)).toEqual([]);
  });
});

describe("dropbox", () => {
  it("DB-1 given `?challenge=x`, then `x` and both headers; none, then 400", async () => {
    const answer = await it0.deliver("/events/dropbox?challenge=abc123", undefined);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("abc123");
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await it0.deliver("/events/dropbox", undefined)).status).toBe(400);
  });

  it("DB-2 given a body written anew, then 401", async () => {
    const instances = [];
    for (const account of ["dbid:a", "dbid:a", "dbid:a", "dbid:b"])
      instances.push(
        await it0.instance("dropbox", { "oauth.user.id": account, "oauth.api.secret": "app" }),
      );
    const body = '{"list_folder": {"accounts": ["dbid:a"]}}';
    const signature = createHmac("sha256", "app").update(body).digest("hex");
    const headers = { "x-dropbox-signature": signature };
    for (let times = 0; times < 3; times += 1)
      expect((await it0.deliver("/events/dropbox", body, headers)).status).toBe(200);
    expect(
      (await it0.deliver("/events/dropbox", JSON.stringify(JSON.parse(body)), headers)).status,
    ).toBe(401);
  });
});

describe("sfdc, which doesn't sign", () => {
  const message = (organization: string) =>
    `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>${organization}</OrganizationId><Notification><Id>04lak0000000001AAA</Id><sObject xsi:type="sf:Case" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>500ak0000000001AAA</sf:Id></sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>`;

  it("is refused without its token, and shows the token in its configuration", async () => {
    const { id, configuration } = await it0.instance("sfdc", {});
    expect(configuration["event.vendor.token"]).toMatch(/^[\w-]{32}$/);
    expect((await it0.deliver(own("sfdc", id), message("00D"))).status).toBe(401);
    expect((await it0.deliver(`${own("sfdc", id)}?token=wrong`, message("00D"))).status).toBe(401);
    expect(await stored(it0, id)).toEqual([]);
  });

  it("SF-1 given a repeated Notification `Id`, then Ack only; wrong OrganizationId, then no Ack", async () => {
    const { id, configuration } = await it0.instance("sfdc", {
      "sfdc.organization.id": "00Dak000000abcdEAA",
    });
    const path = `${own("sfdc", id)}?token=${configuration["event.vendor.token"]}`;
    for (let times = 0; times < 2; times += 1) {
      const answer = await it0.deliver(path, message("00Dak000000abcdEAA"));
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/xml");
      expect(await answer.text()).toContain("<Ack>true</Ack>");
    }
    expect(await stored(it0, id)).toHaveLength(1);
    const other = await it0.deliver(path, message("00Dother"));
    expect(await other.text()).not.toContain("Ack");
    expect(await stored(it0, id)).toHaveLength(1);
  });

  it("SF-2 given a DOCTYPE or entity, then 400, nothing expanded, nothing committed", async () => {
    const { id, configuration } = await it0.instance("sfdc", {});
    const path = `${own("sfdc", id)}?token=${configuration["event.vendor.token"]}`;
    expect((await it0.deliver(path, `<!DOCTYPE x>${message("00D")}`)).status).toBe(400);
    expect(await stored(it0, id)).toEqual([]);
  });
});

describe("whatever it is sent", () => {
  it("answers a body that is neither JSON nor XML with 400, and one above 8 MB with 429", async () => {
    const { id, configuration } = await it0.instance("sfdc", {});
    const path = `${own("sfdc", id)}?token=${configuration["event.vendor.token"]}`;
    expect((await it0.deliver(path, "not json")).status).toBe(400);
    expect((await it0.deliver(path, "x".repeat(8 * 1024 * 1024 + 1))).status).toBe(429);
  });

  it("checks and reads a body of 1 MB in well under a second", async () => {
    const { id } = await it0.instance("hubspot", { "oauth.api.secret": "s" });
    const body = JSON.stringify([hubspotItem(1, 1, { propertyValue: "x".repeat(1_000_000) })]);
    const path = own("hubspot", id);
    const headers = hubspotSigned(body, "s", `https://events.example.com/elements/api-v2${path}`);
    expect((await it0.deliver(path, body, headers)).status).toBe(200);
    expect(await stored(it0, id)).toHaveLength(1);
  });
});
