import { createHmac, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { signaturesSchema } from "../../src/values/signature/rule";
import { publicKeyOf, standardHeaders } from "../../src/delivery/signature";
import { verifySignature } from "../../src/values/signature/verify";
import { platform, stored } from "../platform";
import { described } from "./described";

const NOW = 1_700_000_000_000;
const BODY = '{"action":"opened","issue":{"number":"7"}}';
const SECRET = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("fedcba9876543210fedcba9876543210").toString("base64")}`;
const SEED = `whsk_${Buffer.from("an-ed25519-seed-of-32-bytes-here").toString("base64")}`;
const PUBLIC = publicKeyOf(SEED);
const signers = {
  v1: { algorithm: "v1", secret: SECRET },
  other: { algorithm: "v1", secret: OTHER },
  v1a: { algorithm: "v1a", secret: SEED },
} as const;

const standard = signaturesSchema.parse([{ scheme: "standard-webhooks" }]);
const verdict = (
  headers: Record<string, string>,
  primary: string,
  change: { body?: string; rules?: unknown[]; secondary?: string } = {},
) => {
  const rules = change.rules === undefined ? standard : signaturesSchema.parse(change.rules);
  const request = {
    method: "POST",
    url: "https://events.example.com/",
    headers: new Headers(headers),
    body: new TextEncoder().encode(change.body ?? BODY),
  };
  const keys = { primary, secondary: change.secondary ?? null, algorithm: null };
  const told = verifySignature(rules, request, keys, NOW);
  return told.kind === "valid" ? "valid" : told.reason;
};
const sent = (at = NOW, ...by: (typeof signers)[keyof typeof signers][]) =>
  standardHeaders("msg_1", at, BODY, by.length === 0 ? [signers.v1] : by);

describe("Standard Webhooks, as a scheme", () => {
  it.each<[string, Record<string, string>, string, string]>([
    ["v1", sent(), SECRET, "valid"],
    ["v1, key without its prefix", sent(), SECRET.slice(6), "valid"],
    ["v1a", sent(NOW, signers.v1a), PUBLIC, "valid"],
    ["several signatures, the second fits", sent(NOW, signers.other, signers.v1), SECRET, "valid"],
    ["v1 and v1a, by the public key", sent(NOW, signers.v1, signers.v1a), PUBLIC, "valid"],
    ["v1 and v1a, by the secret", sent(NOW, signers.v1a, signers.v1), SECRET, "valid"],
    ["another key", sent(), OTHER, "wrong-signature"],
    ["299 seconds old", sent(NOW - 299_000), SECRET, "valid"],
    ["301 seconds old", sent(NOW - 301_000), SECRET, "stale"],
    ["301 seconds early", sent(NOW + 301_000), SECRET, "stale"],
    ["another id", { ...sent(), "webhook-id": "msg_2" }, SECRET, "wrong-signature"],
    [
      "another time",
      { ...sent(), "webhook-timestamp": String(NOW / 1000 - 1) },
      SECRET,
      "wrong-signature",
    ],
    ["no time", { ...sent(), "webhook-timestamp": "" }, SECRET, "stale"],
    ["a time that is none", { ...sent(), "webhook-timestamp": "soon" }, SECRET, "stale"],
    [
      "no signature",
      { "webhook-id": "msg_1", "webhook-timestamp": String(NOW / 1000) },
      SECRET,
      "unsigned",
    ],
    [
      "an unknown version",
      { ...sent(), "webhook-signature": sent()["webhook-signature"]!.replace("v1,", "v2,") },
      SECRET,
      "wrong-signature",
    ],
    [
      "too many signatures before it",
      { ...sent(), "webhook-signature": `${"v1,x ".repeat(10)}${sent()["webhook-signature"]}` },
      SECRET,
      "wrong-signature",
    ],
  ])("%s", (_, headers, key, expected) => {
    expect(verdict(headers, key)).toBe(expected);
  });

  it("takes no public key for a secret, with which everybody could sign", () => {
    const forged = createHmac("sha256", Buffer.from(PUBLIC.slice(5), "base64"))
      .update(`msg_1.${NOW / 1000}.${BODY}`)
      .digest("base64");
    const headers = { ...sent(), "webhook-signature": `v1,${forged}` };
    expect(verdict(headers, PUBLIC)).toBe("wrong-signature");
    expect(verdict({ ...headers, "webhook-signature": `v1a,${forged}` }, PUBLIC)).toBe(
      "wrong-signature",
    );
  });

  it("finds either of two keys, and another body never", () => {
    expect(verdict(sent(), OTHER, { secondary: SECRET })).toBe("valid");
    expect(verdict(sent(), SECRET, { body: `${BODY} ` })).toBe("wrong-signature");
  });
});

describe("a rule of a definition", () => {
  const hmac = (key: string | Buffer, content: string) =>
    createHmac("sha256", key).update(content).digest("hex");
  const secret = Buffer.from("0123456789abcdef");
  it.each<[string, object, string, string]>([
    ["a key as text", {}, "text-key", hmac("text-key", BODY)],
    ["a key in base64", { keyFormat: "base64" }, secret.toString("base64"), hmac(secret, BODY)],
    ["a key in hex", { keyFormat: "hex" }, secret.toString("hex"), hmac(secret, BODY)],
    [
      "a key as whsec_",
      { keyFormat: "whsec" },
      `whsec_${secret.toString("base64")}`,
      hmac(secret, BODY),
    ],
    [
      "a header in what is signed",
      { content: "${header:x-id}:${body}" },
      "k",
      hmac("k", `id-1:${BODY}`),
    ],
    [
      "several, separated by commas",
      { separator: ",", prefix: "sha=" },
      "k",
      `other, sha=00, sha=${hmac("k", BODY)}`,
    ],
  ])("takes %s", (_, rule, key, signature) => {
    const rules = [{ header: "x-sig", encoding: "hex", ...rule }];
    expect(verdict({ "x-sig": signature, "x-id": "id-1" }, key, { rules })).toBe("valid");
    expect(verdict({ "x-sig": signature, "x-id": "id-1" }, key, { rules, body: "{}" })).toBe(
      "wrong-signature",
    );
  });

  it("takes ed25519 as Discord signs: key and signature in hex, PEM too", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
    const signature = sign(
      null,
      Buffer.from(`17${BODY}`),
      createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" })),
    ).toString("hex");
    const rule = {
      header: "x-sig",
      encoding: "hex",
      algorithm: "ed25519",
      content: "${header:x-at}${body}",
    };
    const headers = { "x-sig": signature, "x-at": "17" };
    expect(verdict(headers, raw, { rules: [{ ...rule, keyFormat: "hex" }] })).toBe("valid");
    expect(
      verdict(headers, String(publicKey.export({ format: "pem", type: "spki" })), {
        rules: [rule],
      }),
    ).toBe("valid");
    expect(
      verdict({ ...headers, "x-at": "18" }, raw, { rules: [{ ...rule, keyFormat: "hex" }] }),
    ).toBe("wrong-signature");
    expect(verdict(headers, "no key", { rules: [rule] })).toBe("no-key");
  });

  it.each(["not hex", "abc", ""])("has no key in %j as hex", (key) => {
    const rules = [{ header: "x-sig", encoding: "hex", keyFormat: "hex" }];
    expect(verdict({ "x-sig": hmac("", BODY) }, key, { rules })).toBe("no-key");
  });

  it.each(["${header:X}${body}", "${body", "${body}${nothing}", "${header:}${body}"])(
    "is refused for signing %s",
    (content) => {
      expect(signaturesSchema.safeParse([{ header: "x", encoding: "hex", content }]).success).toBe(
        false,
      );
    },
  );
});

describe("what we send", () => {
  let on: Awaited<ReturnType<typeof platform>>;
  beforeAll(async () => {
    on = await platform();
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const signatures = [{ scheme: "standard-webhooks" }];
    expect((await on.call("POST", "/elements", described("standard", { signatures }))).status).toBe(
      200,
    );
  });

  it.each([
    ["v1", signers.v1, SECRET],
    ["v1a", signers.v1a, PUBLIC],
  ])("can be received: %s", async (_, signer, key) => {
    const { id } = await on.instance("standard", { "event.vendor.signature.key": key });
    const send = async (at: number) =>
      (await on.deliver(`/events/standard/${id}`, BODY, standardHeaders("m", at, BODY, [signer])))
        .status;
    expect(await send(Date.now())).toBe(200);
    expect(await send(Date.now() - 600_000)).toBe(401);
    expect((await stored(on, id)).map(({ objectId }) => objectId)).toEqual(["7"]);
  });
});
