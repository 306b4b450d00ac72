import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import { touchedState } from "../../src/instances/touched";
import { polledResources } from "../../src/polling/settings";
import { touchedResources } from "../../src/polling/touched";
import { emulate, platform, stored, VENDOR } from "../platform";
import { CLIENT, CODE } from "../vendors/grants";
import { hubspotEmulator } from "../vendors/hubspot";
import { consume, keepingQueue } from "./build";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const connectorOf = (key: string) => {
  const connector = findConnector(key);
  if (connector === undefined) throw new Error(`No connector '${key}'`);
  return connector;
};

describe("what a webhook touched", () => {
  it.each([
    ["hubspot", ["contacts"], ["contacts"]],
    ["hubspot", ["companies"], ["accounts"]],
    ["hubspotcrm", ["deals", "contacts"], ["contacts", "opportunities"]],
    ["hubspot", ["tickets"], []],
    ["hubspot", ["products"], ["accounts", "contacts", "deals"]],
    ["quickbooks", ["Invoice"], ["invoices"]],
    ["sfdc", ["Contact"], ["Contact"]],
    ["github", ["issues"], ["issues"]],
  ])("of %s as %j is polled as %j", (key, types, expected) => {
    const connector = connectorOf(key);
    const settings = polledResources({ connector, configuration: {} });
    if (!settings.ok) throw new Error(settings.message);
    const keys = touchedState(connector, types, 1).map((one) => one.key);
    const found = touchedResources(connector, settings.resources, keys);
    expect(found.map(({ resource }) => resource)).toEqual(expected);
  });

  it("is not noted where one feed tells of everything", () => {
    expect(touchedState(connectorOf("box"), ["files"], 1)).toEqual([]);
    expect(touchedState(connectorOf("dropbox"), ["files"], 1)).toEqual([]);
  });
});

describe("a webhook's wake", () => {
  const connect = async () => {
    const hubspot = hubspotEmulator();
    const { paths } = emulate(hubspot.answer);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { body } = await on.call("POST", "/instances", {
      element: { key: "hubspot" },
      providerData: { code: CODE },
      configuration: {
        "oauth.api.key": CLIENT.id,
        "oauth.api.secret": CLIENT.secret,
        "base.url": VENDOR,
        "oauth.base.url": VENDOR,
        "event.poller.refresh_interval": "1440",
        "event.vendor.type": "polling,webhook",
        "event.poller.since": new Date(Date.now() - 60_000).toISOString(),
      },
    });
    // The test is the polls queue.
    await runInDurableObject(on.streamOf(body.id), (object) => {
      Reflect.set(object, "env", { ...env, POLLS: keepingQueue().queue });
    });
    const searches = () => paths.splice(0).filter((path) => path.endsWith("/search"));
    return { hubspot, searches, id: body.id as number };
  };
  const deliver = async (id: number, subscriptionType: string, objectId: number) => {
    const item = { eventId: objectId, subscriptionId: 1, portalId: 62515, subscriptionType };
    const body = JSON.stringify([{ ...item, objectId, occurredAt: Date.now() }]);
    const path = `/events/hubspot/${btoa(String(id))}`;
    const timestamp = String(Date.now());
    const signature = createHmac("sha256", CLIENT.secret)
      .update(`POSThttps://events.example.com/elements/api-v2${path}${body}${timestamp}`)
      .digest("base64");
    const answer = await on.deliver(path, body, {
      "x-hubspot-signature-v3": signature,
      "x-hubspot-request-timestamp": timestamp,
    });
    expect(answer.status).toBe(200);
  };
  const touched = (id: number) => on.streamOf(id).readStatePage("touched|", "", 10);

  it("polls the touched resource only, and forgets it when that went well", async () => {
    const { hubspot, searches, id } = await connect();
    hubspot.put("contacts", "1", Date.now());
    hubspot.put("deals", "2", Date.now());
    await deliver(id, "contact.creation", 1);
    await consume("tributary-polls", [{ ids: [id], wake: true }]);
    expect(searches()).toEqual(["POST /crm/v3/objects/contacts/search"]);
    expect(await touched(id)).toEqual([]);
    expect(await stored(on, id)).toMatchObject([{ objectType: "contacts", objectId: "1" }]);
  });

  it("polls all that a burst of webhooks touched, though they share one wake", async () => {
    const { searches, id } = await connect();
    await deliver(id, "contact.creation", 1);
    await deliver(id, "deal.creation", 2);
    await consume("tributary-polls", [{ ids: [id], wake: true }]);
    expect(searches()).toEqual([
      "POST /crm/v3/objects/contacts/search",
      "POST /crm/v3/objects/deals/search",
    ]);
  });

  it("whose poll failed is looked at again by the next one", async () => {
    const { hubspot, searches, id } = await connect();
    await deliver(id, "contact.creation", 1);
    emulate(() => ({ status: 500 }));
    await consume("tributary-polls", [{ ids: [id], wake: true }]);
    expect(await touched(id)).toHaveLength(1);
    const { paths } = emulate(hubspot.answer);
    await deliver(id, "deal.creation", 2);
    await consume("tributary-polls", [{ ids: [id], wake: true }]);
    expect(paths.filter((path) => path.endsWith("/search"))).toHaveLength(2);
    expect(searches()).toEqual([]);
  });

  it("the schedule's poll reconciles all resources, and a wake without a word polls all", async () => {
    const { searches, id } = await connect();
    await consume("tributary-polls", [{ ids: [id] }]);
    expect(searches()).toHaveLength(3);
    await consume("tributary-polls", [{ ids: [id], wake: true }]);
    expect(searches()).toHaveLength(3);
  });
});
