import { Signature } from "@hubspot/api-client";
import { WebhooksManager } from "box-node-sdk/managers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import { verifySignature } from "../../src/inbound/verify";
import { boxHeaders } from "../vendors/box";
import { type Stack, startStack } from "./stack";

/** The vendors' own SDKs say what a valid signature is; ours must agree. */

const verify = (
  key: string,
  given: { url: string; body: string; headers: Record<string, string>; secret: string },
) =>
  verifySignature(
    findConnector(key)?.webhook?.signatures ?? [],
    {
      method: "POST",
      url: given.url,
      headers: new Headers(given.headers),
      body: new TextEncoder().encode(given.body),
    },
    { primary: given.secret, secondary: null, algorithm: null },
    Date.now(),
  ).kind;

const BODIES = [
  '{"a":1}',
  '{"name":"スクリーン/ショット"}',
  '{"url":"https:\\/\\/x\\/y","slash":"a/b"}',
  '{"emoji":"😀","control":"\\u007f"}',
];

describe("box-node-sdk", () => {
  it.each(BODIES)("agrees on %s, raw and changed", async (body) => {
    const headers = boxHeaders(body, "key", Date.now() - 5_000);
    for (const text of [body, `${body} `]) {
      const theirs = await WebhooksManager.validateMessage(text, headers, "key");
      const ours = verify("box", { url: "https://e.example/", body: text, headers, secret: "key" });
      expect(ours).toBe(theirs ? "valid" : "refused");
    }
  });
});

describe("@hubspot/api-client", () => {
  const secret = "client-secret";
  const url = "https://e.example/hook?x=1";

  it.each(BODIES)("agrees on %s in each version", (body) => {
    const timestamp = Date.now();
    const options = { requestBody: body, clientSecret: secret, url, method: "POST", timestamp };
    const sign = (version: string) =>
      Signature.getSignature("POST", version, {
        ...options,
        signature: "",
        signatureVersion: version,
      } as any);
    const v3 = {
      "x-hubspot-signature-v3": sign("v3"),
      "x-hubspot-request-timestamp": String(timestamp),
    };
    expect(verify("hubspot", { url, body, headers: v3, secret })).toBe("valid");
    for (const version of ["v1", "v2"]) {
      const headers = {
        "x-hubspot-signature": sign(version),
        "x-hubspot-signature-version": version,
      };
      expect(verify("hubspot", { url, body, headers, secret })).toBe("valid");
      expect(verify("hubspot", { url, body: `${body} `, headers, secret })).toBe("refused");
    }
  });
});

describe("a deployment", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.stop());

  it("takes a webhook that HubSpot's own SDK signed, and shows it in the history", async () => {
    const { status, body: instance } = await stack.call("POST", "/elements/api-v2/instances", {
      element: { key: "hubspot" },
      configuration: {
        "event.vendor.type": "webhook",
        "hubspot.portal.id": "62515",
        "oauth.api.secret": "client-secret",
      },
    });
    expect(status).toBe(200);
    const url = `${stack.baseUrl}/elements/api-v2/events/hubspot`;
    const body = JSON.stringify([
      {
        eventId: 1,
        subscriptionId: 2,
        portalId: 62515,
        occurredAt: Date.now(),
        subscriptionType: "contact.creation",
        objectId: 1801,
      },
    ]);
    const timestamp = Date.now();
    const signature = Signature.getSignature("POST", "v3", {
      requestBody: body,
      clientSecret: "client-secret",
      url,
      method: "POST",
      timestamp,
    } as any);
    const send = (text: string) =>
      fetch(url, {
        method: "POST",
        body: text,
        headers: {
          "x-hubspot-signature-v3": signature,
          "x-hubspot-request-timestamp": String(timestamp),
        },
      });
    expect((await send(`${body} `)).status).toBe(401);
    expect((await send(body)).status).toBe(200);
    const history = await stack.call("GET", `/elements/api-v2/instances/${instance.id}/events`);
    expect(JSON.stringify(history.body)).toContain("1801");
  });
});
