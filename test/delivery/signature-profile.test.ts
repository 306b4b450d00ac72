import { describe, expect, it } from "vitest";
import type { SignatureProfile } from "../../src/db/delivery";
import {
  type OwnSignature,
  profileHeaderFault,
  profileHeaders,
} from "../../src/delivery/signature-profile";

const profile = (change: Partial<OwnSignature>): OwnSignature => ({
  header: "x-signature",
  prefix: "",
  encoding: "hex",
  algorithm: "sha256",
  content: "${body}",
  keyFormat: "text",
  secret: null,
  ...change,
});

const key = (secret: string) => ({ algorithm: "v1" as const, secret });
const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SLACK =
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

describe("a signature profile signs as", () => {
  // GitHub's, Slack's and Svix' are their own documentation's vectors; the others openssl's.
  it.each<[string, Partial<OwnSignature>, { id?: string; at: number; body: string }, object]>([
    [
      "GitHub",
      { header: "X-Hub-Signature-256", prefix: "sha256=", secret: "It's a Secret to Everybody" },
      { at: 0, body: "Hello, World!" },
      {
        "X-Hub-Signature-256":
          "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
      },
    ],
    [
      "Stripe",
      {
        header: "Stripe-Signature",
        prefix: "t=${timestamp},v1=",
        content: "${timestamp}.${body}",
        secret: "whsec_test_secret",
      },
      { at: 1492774577, body: '{"id":"evt_1","object":"event"}' },
      {
        "Stripe-Signature":
          "t=1492774577,v1=654b43d3508ecadb3f8cefc4bc7d3d2bdc5ba9e03bf2c89b2d0657a8e24e4543",
      },
    ],
    [
      "Shopify",
      { header: "X-Shopify-Hmac-Sha256", encoding: "base64", secret: "hush" },
      { at: 0, body: '{"id":820982911946154508}' },
      { "X-Shopify-Hmac-Sha256": "qBvrsZF7RfB1iS6BX6IHqJTp5L911P7intnPeTPsH0I=" },
    ],
    [
      "Slack",
      {
        header: "X-Slack-Signature",
        prefix: "v0=",
        content: "v0:${timestamp}:${body}",
        timestampHeader: "X-Slack-Request-Timestamp",
        secret: "8f742231b10e8888abcd99yyyzzz85a5",
      },
      { at: 1531420618, body: SLACK },
      {
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "X-Slack-Request-Timestamp": "1531420618",
      },
    ],
    [
      "Svix",
      {
        header: "svix-signature",
        prefix: "v1,",
        separator: " ",
        encoding: "base64",
        content: "${id}.${timestamp}.${body}",
        keyFormat: "whsec",
        timestampHeader: "svix-timestamp",
        idHeader: "svix-id",
      },
      { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: 1614265330, body: '{"test": 2432232314}' },
      {
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "svix-timestamp": "1614265330",
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      },
    ],
    [
      "one with SHA-1",
      { algorithm: "sha1", secret: "s" },
      { at: 0, body: "payload" },
      { "x-signature": "078c114b6129f6e31e81df37fc5743dcc3fadf16" },
    ],
    [
      "one with SHA-512 and a key in hex",
      { algorithm: "sha512", encoding: "base64", keyFormat: "hex", secret: "00ff" },
      { at: 0, body: "payload" },
      {
        "x-signature":
          "ZNFSj0ZcE+58/fALVa1JhynXLhxxY5F3Kj3FdTkvspy1RHSFa7Jj2zElu//OVmXuYPhM25onWaFgUZJgmvE3Kg==",
      },
    ],
  ])("%s", (_, change, { id = "1", at, body }, headers) => {
    const signed = { id, at: at * 1000 + 999, body };
    expect(profileHeaders(profile(change), [key(WHSEC)], signed)).toEqual(headers);
    const bytes = { ...signed, body: new TextEncoder().encode(body) };
    expect(profileHeaders(profile(change), [key(WHSEC)], bytes)).toEqual(headers);
  });

  it("every live key where there is a separator, else as the newest", () => {
    const signed = { id: "1", at: 0, body: "b" };
    const keys = [key("one"), { algorithm: "v1a" as const, secret: "whsk_" }, key("two")];
    const of = (change: Partial<SignatureProfile>, signers = keys): string =>
      profileHeaders(profile(change), signers, signed)["x-signature"] ?? "";
    const [one, two] = [of({}, [key("one")]), of({}, [key("two")])];
    expect(of({})).toBe(one);
    expect(of({ separator: ",", prefix: "v1=" })).toBe(`v1=${one},v1=${two}`);
  });
});

it.each([
  ["x-hub-signature-256", undefined],
  ["authorization", undefined],
  ["webhook-signature", "callbacks have already"],
  ["Content-Type", "callbacks have already"],
  ["tributary-hops", "callbacks have already"],
  ["Keep-Alive", "belongs to the connection"],
  ["transfer-encoding", "belongs to the connection"],
  ["cf-ray", "can't be set"],
  ["a b", "not a header name"],
])("carries a signature, or not: %s", (name, fault) => {
  if (fault === undefined) expect(profileHeaderFault(name)).toBeUndefined();
  else expect(profileHeaderFault(name)).toContain(fault);
});
