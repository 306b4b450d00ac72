import { Signature } from "@hubspot/api-client";
import { WebhooksManager } from "box-node-sdk/managers";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import { verifySignature } from "../../src/values/signature/verify";
import { boxHeaders } from "../vendors/box";
import { hubspotHeaders } from "../vendors/hubspot";
import vectors from "../vendors/signature-vectors.json";
import { PUBLIC_URL } from "./setup";
import { sharedStack } from "./shared";
import type { Platform } from "./stack";

/** The vendors' own SDKs say what a valid signature is; ours must agree. */

const verify = (
  key: string,
  given: {
    url: string;
    body: string;
    headers: Record<string, string>;
    secret: string;
    secondary?: string;
  },
) =>
  verifySignature(
    findConnector(key)?.webhook?.signatures ?? [],
    {
      method: "POST",
      url: given.url,
      headers: new Headers(given.headers),
      body: new TextEncoder().encode(given.body),
    },
    { primary: given.secret, secondary: given.secondary ?? null, algorithm: null },
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

  it("agrees on whatever text is signed, with either key, fresh or stale", async () => {
    const body = fc.jsonValue().map((value) => JSON.stringify({ value }));
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.constantFrom("primary", "secondary"),
        fc.constantFrom(0, 30, 599, 602, 86_400),
        fc.boolean(),
        async (text, slot, ageSeconds, isChanged) => {
          const at = Date.now() - ageSeconds * 1000;
          const { "box-signature-primary": signature = "", ...rest } = boxHeaders(text, slot, at);
          const headers = { ...rest, [`box-signature-${slot}`]: signature };
          const sent = isChanged ? `${text} ` : text;
          const theirs = await WebhooksManager.validateMessage(sent, headers, "primary", {
            secondaryKey: "secondary",
            maxAge: 600,
          });
          const keys = { secret: "primary", secondary: "secondary" };
          const ours = verify("box", { url: "https://e.example/", body: sent, headers, ...keys });
          expect(ours).toBe(theirs ? "valid" : "refused");
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(vectors.box.cases)("agrees on the published vector $name", async (vector) => {
    vi.useFakeTimers({ now: Date.parse(vector.timestamp), toFake: ["Date"] });
    try {
      const headers = {
        ...vectors.box.headers,
        "box-delivery-timestamp": vector.timestamp,
        [`box-signature-${vector.keySlot}`]: vector.signature,
      };
      for (const key of [vector.key, "another"]) {
        const theirs = await WebhooksManager.validateMessage(vector.body, headers, key, {
          secondaryKey: key,
        });
        const keys = { secret: key, secondary: key };
        const given = { url: "https://e.example/", body: vector.body, headers, ...keys };
        expect(theirs).toBe(key === vector.key);
        expect(verify("box", given)).toBe(theirs ? "valid" : "refused");
      }
    } finally {
      vi.useRealTimers();
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
      });
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

describe("@hubspot/api-client, asked whether a request is HubSpot's", () => {
  it("agrees on whatever text is signed, fresh or stale", () => {
    const url = "https://e.example/hook?x=1";
    fc.assert(
      fc.property(
        fc.jsonValue().map((value) => JSON.stringify({ value })),
        fc.constantFrom(0, 299, 302, 86_400),
        fc.boolean(),
        (body, ageSeconds, isChanged) => {
          const at = Date.now() - ageSeconds * 1000;
          const headers = hubspotHeaders(body, { secret: "client-secret", url, at });
          const sent = isChanged ? `${body} ` : body;
          let theirs: boolean;
          try {
            theirs = Signature.isValid({
              requestBody: sent,
              clientSecret: "client-secret",
              url,
              method: "POST",
              timestamp: at,
              signature: headers["x-hubspot-signature-v3"] ?? "",
              signatureVersion: "v3",
            });
          } catch {
            theirs = false;
          }
          const ours = verify("hubspot", { url, body: sent, headers, secret: "client-secret" });
          expect(ours).toBe(theirs ? "valid" : "refused");
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a deployment", () => {
  let stack: Platform;
  beforeAll(async () => {
    stack = await sharedStack();
  });

  it("takes a webhook that HubSpot's own SDK signed, and shows it in the history", async () => {
    const { status, body: instance } = await stack.call("POST", "/elements/api-v2/instances", {
      element: { key: "hubspot" },
      configuration: {
        "event.vendor.type": "webhook",
        "hubspot.portal.id": "90210",
        "oauth.api.secret": "client-secret",
      },
    });
    expect(status).toBe(200);
    const path = "/elements/api-v2/events/hubspot";
    const url = PUBLIC_URL + path;
    const body = JSON.stringify([
      {
        eventId: 1,
        subscriptionId: 2,
        portalId: 90_210,
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
      fetch(stack.baseUrl + path, {
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
