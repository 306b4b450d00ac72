import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { platform, PUBLIC_URL, stored } from "../platform";
import { boxHeaders } from "../vendors/box";
import { concurEvent, concurHeaders } from "../vendors/concur";
import { dropboxNotification } from "../vendors/dropbox";
import { hubspotHeaders } from "../vendors/hubspot";
import { quickbooksHeaders } from "../vendors/quickbooks";
import { outboundMessage } from "../vendors/sfdc";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => void warn.mockClear());
const lines = () => warn.mock.calls.map(([line]) => JSON.parse(String(line)) as object);

const SECRET = "a-secret-that-no-line-may-show";
const [PAIR, FORGED] = [1, 2].map(() => generateKeyPairSync("rsa", { modulusLength: 2048 }));
const pemOf = (key: KeyObject | undefined) =>
  key?.export({ type: "spki", format: "pem" }).toString() ?? "";

type Signing = { body: string; url: string; at: number; isForged: boolean };
type Vendor = {
  key: string;
  /** The configuration key whose value names the tenant; absent: the vendor has no app-wide address. */
  tenantKey?: string;
  configuration: Record<string, string>;
  body: (tenant: string) => string;
  sign: (signing: Signing) => Record<string, string>;
  /** A signature that old is stale. */
  staleMs?: number;
  /** A delivery's token, in place of a signature. */
  isUnsigned?: true;
  /** Events of one delivery; a feed has none, as it is only woken. */
  events: number;
  /** What a delivery without its proof is called. */
  unsigned?: string;
};

const keyOf = (isForged: boolean) => (isForged ? "another-key" : SECRET);
const vendors: Vendor[] = [
  {
    key: "box",
    tenantKey: "box.webhook.ids",
    configuration: { "event.vendor.signature.key": SECRET },
    body: (tenant) =>
      JSON.stringify({
        id: `delivery-${tenant}`,
        trigger: "FILE.RENAMED",
        webhook: { id: tenant },
        source: { id: "7", type: "file" },
      }),
    sign: ({ body, at, isForged }) => boxHeaders(body, keyOf(isForged), at),
    staleMs: 601_000,
    events: 1,
  },
  {
    key: "concur",
    tenantKey: "concur.company.id",
    configuration: { "event.vendor.signature.key": pemOf(PAIR?.publicKey) },
    body: (tenant) => concurEvent("reportUpdated", "R1", tenant),
    sign: ({ body, isForged }) => {
      const pair = isForged ? FORGED : PAIR;
      if (pair === undefined) throw new Error("No key pair");
      return concurHeaders(body, pair.privateKey);
    },
    events: 1,
  },
  {
    key: "dropbox",
    tenantKey: "oauth.user.id",
    configuration: { "oauth.api.secret": SECRET },
    body: (tenant) => dropboxNotification([tenant], "").body,
    sign: ({ body, isForged }) => ({
      "x-dropbox-signature": createHmac("sha256", keyOf(isForged)).update(body).digest("hex"),
    }),
    events: 0,
  },
  {
    key: "hubspot",
    tenantKey: "hubspot.portal.id",
    configuration: { "oauth.api.secret": SECRET },
    body: (tenant) =>
      JSON.stringify([
        {
          eventId: 1,
          subscriptionId: 2,
          portalId: Number(tenant),
          occurredAt: 1705422467780,
          subscriptionType: "contact.creation",
          objectId: 1801,
        },
      ]),
    sign: ({ body, url, at, isForged }) =>
      hubspotHeaders(body, { secret: keyOf(isForged), url, at }),
    staleMs: 301_000,
    events: 1,
  },
  {
    key: "quickbooks",
    tenantKey: "quickbooks.realm.id",
    configuration: { "event.vendor.signature.key": SECRET },
    body: (tenant) =>
      JSON.stringify([
        {
          specversion: "1.0",
          id: "1",
          type: "qbo.account.created.v1",
          time: "2025-09-10T21:31:25.179851517Z",
          intuitaccountid: tenant,
          intuitentityid: "5",
        },
      ]),
    sign: ({ body, isForged }) => quickbooksHeaders(body, keyOf(isForged)),
    events: 1,
  },
  {
    key: "sfdc",
    tenantKey: "sfdc.organization.id",
    configuration: {},
    body: (tenant) =>
      outboundMessage("Case", [{ notification: "04l1", id: "500ak0000000001AAA" }], tenant),
    sign: () => ({}),
    isUnsigned: true,
    events: 1,
    unsigned: "wrong token",
  },
  {
    key: "github",
    configuration: { "event.vendor.signature.key": SECRET, "github.owner": "o" },
    body: () => JSON.stringify({ action: "opened", issue: { number: 7 } }),
    sign: ({ body, isForged }) => ({
      "x-github-event": "issues",
      "x-github-delivery": "delivery-1",
      "x-hub-signature-256": `sha256=${createHmac("sha256", keyOf(isForged)).update(body).digest("hex")}`,
    }),
    events: 1,
  },
];

let lastTenant = 910_000;

describe.each(vendors)("a delivery of $key", (vendor) => {
  /** An instance with a tenant of its own, and deliveries for it. */
  const start = async () => {
    const tenant = String((lastTenant += 1));
    const instance = await on.instance(vendor.key, {
      ...vendor.configuration,
      ...(vendor.tenantKey === undefined ? {} : { [vendor.tenantKey]: tenant }),
    });
    const own = `/events/${vendor.key}/${btoa(String(instance.id))}`;
    const token = instance.configuration["event.vendor.token"] ?? "";
    const send = async (
      change: Partial<Signing> & { path?: string; headers?: Record<string, string> } = {},
    ) => {
      const { path = vendor.tenantKey === undefined ? own : `/events/${vendor.key}` } = change;
      const body = change.body ?? vendor.body(tenant);
      const url = `${PUBLIC_URL}/elements/api-v2${path}`;
      const isForged = change.isForged ?? false;
      const headers =
        change.headers ?? vendor.sign({ body, url, at: Date.now(), ...change, isForged });
      const query = vendor.isUnsigned
        ? `?token=${isForged || change.headers ? "a-wrong-token" : token}`
        : "";
      const { status } = await on.deliver(`${path}${query}`, body, headers);
      return status;
    };
    const events = async () => (await stored(on, instance.id)).length;
    /** Exactly one line, which says this and holds nothing secret. */
    const said = (reason: string) => {
      expect(lines()).toEqual([
        expect.objectContaining({ at: "inbound", element: vendor.key, reason }),
      ]);
      const text = JSON.stringify(lines());
      for (const secret of [SECRET, "another-key", "PUBLIC KEY", token, "a-wrong-token"])
        if (secret !== "") expect(text).not.toContain(secret);
      for (const name of Object.keys(vendor.sign({ body: "", url: "", at: 0, isForged: false })))
        expect(text).not.toContain(name);
      expect(text).not.toContain("renamed");
    };
    return { instance, own, send, events, said };
  };

  it("is taken, and C-3 given a repeated delivery, then one event", async () => {
    const { send, events, said } = await start();
    expect(await send()).toBe(200);
    expect(lines()).toEqual([]);
    expect(await events()).toBe(vendor.events);
    expect(await send()).toBe(200);
    expect(await events()).toBe(vendor.events);
    if (vendor.events > 0) said("repeated");
  });

  it("is refused with 401 when it is signed with another key, and nothing is committed", async () => {
    const { send, events, own, said } = await start();
    expect(await send({ isForged: true })).toBe(401);
    said(vendor.unsigned ?? "wrong-signature");
    warn.mockClear();
    expect(await send({ isForged: true, path: own })).toBe(401);
    said(vendor.unsigned ?? "wrong-signature");
    expect(await events()).toBe(0);
  });

  it("C-1 given a key configured and no signature, then 401, and nothing is committed", async () => {
    const { send, events, said } = await start();
    expect(await send({ headers: {} })).toBe(401);
    said(vendor.unsigned ?? "unsigned");
    expect(await events()).toBe(0);
  });

  it("C-1 given a delivery, then raw bytes are verified before parsing: what is no message is unsigned first", async () => {
    const { send, own } = await start();
    expect(await send({ path: own, body: "{not a message", isForged: true })).toBe(401);
    expect(await send({ path: own, body: "{not a message" })).toBe(400);
  });

  it.runIf(vendor.staleMs !== undefined)(
    "is refused with 401 when its timestamp is stale, however well it is signed",
    async () => {
      const { send, events, said } = await start();
      expect(await send({ at: Date.now() - (vendor.staleMs ?? 0) })).toBe(401);
      said("stale");
      expect(await events()).toBe(0);
    },
  );

  it.runIf(vendor.tenantKey !== undefined)(
    "is answered with 200 and one line when nobody is its tenant",
    async () => {
      const { send, events, said } = await start();
      expect(await send({ body: vendor.body("900000") })).toBe(200);
      said("unrouted");
      expect(await events()).toBe(0);
    },
  );

  it("is answered with 404 when its own address names no instance", async () => {
    const { send } = await start();
    expect(await send({ path: `/events/${vendor.key}/${btoa("987654321")}` })).toBe(404);
  });
});

describe("the unsigned forms of Box's v1 webhooks", () => {
  const form = 'userId=["u-7"]&event=uploaded&itemId=73835521473&itemType=file&newItemId=';
  const headers = { "content-type": "application/x-www-form-urlencoded" };

  it.each([
    ["with a signature key", { "event.vendor.signature.key": SECRET }],
    ["without one", {}],
  ])(
    "are refused at every address of an instance %s, and nothing is committed",
    async (_, keys) => {
      const { id, configuration } = await on.instance("box", { "oauth.user.id": "u-7", ...keys });
      const own = `/events/box/${btoa(String(id))}`;
      const token = configuration["event.vendor.token"] ?? "a-token";
      for (const path of [own, `${own}?token=${token}`])
        expect((await on.deliver(path, form, headers)).status).toBe(401);
      for (const name of [{ id: String(id) }, { "element-instances": String(id) }])
        expect((await on.deliver("/events/box", form, { ...headers, ...name })).status).toBe(401);
      // The user's id routes nowhere: such a form is one of nobody's.
      expect((await on.deliver("/events/box", form, headers)).status).toBe(200);
      expect(await stored(on, id)).toEqual([]);
      expect(lines()).toContainEqual(expect.objectContaining({ instanceId: id }));
    },
  );
});
