import { createHmac } from "node:crypto";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, newUser, type SignedIn } from "../accounts/ask";
import { eventually, receiver } from "../delivery/build";
import { answerOf } from "../../src/http/client";
import { step } from "../flows/components";
import { platform, stored } from "../platform";
import { described } from "./described";

const KEY = "a-key-of-bodies";
let on: Awaited<ReturnType<typeof platform>>;
let id: number;
beforeAll(async () => {
  on = await platform();
  expect((await on.call("POST", "/elements", described("bodies"))).status).toBe(200);
  ({ id } = await on.instance("bodies", { "event.vendor.signature.key": KEY }));
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

const FORM = "application/x-www-form-urlencoded";
const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");
const json = (number: unknown) => JSON.stringify({ action: "opened", issue: { number } });
const send = async (bytes: Uint8Array, headers: Record<string, string>) =>
  (
    await on.deliver(`/events/bodies/${btoa(String(id))}`, bytes, {
      ...headers,
      "x-signature": createHmac("sha256", KEY).update(bytes).digest("hex"),
    })
  ).status;
const ids = async () => (await stored(on, id)).map(({ objectId }) => objectId);

describe("a signed delivery, whatever its body is declared as", () => {
  it.each<[string, Uint8Array, Record<string, string>]>([
    ["json", latin1(json("json")), { "content-type": "application/json" }],
    ["json as form", latin1(json("json as form")), { "content-type": FORM }],
    ["json as nothing", latin1(json("json as nothing")), {}],
    [
      "github's form",
      latin1(`payload=${encodeURIComponent(json("github's form"))}`),
      { "content-type": FORM },
    ],
    [
      "one field",
      latin1(`event=${encodeURIComponent(json("one field"))}`),
      { "content-type": FORM },
    ],
    [
      "undeclared form",
      latin1(`payload=${encodeURIComponent(json("undeclared form"))}`),
      { "content-type": "text/plain" },
    ],
    ["café", latin1(json("café")), { "content-type": "application/json; charset=iso-8859-1" }],
    [
      "naïve",
      latin1(`payload=${encodeURIComponent(json("na~ve")).replace("~", "%EF")}`),
      { "content-type": `${FORM}; charset=windows-1252` },
    ],
    ["gzip", gzipSync(json("gzip")), { "content-encoding": "gzip" }],
    ["deflate", deflateSync(json("deflate")), { "content-encoding": "deflate" }],
    ["br", brotliCompressSync(json("br")), { "content-encoding": "br" }],
    [
      "multipart",
      latin1(
        `--b\r\nContent-Disposition: form-data; name="payload"\r\n\r\n${json("multipart")}\r\n--b--`,
      ),
      { "content-type": "multipart/form-data; boundary=b" },
    ],
    [
      "second line",
      latin1(`${json("first line")}\n${json("second line")}\n`),
      { "content-type": "application/x-ndjson" },
    ],
    ["xml", latin1("<issue><number>xml</number></issue>"), { "content-type": "application/xml" }],
    [
      "Größe",
      latin1('<?xml version="1.0" encoding="iso-8859-1"?><issue><number>Größe</number></issue>'),
      { "content-type": "text/xml" },
    ],
    ["in a list", latin1(`[${json("in a list")}]`), { "content-type": FORM }],
  ])("gives its event: %s", async (number, bytes, headers) => {
    expect(await send(bytes, headers)).toBe(200);
    expect(await ids()).toContain(number);
  });

  it("is refused when it inflates to more than 8 MB, or not at all", async () => {
    const headers = { "content-encoding": "gzip" };
    expect(await send(gzipSync(Buffer.alloc(9_000_000, 32)), headers)).toBe(429);
    expect(await send(gzipSync(json("x")).subarray(0, 20), headers)).toBe(400);
  });

  it("is proved by a signature over the bytes as they were sent", async () => {
    const bytes = gzipSync(json("forged"));
    const signature = createHmac("sha256", KEY).update(json("forged")).digest("hex");
    const headers = { "content-encoding": "gzip", "x-signature": signature };
    expect((await on.deliver(`/events/bodies/${btoa(String(id))}`, bytes, headers)).status).toBe(
      401,
    );
  });
});

describe("a flow's webhook", () => {
  const post = async (user: SignedIn, type: string, bytes: Uint8Array, encoding = "identity") => {
    const url = `http://127.0.0.1:9/bodies-${crypto.randomUUID()}`;
    const flow = {
      T: { type: "appmixer.utils.http.Webhook", source: {} },
      P: step({ url, body: "{{{$.T.out.data}}}" }),
    };
    const { flowId } = (
      await ask("POST", "/flows", { token: user.token, body: { name: "F", flow } })
    ).body;
    await ask("POST", `/flows/${flowId}/coordinator`, {
      token: user.token,
      body: { command: "start" },
    });
    const received = receiver(() => new Response());
    const { exports } = await import("cloudflare:workers");
    const { status } = await exports.default.fetch(
      `http://tributary.example/flows/${flowId}/components/T`,
      {
        method: "POST",
        body: bytes,
        headers: { "content-type": type, "content-encoding": encoding },
      },
    );
    if (status !== 202) return status;
    const one = await eventually(async () => received.find((call) => call.url === url));
    return one.body;
  };

  it("reads bodies by the same rule", async () => {
    const user = await newUser();
    expect(await post(user, FORM, latin1('payload={"a":1}'))).toBe('{"a":1}');
    expect(await post(user, FORM, latin1("a=1&a=2"))).toBe('{"a":["1","2"]}');
    expect(await post(user, "application/json; charset=iso-8859-1", latin1('{"a":"é"}'))).toBe(
      '{"a":"é"}',
    );
    expect(await post(user, "application/json", gzipSync('{"a":2}'), "gzip")).toBe('{"a":2}');
    expect(await post(user, "text/plain", latin1("a=1"))).toBe("a=1");
    expect(await post(user, "application/json", latin1("a=1"))).toBe(400);
    expect(await post(user, "text/plain", gzipSync(Buffer.alloc(2_000_000)), "gzip")).toBe(413);
  });
});

it("reads a vendor's answer in its declared charset", async () => {
  for (const [type, bytes] of [
    ["application/json; charset=ISO-8859-1", latin1('{"a":"é"}')],
    ["application/json", new TextEncoder().encode('{"a":"é"}')],
    ["text/xml;charset=utf-16", new Uint8Array(Buffer.from('{"a":"é"}', "utf16le"))],
  ] as const) {
    const answer = await answerOf(new Response(bytes, { headers: { "content-type": type } }), 1000);
    expect([type, answer.text]).toEqual([type, '{"a":"é"}']);
  }
});
