import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { platform, stored } from "../platform";
import { described } from "./described";

const KEY = "a-key-of-handshakes";
let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const VENDORS: Record<string, object> = {
  dropbox: { parameter: "challenge" },
  meta: {
    parameter: "hub.challenge",
    requires: { "hub.mode": "subscribe" },
    verifyToken: { parameter: "hub.verify_token", configurationKey: "event.vendor.signature.key" },
  },
  graph: { method: "POST", parameter: "validationToken" },
  slack: {
    method: "POST",
    in: "body",
    parameter: "challenge",
    requires: { type: "url_verification" },
  },
  zoom: {
    method: "POST",
    in: "body",
    parameter: "payload.plainToken",
    requires: { event: "endpoint.url_validation" },
    hmac: {},
    answer: { plainToken: "${challenge}", encryptedToken: "${hmac}" },
  },
  twitter: {
    parameter: "crc_token",
    hmac: { encoding: "base64" },
    answer: { response_token: "sha256=${hmac}" },
  },
};
const made = new Map<string, Promise<{ id: number; element: number }>>();
const make = (vendor: string) => {
  const known = made.get(vendor);
  if (known !== undefined) return known;
  const fresh = (async () => {
    const key = `shake-${vendor}`;
    const definition = described(key, { handshake: VENDORS[vendor] });
    const { status, body } = await on.call("POST", "/elements", definition);
    expect(status).toBe(200);
    const { id } = await on.instance(key, { "event.vendor.signature.key": KEY });
    return { id, element: body.id as number };
  })();
  made.set(vendor, fresh);
  return fresh;
};
const send = async (vendor: string, query: string, body?: object) => {
  const { id } = await make(vendor);
  const answer = await on.deliver(
    `/events/shake-${vendor}/${id}${query}`,
    body && JSON.stringify(body),
    body && { "content-type": "application/json" },
  );
  const { status, headers } = answer;
  return {
    status,
    type: headers.get("content-type"),
    sniff: headers.get("x-content-type-options"),
    text: await answer.text(),
  };
};
const hmac = (text: string, encoding: "hex" | "base64") =>
  createHmac("sha256", KEY).update(text).digest(encoding);

describe("a handshake that a definition describes", () => {
  it.each<[string, string, object | undefined, string]>([
    ["dropbox", "?challenge=abc", undefined, "abc"],
    ["dropbox", "?challenge=%3Cscript%3E", undefined, "<script>"],
    [
      "meta",
      `?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${KEY}`,
      undefined,
      "1158201444",
    ],
    ["graph", "?validationToken=Validation%3A%20x", {}, "Validation: x"],
    ["slack", "", { type: "url_verification", token: "t", challenge: "3eZbrw1a" }, "3eZbrw1a"],
  ])("is answered as plain text: %s %s", async (vendor, query, body, expected) => {
    const answer = await send(vendor, query, body);
    expect(answer).toMatchObject({ status: 200, sniff: "nosniff", text: expected });
    expect(answer.type).toMatch(/^text\/plain/);
  });

  it("is answered with an HMAC, as Zoom and Twitter want it", async () => {
    const zoom = await send("zoom", "", {
      event: "endpoint.url_validation",
      payload: { plainToken: "qgg8vlvZRS6U" },
    });
    expect(zoom).toMatchObject({ status: 200, sniff: "nosniff" });
    expect(zoom.type).toMatch(/^application\/json/);
    expect(JSON.parse(zoom.text)).toEqual({
      plainToken: "qgg8vlvZRS6U",
      encryptedToken: hmac("qgg8vlvZRS6U", "hex"),
    });
    const twitter = await send("twitter", "?crc_token=Zm9vYmFy");
    expect(JSON.parse(twitter.text)).toEqual({
      response_token: `sha256=${hmac("Zm9vYmFy", "base64")}`,
    });
  });

  it.each<[string, string, string, object | undefined, number]>([
    ["without a challenge", "dropbox", "", undefined, 400],
    ["with an empty one", "dropbox", "?challenge=", undefined, 400],
    ["with one that is too long", "dropbox", `?challenge=${"x".repeat(1_025)}`, undefined, 400],
    [
      "with another token",
      "meta",
      "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x",
      undefined,
      401,
    ],
    ["without a token", "meta", "?hub.mode=subscribe&hub.challenge=1", undefined, 401],
    [
      "of a body to sign",
      "zoom",
      "",
      { event: "endpoint.url_validation", payload: { plainToken: '{"action":"opened"}' } },
      400,
    ],
    [
      "of a signed text",
      "zoom",
      "",
      { event: "endpoint.url_validation", payload: { plainToken: "v0:1:x" } },
      400,
    ],
    ["of a form to sign", "twitter", "?crc_token=payload%3D1", undefined, 400],
    ["of too much to sign", "twitter", `?crc_token=${"x".repeat(257)}`, undefined, 400],
  ])("is refused %s: %s", async (_, vendor, query, body, status) => {
    const answer = await send(vendor, query, body);
    expect(answer.status).toBe(status);
    expect(answer.type).toMatch(/^application\/json/);
  });

  it.each<[string, string, object]>([
    ["slack", "", { type: "event_callback", challenge: "x" }],
    ["slack", "", { type: "url_verification", challenge: { a: 1 } }],
    ["slack", "", { type: "url_verification", challenge: "x", more: "y".repeat(9_000) }],
    ["graph", "", { value: [] }],
    ["zoom", "", { event: "meeting.started", payload: { plainToken: "x" } }],
  ])("is none, but an unsigned delivery: %s%s %j", async (vendor, query, body) => {
    expect((await send(vendor, query, body)).status).toBe(401);
  });

  it("leaves signed deliveries as they are", async () => {
    const { id } = await make("slack");
    const body = JSON.stringify({ action: "opened", issue: { number: "9" } });
    const signed = { "x-signature": createHmac("sha256", KEY).update(body).digest("hex") };
    expect((await on.deliver(`/events/shake-slack/${id}`, body, signed)).status).toBe(200);
    expect((await stored(on, id)).map(({ objectId }) => objectId)).toEqual(["9"]);
  });

  it("is answered at the connector's app-wide address too, unless it takes a key", async () => {
    const { element } = await make("graph");
    const graph = await on.deliver(`/events/${element}?validationToken=x`, "");
    expect([graph.status, await graph.text()]).toEqual([200, "x"]);
    const twitter = await on.deliver(
      `/events/${(await make("twitter")).element}?crc_token=x`,
      undefined,
    );
    expect([twitter.status, await twitter.text()]).toEqual([200, ""]);
  });

  it("of a GET has no body to look into", async () => {
    const definition = described("shake-wrong", { handshake: { in: "body", parameter: "x" } });
    const { status, body } = await on.call("POST", "/elements", definition);
    expect([status, body.message]).toEqual([400, expect.stringContaining("webhook.handshake.in")]);
  });
});
