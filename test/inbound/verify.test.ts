import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findConnector } from "../../src/connectors/catalog";
import type { SignatureRule } from "../../src/connectors/webhook";
import { type Keys, verifySignature } from "../../src/inbound/verify";
import vectors from "../vendors/signature-vectors.json";

type Given = {
  name: string;
  rules: readonly SignatureRule[];
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  keys: Keys;
  /** The headers that the signature covers or is. */
  signed: string[];
  now: number;
};

const rulesOf = (key: string): readonly SignatureRule[] =>
  findConnector(key)?.webhook?.signatures ?? [];
const keysOf = (primary: string | null, secondary: string | null = null): Keys => ({
  primary,
  secondary,
  algorithm: null,
});

const boxNow = Date.parse("2020-01-01T00:00:00-07:00");
const box: Given[] = vectors.box.cases.map((one) => ({
  name: one.name,
  rules: rulesOf("box"),
  method: "POST",
  url: "https://example.com/",
  headers: {
    ...vectors.box.headers,
    "box-delivery-timestamp": one.timestamp,
    [`box-signature-${one.keySlot}`]: one.signature,
  },
  body: one.body,
  keys: one.keySlot === "primary" ? keysOf(one.key) : keysOf(null, one.key),
  signed: [
    ...Object.keys(vectors.box.headers),
    "box-delivery-timestamp",
    `box-signature-${one.keySlot}`,
  ],
  now: boxNow,
}));
const hubspot: Given[] = vectors.hubspot.cases.map((one) => {
  const isV3 = one.version === "v3";
  const headers: Record<string, string> = isV3
    ? {
        "x-hubspot-signature-v3": one.signature,
        "x-hubspot-request-timestamp": one.timestampMs ?? "",
      }
    : { "x-hubspot-signature": one.signature, "x-hubspot-signature-version": one.version };
  return {
    name: one.name,
    rules: rulesOf("hubspot"),
    method: one.method ?? "POST",
    url: one.uri ?? "https://www.example.com/webhook_uri",
    headers,
    body: one.body,
    keys: keysOf(one.clientSecret),
    signed: Object.keys(headers),
    now: Number(one.timestampMs ?? 0) + 1_000,
  };
});
const quickbooks: Given[] = vectors.quickbooks.cases.map((one) => ({
  name: one.name,
  rules: rulesOf("quickbooks"),
  method: "POST",
  url: "https://example.com/",
  headers: { "intuit-signature": one.signature },
  body: one.body,
  keys: keysOf(one.verifierToken),
  signed: ["intuit-signature"],
  now: 0,
}));
const dropboxBody = '{"list_folder": {"accounts": ["dbid:a"]}}';
const dropbox: Given = {
  name: "dropbox, made here",
  rules: rulesOf("dropbox"),
  method: "POST",
  url: "https://example.com/",
  headers: {
    "x-dropbox-signature": createHmac("sha256", "app-secret").update(dropboxBody).digest("hex"),
  },
  body: dropboxBody,
  keys: keysOf("app-secret"),
  signed: ["x-dropbox-signature"],
  now: 0,
};
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicPem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
const concurBody = '{"id":"e1","eventType":"reportCreated"}';
const concur: Given = {
  name: "concur, with a key pair of our own",
  rules: rulesOf("concur"),
  method: "POST",
  url: "https://example.com/",
  headers: {
    "concur-signature": sign("sha256", Buffer.from(concurBody), pair.privateKey).toString("base64"),
  },
  body: concurBody,
  keys: keysOf(publicPem),
  signed: ["concur-signature"],
  now: 0,
};
const githubBody = '{"action":"opened"}';
const github: Given = {
  name: "github, made here",
  rules: rulesOf("github"),
  method: "POST",
  url: "https://example.com/",
  headers: {
    "x-hub-signature-256": `sha256=${createHmac("sha256", "s").update(githubBody).digest("hex")}`,
  },
  body: githubBody,
  keys: keysOf("s"),
  signed: ["x-hub-signature-256"],
  now: 0,
};
const all = [...box, ...hubspot, ...quickbooks, dropbox, concur, github];

const verify = (given: Given) =>
  verifySignature(
    given.rules,
    {
      method: given.method,
      url: given.url,
      headers: new Headers(given.headers),
      body: new TextEncoder().encode(given.body),
    },
    given.keys,
    given.now,
  );

/** `text` with one byte changed to another printable one. */
const flipped = (text: string, at: number, by: number): string => {
  const index = at % text.length;
  const code = text.charCodeAt(index);
  const other = 33 + ((code - 33 + 1 + (by % 92)) % 93);
  const next = String.fromCharCode(code > 126 ? 65 : other);
  return text.slice(0, index) + (next === text[index] ? "~" : next) + text.slice(index + 1);
};

describe("verifySignature", () => {
  it.each(all)("BX-1, HS-1, QB-1, DB-2: $name is valid", (given) => {
    expect(verify(given)).toEqual({ kind: "valid" });
  });

  it.each(all)("refuses $name with any one byte of body, header or key changed", (given) => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(2), (at, by, what) => {
        const changed = { ...given };
        if (what === 0) changed.body = flipped(given.body, at, by);
        if (what === 1) {
          const name = given.signed[by % given.signed.length] ?? "";
          changed.headers = {
            ...given.headers,
            [name]: flipped(given.headers[name] ?? "", at, by),
          };
        }
        if (what === 2) {
          const { primary, secondary } = given.keys;
          // A PEM has letters that mean nothing; HMAC keys have none.
          if (primary?.startsWith("-----") === true) return;
          changed.keys = {
            ...given.keys,
            primary: primary === null ? null : flipped(primary, at, by),
            secondary: secondary === null ? null : flipped(secondary, at, by),
          };
        }
        expect(verify(changed).kind).toBe("refused");
      }),
      { numRuns: given === concur ? 60 : 200 },
    );
  });

  it("BX-2: refuses a wrong version or algorithm, and what is older than 600 s", () => {
    const [given] = box;
    if (given === undefined) throw new Error("No vector");
    const version = { ...given, headers: { ...given.headers, "box-signature-version": "2" } };
    const algorithm = {
      ...given,
      headers: { ...given.headers, "box-signature-algorithm": "HmacSHA1" },
    };
    expect(verify(version)).toEqual({ kind: "refused", reason: "unsigned" });
    expect(verify(algorithm)).toEqual({ kind: "refused", reason: "unsigned" });
    expect(verify({ ...given, now: boxNow + 600_000 }).kind).toBe("valid");
    expect(verify({ ...given, now: boxNow + 600_001 })).toEqual({
      kind: "refused",
      reason: "stale",
    });
  });

  it("BX-2: accepts what comes up to 60 s from the future", () => {
    const [given] = box;
    if (given === undefined) throw new Error("No vector");
    expect(verify({ ...given, now: boxNow - 60_000 }).kind).toBe("valid");
    expect(verify({ ...given, now: boxNow - 60_001 })).toEqual({
      kind: "refused",
      reason: "stale",
    });
  });

  it("HS-1: refuses a v3 that is too old, and a bad v3 beside a valid v1", () => {
    const v3 = hubspot.find(({ name }) => name.includes("v3"));
    const v1 = hubspot.find(({ name }) => name.includes("v1"));
    if (v3 === undefined || v1 === undefined) throw new Error("No vector");
    expect(verify({ ...v3, now: v3.now + 300_000 })).toEqual({ kind: "refused", reason: "stale" });
    const headers = {
      ...v1.headers,
      "x-hubspot-signature-v3": "AAAA",
      "x-hubspot-request-timestamp": String(v1.now),
    };
    expect(verify({ ...v1, headers }).kind).toBe("refused");
  });

  it("HS-2: passes a v3 over ?x=a:b when the address says ?x=a%3Ab", () => {
    const body = "[]";
    const timestamp = "1693657560000";
    const signature = createHmac("sha256", "s")
      .update(`POSThttps://example.com/e?x=a:b${body}${timestamp}`)
      .digest("base64");
    const given: Given = {
      name: "",
      rules: rulesOf("hubspot"),
      method: "POST",
      url: "https://example.com/e?x=a%3Ab",
      headers: { "x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": timestamp },
      body,
      keys: keysOf("s"),
      signed: [],
      now: Number(timestamp),
    };
    expect(verify(given).kind).toBe("valid");
    expect(verify({ ...given, url: "https://example.com/e?x=a%26b" }).kind).toBe("refused");
  });

  it("DB-2: refuses base64 in place of hex, and a body that was written anew", () => {
    const base64 = createHmac("sha256", "app-secret").update(dropboxBody).digest("base64");
    expect(verify({ ...dropbox, headers: { "x-dropbox-signature": base64 } }).kind).toBe("refused");
    const anew = JSON.stringify(JSON.parse(dropboxBody));
    expect(verify({ ...dropbox, body: anew }).kind).toBe("refused");
  });

  it("QB-1: refuses hex in place of base64, and a body that was written anew", () => {
    const [given] = quickbooks;
    if (given === undefined) throw new Error("No vector");
    const hex = Buffer.from(given.headers["intuit-signature"] ?? "", "base64").toString("hex");
    expect(verify({ ...given, headers: { "intuit-signature": hex } }).kind).toBe("refused");
    const spaced = JSON.stringify(JSON.parse(given.body), null, 1);
    expect(verify({ ...given, body: spaced }).kind).toBe("refused");
  });

  it("CO-5: passes either of two keys, and says that none is configured", () => {
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const otherPem = other.publicKey.export({ type: "spki", format: "pem" }).toString();
    expect(verify({ ...concur, keys: keysOf(otherPem, publicPem) }).kind).toBe("valid");
    expect(verify({ ...concur, keys: keysOf(otherPem) }).kind).toBe("refused");
    expect(verify({ ...concur, keys: keysOf(null) })).toEqual({
      kind: "refused",
      reason: "no-key",
    });
    const hmac = createHmac("sha256", "k").update(concurBody).digest("base64");
    const keys = { ...keysOf("k"), algorithm: "hmac-sha256" };
    expect(verify({ ...concur, headers: { "concur-signature": hmac }, keys }).kind).toBe("valid");
  });

  it("C-1: refuses a request without a signature when a key is configured", () => {
    for (const given of all)
      expect(verify({ ...given, headers: {} })).toEqual({ kind: "refused", reason: "unsigned" });
  });

  it("reads signatures and timestamps that stand as pairs in one header, as Stripe's do", () => {
    const rule: SignatureRule = {
      ...(rulesOf("quickbooks")[0] as SignatureRule),
      header: "stripe-signature",
      encoding: "hex",
      pairs: { signature: "v1", timestamp: "t" },
      content: "${timestamp}.${body}",
      timestamp: { unit: "s", maxAgeSeconds: 300, maxFutureSeconds: 60 },
    };
    const signature = createHmac("sha256", "whsec").update('1700000000.{"a":1}').digest("hex");
    const given: Given = {
      name: "",
      rules: [rule],
      method: "POST",
      url: "https://example.com/",
      headers: { "stripe-signature": `t=1700000000,v1=00,v1=${signature}` },
      body: '{"a":1}',
      keys: keysOf("whsec"),
      signed: [],
      now: 1_700_000_000_000,
    };
    expect(verify(given).kind).toBe("valid");
    expect(
      verify({ ...given, headers: { "stripe-signature": `t=1700000001,v1=${signature}` } }).kind,
    ).toBe("refused");
  });
});
