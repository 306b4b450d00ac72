import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findConnector } from "../../../src/connectors/catalog";
import type { SignatureRule } from "../../../src/values/signature/rule";
import { escapedJson } from "../../../src/values/signature/escaped-json";
import { type Keys, verifySignature } from "../../../src/values/signature/verify";
import vectors from "../../vendors/signature-vectors.json";

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

const verify = (given: Given, body: Uint8Array = new TextEncoder().encode(given.body)) =>
  verifySignature(
    given.rules,
    { method: given.method, url: given.url, headers: new Headers(given.headers), body },
    given.keys,
    given.now,
  );

/** `text` with the character at `at` changed to another printable one. */
const flipped = (text: string, at: number, by: number): string => {
  const code = text.charCodeAt(at);
  const other = 33 + ((code - 33 + by) % 94);
  const next = String.fromCharCode(code < 33 || code > 126 ? 33 + by : other);
  return text.slice(0, at) + next + text.slice(at + 1);
};

/** Every delivery that differs from this one in one byte: of its body, of a header that counts, of its key. */
function* flips(given: Given, by: number): Generator<{ what: string; change: () => string }> {
  const bytes = new TextEncoder().encode(given.body);
  for (const at of bytes.keys())
    yield {
      what: `body ${at}`,
      change: () => {
        const body = Uint8Array.from(bytes);
        body[at] = (body[at] ?? 0) ^ by;
        return verify(given, body).kind;
      },
    };
  for (const name of given.signed) {
    const text = given.headers[name] ?? "";
    for (const at of Array.from(text).keys())
      yield {
        what: `${name} ${at}`,
        change: () =>
          verify({
            ...given,
            headers: { ...given.headers, [name]: flipped(text, at, 1 + (by % 93)) },
          }).kind,
      };
  }
  for (const slot of ["primary", "secondary"] as const)
    for (const { at, key } of otherKeys(given.keys[slot], by))
      yield {
        what: `${slot} key ${at}`,
        change: () => verify({ ...given, keys: { ...given.keys, [slot]: key } }).kind,
      };
}

/** Keys that differ in one byte; of an RSA key in one byte of its modulus, as its PEM has others that mean nothing. */
function* otherKeys(key: string | null, by: number): Generator<{ at: number; key: string }> {
  if (key === null) return;
  if (!key.startsWith("-----")) {
    for (const at of Array.from(key).keys()) yield { at, key: flipped(key, at, 1 + (by % 93)) };
    return;
  }
  const { n = "", ...jwk } = createPublicKey(key).export({ format: "jwk" });
  for (let at = 0; at < 256; at += 1) {
    const modulus = Buffer.from(n, "base64url");
    modulus[at] = (modulus[at] ?? 0) ^ by;
    const other = { ...jwk, n: modulus.toString("base64url") };
    const made = createPublicKey({ key: other, format: "jwk" });
    yield { at, key: made.export({ type: "spki", format: "pem" }).toString() };
  }
}

describe.each<[string, Given[]]>([
  [
    "BX-1 given each vector with a frozen clock, then valid; one byte, key or header changed, then 401",
    box,
  ],
  ["HS-1 given each vector (v3 with a frozen clock), then valid", hubspot],
  ["QB-1 given the vector, then valid", quickbooks],
  [
    'DB-2 given a hex signature over `{"list_folder": {"accounts": ["dbid:a"]}}` (spaces kept), then 200',
    [dropbox],
  ],
  ["CO-5 given a key of its own, then it passes", [concur]],
  ["C-1 given a delivery, then raw bytes are verified", [github]],
])("%s:", (_, cases) => {
  it.each(cases)("$name is valid", (given) => {
    expect(verify(given)).toEqual({ kind: "valid" });
  });

  it.each(cases)("$name is refused with any one byte of body, header or key changed", (given) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), (by) => {
        for (const { what, change } of flips(given, by)) expect(change(), what).toBe("refused");
      }),
      { numRuns: given === concur ? 1 : 4 },
    );
  });
});

describe("verifySignature", () => {
  it("BX-2 given wrong version or algorithm, or older than 600 s, then 401", () => {
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

  it("BX-2 given up to 60 s in the future, then accepted", () => {
    const [given] = box;
    if (given === undefined) throw new Error("No vector");
    expect(verify({ ...given, now: boxNow - 60_000 }).kind).toBe("valid");
    expect(verify({ ...given, now: boxNow - 60_001 })).toEqual({
      kind: "refused",
      reason: "stale",
    });
  });

  it("HS-1 given v3 too old, or bad v3 with valid v1, then 401", () => {
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

  it("HS-2 given `?x=a%3Ab`, then v3 over `?x=a:b` passes", () => {
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

  it("DB-2 given base64 or re-serialised, then 401", () => {
    const base64 = createHmac("sha256", "app-secret").update(dropboxBody).digest("base64");
    expect(verify({ ...dropbox, headers: { "x-dropbox-signature": base64 } }).kind).toBe("refused");
    const anew = JSON.stringify(JSON.parse(dropboxBody));
    expect(verify({ ...dropbox, body: anew }).kind).toBe("refused");
  });

  it("QB-1 given a re-serialised body or hex, then 401", () => {
    const [given] = quickbooks;
    if (given === undefined) throw new Error("No vector");
    const hex = Buffer.from(given.headers["intuit-signature"] ?? "", "base64").toString("hex");
    expect(verify({ ...given, headers: { "intuit-signature": hex } }).kind).toBe("refused");
    const spaced = JSON.stringify(JSON.parse(given.body), null, 1);
    expect(verify({ ...given, body: spaced }).kind).toBe("refused");
  });

  it("CO-5 given two keys, then either passes; none, then **401** (retried), never 400 (final)", () => {
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

  it.each(vectors.concur.publicKeys)(
    "CO-5 given a key that SAP published, then it is one to verify with, beside others",
    ({ spkiPem }) => {
      const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(spkiPem);
      expect([asymmetricKeyType, asymmetricKeyDetails?.modulusLength]).toEqual(["rsa", 2048]);
      expect(verify({ ...concur, keys: keysOf(spkiPem) })).toEqual({
        kind: "refused",
        reason: "wrong-signature",
      });
      expect(verify({ ...concur, keys: keysOf(spkiPem, publicPem) }).kind).toBe("valid");
    },
  );

  it("C-1 given a key configured and no signature, then 401", () => {
    for (const given of all)
      expect(verify({ ...given, headers: {} })).toEqual({ kind: "refused", reason: "unsigned" });
  });

  it("spells JSON as Box does, whatever text it is", () => {
    // The rule of the reference, in two replacements.
    const spelled = (text: string) =>
      text
        .replace(/\\[\s\S]|\//g, (found) => (found === "/" ? "\\/" : found))
        .replace(
          /[\u007f-\uffff]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
        );
    const fragment = fc.constantFrom("/", "\\", "\\/", "\\\\", "é", "😀", "\u007f", "a", '"');
    fc.assert(
      fc.property(fc.array(fragment), (fragments) => {
        const text = fragments.join("");
        const bytes = escapedJson(new TextEncoder().encode(text));
        expect(new TextDecoder().decode(bytes)).toBe(spelled(text));
      }),
      { numRuns: 500 },
    );
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
