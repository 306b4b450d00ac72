import { generateKeyPairSync } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { boxEmulator } from "../vendors/box";
import { concurEvent, concurHeaders, startConcur } from "../vendors/concur";
import { dropboxEmulator, dropboxNotification } from "../vendors/dropbox";
import { CLIENT } from "../vendors/grants";
import { hubspotEmulator, hubspotHeaders, PORTAL } from "../vendors/hubspot";
import { quickbooksEmulator, quickbooksHeaders, REALM } from "../vendors/quickbooks";
import { serveVendor } from "../vendors/serve";
import type { Server } from "../vendors/server";
import { outboundMessage, sfdcEmulator } from "../vendors/sfdc";
import { connect, poll, type Polled, receive } from "./polled";
import { PUBLIC_URL } from "./setup";
import { sharedStack } from "./shared";
import type { Platform } from "./stack";

/**
 * The whole way, for each vendor: the user's consent, the code, the instance, a hub call, a change that is
 * polled or told by a webhook, and the signed callback at a receiver that checks it with none of our code.
 */

const CALLBACK = "https://app.example/cb";

let stack: Platform;
beforeAll(async () => {
  stack = await sharedStack();
});

/** A vendor's server, stopped with its test. */
async function running<T extends Server>(started: Promise<T>, work: (server: T) => Promise<void>) {
  const server = await started;
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

type App = { id: string; secret: string };

/** The user consents where the authorize URL leads; what the vendor sends back to the callback. */
async function consent(key: string, server: Server, app: App): Promise<Record<string, string>> {
  const query = new URLSearchParams({
    apiKey: app.id,
    apiSecret: app.secret,
    callbackUrl: CALLBACK,
    state: "state-1",
  });
  const path = `/elements/api-v2/elements/${key}/oauth/url?${query.toString()}`;
  const { body } = await stack.call("GET", path);
  expect(body).toMatchObject({ element: key });
  // The emulator stands where the vendor's own host would.
  const { pathname, search } = new URL(body.oauthUrl);
  const answer = await fetch(`${server.url}${pathname}${search}`, { redirect: "manual" });
  expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 302 });
  const back = new URL(answer.headers.get("location") ?? "");
  expect(back.origin + back.pathname).toBe(CALLBACK);
  expect(back.searchParams.get("state")).toBe("state-1");
  return Object.fromEntries(back.searchParams);
}

/** An instance made from a consent, which calls a receiver of its own. */
async function connected(
  key: string,
  server: Server,
  configuration: Record<string, unknown>,
  app: App = CLIENT,
): Promise<Polled & { configuration: Record<string, string> }> {
  const providerData = await consent(key, server, app);
  const made = await connect(stack, {
    element: { key },
    providerData,
    configuration: {
      "oauth.callback.url": CALLBACK,
      "oauth.api.key": app.id,
      "oauth.api.secret": app.secret,
      "base.url": server.url,
      "oauth.base.url": server.url,
      ...configuration,
    },
    name: `${key} of the whole way`,
  });
  const path = `/elements/api-v2/instances/${made.id}`;
  const { body } = await stack.call("GET", path);
  expect(body).toMatchObject({ valid: true, name: `${key} of the whole way` });
  return { ...made, configuration: body.configuration };
}

/** Calls a hub as the instance. */
async function hub({ token }: { token: string }, path: string): Promise<any> {
  const authorization = `User ${stack.local.userSecret}, Element ${token}`;
  const answer = await fetch(`${stack.baseUrl}/elements/api-v2/hubs${path}`, {
    headers: { authorization },
  });
  const body = await answer.json();
  expect({ status: answer.status, body }).toMatchObject({ status: 200 });
  return body;
}

/** Posts a vendor's delivery; `address` is what the vendor was told. */
async function deliver(
  address: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const answer = await fetch(address.replace(PUBLIC_URL, stack.baseUrl), {
    method: "POST",
    body,
    headers,
  });
  return { status: answer.status, text: await answer.text() };
}

const shared = (key: string) => `${PUBLIC_URL}/elements/api-v2/events/${key}`;
const own = (key: string, id: number) => `${shared(key)}/${btoa(String(id))}`;

it("box: a webhook made for a file tells its change", () =>
  running(serveVendor(boxEmulator()), async (box) => {
    const instance = await connected("box", box, {
      "event.vendor.type": "webhook",
      "event.vendor.signature.key": "box-key",
      "events.list.ids": "7",
    });
    expect(await hub(instance, "/documents/files/7")).toMatchObject({ id: "7", etag: "0" });
    expect(await hub(instance, "/documents/webhooks")).toHaveLength(1);
    const source = { id: "7", type: "file", etag: "1" };
    const [sent] = box.deliveries("FILE.RENAMED", source, "box-key");
    if (sent === undefined) throw new Error("Box has no webhook for the file");
    expect(sent.address).toBe(own("box", instance.id));
    const signature = sent.headers["box-signature-primary"] ?? "";
    const forged = signature.replace(/^./, (first) => (first === "A" ? "B" : "A"));
    const headers = { ...sent.headers, "box-signature-primary": forged };
    expect((await deliver(sent.address, sent.body, headers)).status).toBe(401);
    expect(await deliver(sent.address, sent.body, sent.headers)).toEqual({ status: 200, text: "" });
    expect(await receive(instance.receiver, 1)).toMatchObject([
      { objectType: "files", objectId: "7", eventType: "UPDATED", elementKey: "box" },
    ]);
    await instance.receiver.close();
  }));

it("concur: a changed report is polled, and told by the Event Subscription Service", () =>
  running(startConcur(), async (concur) => {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const app = { id: concur.clientId, secret: concur.clientSecret };
    const instance = await connected(
      "concur",
      concur,
      {
        "event.vendor.type": "polling,webhook",
        "concur.company.id": "company-1",
        "event.vendor.signature.key": pair.publicKey.export({ type: "spki", format: "pem" }),
      },
      app,
    );
    expect(await hub(instance, "/expense/reports")).toEqual([]);
    const created = Date.now();
    concur.addReport({ id: "R1", created, modified: created });
    expect(await poll(stack, instance.id)).toMatchObject({ created: 1 });
    const body = concurEvent("reportDeleted", "R1", "company-1");
    expect((await deliver(shared("concur"), body)).status).toBe(401);
    const headers = concurHeaders(body, pair.privateKey);
    expect((await deliver(shared("concur"), body, headers)).status).toBe(200);
    expect(await receive(instance.receiver, 2)).toMatchObject([
      { objectType: "reports", objectId: "R1", eventType: "CREATED" },
      { objectType: "reports", objectId: "R1", eventType: "DELETED" },
    ]);
    await instance.receiver.close();
  }));

it("dropbox: a webhook of the account has its feed read", () =>
  running(serveVendor(dropboxEmulator()), async (dropbox) => {
    dropbox.put("id:old", "/old.txt");
    const instance = await connected("dropbox", dropbox, { "event.vendor.type": "webhook" });
    expect(await hub(instance, "/documents/files")).toMatchObject([{ id: "id:old" }]);
    await stack.call("POST", `/v1/instances/${instance.id}/poll`);
    dropbox.put("id:new", "/new.txt");
    dropbox.remove("/old.txt");
    const { body, headers } = dropboxNotification(["dbid:AAH4"], CLIENT.secret);
    const anew = JSON.stringify(JSON.parse(body));
    expect((await deliver(shared("dropbox"), anew, headers)).status).toBe(401);
    expect((await deliver(shared("dropbox"), body, headers)).status).toBe(200);
    const events = await receive(instance.receiver, 2);
    expect(events.map(({ eventType, objectId }) => [eventType, objectId])).toEqual([
      ["CREATED", "id:new"],
      ["DELETED", "id:old"],
    ]);
    await instance.receiver.close();
  }));

it("sfdc: a challenged code, a polled contact and an outbound message", () =>
  running(serveVendor(sfdcEmulator()), async (sfdc) => {
    const instance = await connected("sfdc", sfdc, {
      "event.vendor.type": "polling,webhook",
      "event.objects": "Contact",
    });
    expect(await hub(instance, "/crm/contacts")).toEqual([]);
    sfdc.put("003ak00000IiFInAAN", Date.now() + 1_000);
    expect(await poll(stack, instance.id)).toMatchObject({ created: 1 });
    // The session ends without a word: the call after it gets a new one.
    sfdc.oauth.expire();
    expect(await hub(instance, "/crm/contacts")).toHaveLength(1);
    expect(sfdc.oauth.granted).toEqual(["authorization_code", "refresh_token"]);
    const rows = [{ notification: "04lak0000000001AAA", id: "500ak0000000001AAA" }];
    const message = outboundMessage("Case", rows);
    expect((await deliver(own("sfdc", instance.id), message)).status).toBe(401);
    const token = instance.configuration["event.vendor.token"];
    const answer = await deliver(`${own("sfdc", instance.id)}?token=${token}`, message);
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining("<Ack>true</Ack>") });
    // No poll of this instance sees cases: the message itself tells of one.
    expect(await receive(instance.receiver, 2)).toMatchObject([
      { objectType: "Contact", objectId: "003ak00000IiFInAAN", eventType: "CREATED" },
      { objectType: "Case", objectId: "500ak0000000001AAA", eventType: "UPDATED" },
    ]);
    await instance.receiver.close();
  }));

it("hubspot: a polled contact, and a deletion that only the webhook tells", () =>
  running(serveVendor(hubspotEmulator()), async (hubspot) => {
    const instance = await connected("hubspot", hubspot, {
      "event.vendor.type": "polling,webhook",
      "event.objects": "contacts",
    });
    expect(instance.configuration["hubspot.portal.id"]).toBe(String(PORTAL));
    expect(await hub(instance, "/crm/contacts")).toEqual([]);
    hubspot.put("contacts", "1801", Date.now() + 1_000);
    expect(await poll(stack, instance.id)).toMatchObject({ created: 1 });
    const item = {
      eventId: 1,
      subscriptionId: 2,
      portalId: PORTAL,
      occurredAt: Date.now(),
      subscriptionType: "contact.deletion",
      objectId: 1801,
      changeFlag: "DELETED",
    };
    const body = JSON.stringify([item]);
    const signing = { secret: CLIENT.secret, url: shared("hubspot") };
    const stale = hubspotHeaders(body, { ...signing, at: Date.now() - 301_000 });
    expect((await deliver(shared("hubspot"), body, stale)).status).toBe(401);
    const headers = hubspotHeaders(body, signing);
    expect((await deliver(shared("hubspot"), body, headers)).status).toBe(200);
    const events = await receive(instance.receiver, 2);
    expect(events.map(({ eventType, objectId }) => [eventType, objectId])).toEqual([
      ["CREATED", "1801"],
      ["DELETED", "1801"],
    ]);
    await instance.receiver.close();
  }));

it("quickbooks: the realm of the redirect, one request for all entities, and a webhook", () =>
  running(serveVendor(quickbooksEmulator()), async (quickbooks) => {
    const instance = await connected("quickbooks", quickbooks, {
      "event.vendor.type": "polling",
      "event.objects": "customers",
      "event.vendor.signature.key": "verifier-token",
    });
    expect(instance.configuration["quickbooks.realm.id"]).toBe(REALM);
    expect(await hub(instance, "/finance/customers")).toEqual([]);
    await stack.call("POST", `/v1/instances/${instance.id}/poll`);
    quickbooks.put("Customer", "63", Date.now() + 1_000);
    await stack.call("POST", `/v1/instances/${instance.id}/poll`);
    await stack.call("PATCH", `/elements/api-v2/instances/${instance.id}`, {
      configuration: { "event.vendor.type": "webhook" },
    });
    const body = JSON.stringify([
      {
        specversion: "1.0",
        id: "a1",
        source: "intuit.dsn",
        type: "qbo.customer.merged.v1",
        time: new Date().toISOString(),
        intuitentityid: "63",
        intuitaccountid: REALM,
        data: { deletedid: "27" },
      },
    ]);
    const headers = quickbooksHeaders(body, "verifier-token");
    expect((await deliver(shared("quickbooks"), `${body} `, headers)).status).toBe(401);
    expect((await deliver(shared("quickbooks"), body, headers)).status).toBe(200);
    const events = await receive(instance.receiver, 3);
    expect(events.map(({ eventType, objectId }) => `${eventType} ${objectId}`).toSorted()).toEqual([
      "CREATED 63",
      "DELETED 27",
      "UPDATED 63",
    ]);
    await instance.receiver.close();
  }));
