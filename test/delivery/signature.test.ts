import { verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  elementsSignature,
  isSigningSecret,
  publicKeyOf,
  standardHeaders,
} from "../../src/delivery/signature";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("elementsSignature", () => {
  it("gives the reference's vector", () => {
    expect(
      elementsSignature("MySecretEventSignatureKey", "<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>"),
    ).toBe("sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=");
  });
});

describe("standardHeaders", () => {
  it("gives the public vector of Standard Webhooks", () => {
    const headers = standardHeaders(
      "msg_p5jXN8AQM9LWM0D4loKWxJek",
      1614265330_000,
      '{"test": 2432232314}',
      [{ algorithm: "v1", secret: SECRET }],
    );
    expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    expect(headers["webhook-timestamp"]).toBe("1614265330");
  });

  it("is verified by the standardwebhooks package for any body, with every key of a rotation", () => {
    const other = `whsec_${btoa("another-secret-of-32-bytes-long!")}`;
    fc.assert(
      fc.property(fc.json(), (body) => {
        const headers = standardHeaders("27101", Date.now(), body, [
          { algorithm: "v1", secret: SECRET },
          { algorithm: "v1", secret: other },
        ]);
        for (const secret of [SECRET, other])
          expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
        expect(() =>
          new Webhook(`whsec_${btoa("a-stranger's-secret-of-32-bytes!")}`).verify(body, headers),
        ).toThrow();
      }),
      { numRuns: 50 },
    );
  });

  it("signs with ed25519 so that the public key verifies it", () => {
    const secret = `whsk_${Buffer.alloc(32, 7).toString("base64")}`;
    const headers = standardHeaders("27101", 1_700_000_000_000, "{}", [
      { algorithm: "v1a", secret },
    ]);
    const [version, signature = ""] = (headers["webhook-signature"] ?? "").split(",");
    const raw = Buffer.from(publicKeyOf(secret).slice("whpk_".length), "base64");
    const key = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
    expect(version).toBe("v1a");
    expect(
      verify(
        null,
        Buffer.from("27101.1700000000.{}"),
        { key, format: "der", type: "spki" },
        Buffer.from(signature, "base64"),
      ),
    ).toBe(true);
  });
});

describe("isSigningSecret", () => {
  it.each([
    [SECRET, true],
    ["whsec_", false],
    ["whsec_c2hvcnQ=", false],
    ["secret", false],
    [`whsec_${btoa("x".repeat(65))}`, false],
  ])("%s: %s", (text, valid) => expect(isSigningSecret(text)).toBe(valid));
});
