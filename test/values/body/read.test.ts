import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decoded } from "../../../src/values/body/charset";
import { fieldsOfMultipart } from "../../../src/values/body/multipart";
import { inflated } from "../../../src/values/body/inflate";
import { readBody } from "../../../src/values/body/read";

const bytesOf = (text: string, charset = "latin1"): Uint8Array =>
  charset === "utf-8" ? new TextEncoder().encode(text) : Buffer.from(text, "latin1");
const FORM = "application/x-www-form-urlencoded";
const EVENT = '{"action":"opened","issue":{"number":7}}';
const event = JSON.parse(EVENT);
const told = (bytes: Uint8Array, type: string | null) => {
  const read = readBody(bytes, type);
  return "value" in read ? read.value : read.kind;
};

const part = (head: string, body: string, line = "\r\n"): string =>
  `--b0${line}Content-Disposition: form-data; ${head}${line}${line}${body}${line}`;
const parts = (...list: string[]): string => `${list.join("")}--b0--\r\n`;
const DECLARED = "multipart/form-data; boundary=b0";

describe("a body from outside", () => {
  it.each<[string, string | null, unknown]>([
    // JSON, whatever it is declared as.
    [EVENT, "application/json", event],
    [EVENT, FORM, event],
    [EVENT, null, event],
    [EVENT, "text/plain", event],
    [EVENT, DECLARED, event],
    [` \n${EVENT}`, FORM, event],
    ["[1,2]", FORM, [1, 2]],
    ['{"a":"b=c&d=%41+"}', FORM, { a: "b=c&d=%41+" }],
    ["12", "application/json", 12],
    ["null", "application/json", null],
    // A form that carries JSON.
    [`payload=${encodeURIComponent(EVENT)}`, FORM, event],
    [`data=${encodeURIComponent(EVENT)}`, FORM, event],
    [`payload=${encodeURIComponent("[1]")}`, FORM, [1]],
    [encodeURIComponent(EVENT), FORM, event],
    [`${encodeURIComponent(EVENT)}=`, FORM, event],
    [`payload=${encodeURIComponent('{"a":1}')}&a=2&b=3`, FORM, { a: 1, b: "3" }],
    [`payload=%5B1%5D&b=3`, FORM, { payload: [1], b: "3" }],
    ["payload=%7Bno", FORM, { payload: "{no" }],
    ["payload=text", FORM, { payload: "text" }],
    [`x=${encodeURIComponent(EVENT)}&y=1`, FORM, { x: EVENT, y: "1" }],
    // Forms.
    ["a=1&b=two+words&c=%26", FORM, { a: "1", b: "two words", c: "&" }],
    ["a=1&a=2&b=3&a=4", FORM, { a: ["1", "2", "4"], b: "3" }],
    ["{a=1&b=2", FORM, { "{a": "1", b: "2" }],
    ["[a]=1&[a]=2", FORM, { "[a]": ["1", "2"] }],
    ["{=1", FORM, { "{": "1" }],
    ["a&b=&=c", FORM, { a: "", b: "", "": "c" }],
    ["12", FORM, { "12": "" }],
    ["a=%zz&b=%4", FORM, { a: "%zz", b: "%4" }],
    ["__proto__=1&a=2", FORM, JSON.parse('{"__proto__":"1","a":"2"}')],
    // Charsets.
    ["a=caf%E9", `${FORM}; charset=ISO-8859-1`, { a: "café" }],
    ["a=caf%C3%A9", FORM, { a: "café" }],
    ["a=caf\xe9", `${FORM};charset="windows-1252"`, { a: "café" }],
    ['{"a":"caf\xe9"}', "application/json; charset=iso-8859-1", { a: "café" }],
    ['{"a":"\x82\xa0"}', "application/json; charset=Shift_JIS", { a: "あ" }],
    ['{"a":"caf\xc3\xa9"}', "application/json; charset=nobody-knows", { a: "café" }],
    ['\xef\xbb\xbf{"a":"\xc3\xa9"}', "application/json; charset=iso-8859-1", { a: "é" }],
    ["\xff\xfe{\0}\0", null, {}],
    ["{\0}\0", "application/json; charset=utf-16le", {}],
    ["\xef\xbb\xbfa=1", FORM, { a: "1" }],
    // Multipart.
    [
      parts(part('name="a"', "1"), part('name="b"', "two\r\nlines")),
      DECLARED,
      { a: "1", b: "two\r\nlines" },
    ],
    [parts(part('name="a"', "1"), part('name="a"', "2")), DECLARED, { a: ["1", "2"] }],
    [parts(part('name="payload"', EVENT)), DECLARED, event],
    [parts(part('name="a"', "1")), null, { a: "1" }],
    [parts(part('name="a"', "1")), "application/json", { a: "1" }],
    [parts(part('name="a"', "1", "\n")), "multipart/form-data", { a: "1" }],
    [parts(part('name="a"', "\xe9")), `${DECLARED}; charset=iso-8859-1`, { a: "é" }],
    [
      parts(part('name="f"; filename="x.bin"\r\nContent-Type: image/png', "\xff\0")),
      DECLARED,
      { f: { filename: "x.bin", type: "image/png", base64: "/wA=" } },
    ],
    [
      parts(part('name="f"; filename="x.txt"\r\nContent-Type: text/plain', "hi")),
      DECLARED,
      { f: { filename: "x.txt", type: "text/plain", text: "hi" } },
    ],
    ["--b0\r\nnothing", DECLARED, "text"],
    // A JSON text a line.
    ['{"a":1}\n{"a":2}\n', "application/x-ndjson", [{ a: 1 }, { a: 2 }]],
    ['{"a":1}\r\n\r\n{"a":2}', "application/json", [{ a: 1 }, { a: 2 }]],
    ['{"a":1}\n{"a":2}', FORM, [{ a: 1 }, { a: 2 }]],
    ['{"a":1}', "application/x-ndjson", { a: 1 }],
    ['{"a":1}\nno', "application/x-ndjson", "text"],
    // XML and the rest.
    ["<a/>", FORM, "xml"],
    [" <a/>", "application/json", "xml"],
    ["", FORM, "empty"],
    [" \n", null, "empty"],
    ["some words", "text/plain", "text"],
    ["[".repeat(600), "application/json", "deep"],
    [`payload=${"[".repeat(600)}${"]".repeat(600)}`, FORM, "deep"],
  ])("%j as %s", (body, type, expected) => {
    expect(told(bytesOf(body), type)).toEqual(expected);
  });

  it("has its XML declaration's charset when no other is declared", () => {
    const xml = bytesOf('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>');
    expect(decoded(xml, "text/xml")).toContain("é");
    expect(decoded(xml, "text/xml; charset=windows-1251")).toContain("й");
  });

  it("keeps every digit of JSON that a form carries", () => {
    const read = readBody(bytesOf("payload=%7B%22id%22%3A9130350000000000001%7D"), FORM);
    expect(JSON.stringify("value" in read && read.value)).toBe('{"id":9130350000000000001}');
  });

  it("is the same value as JSON, in a form and compressed, whatever the value", () => {
    const types = [FORM, "application/json", "text/plain", null, DECLARED];
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(...types),
        (value, type) => {
          const json = JSON.stringify(value);
          const expected = JSON.parse(json);
          expect(told(bytesOf(json, "utf-8"), type)).toEqual(expected);
          const form = new URLSearchParams({ payload: json }).toString();
          expect(told(bytesOf(form), FORM)).toEqual(expected);
          expect(inflated(gzipSync(json), "gzip", 1e6)).toMatchObject({
            kind: "inflated",
            bytes: Buffer.from(json),
          });
        },
      ),
    );
  });

  it("is a form of its fields, as URLSearchParams reads it, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })),
        (fields) => {
          const form = new URLSearchParams({ ...fields, one: "1", two: "2" }).toString();
          expect(told(bytesOf(form), FORM)).toEqual(Object.fromEntries(new URLSearchParams(form)));
        },
      ),
    );
  });
});

describe("a compressed body", () => {
  const text = EVENT.repeat(100);
  it.each<[string, string | null, Uint8Array]>([
    ["gzip", "gzip", gzipSync(text)],
    ["gzip under its old name", "X-GZIP", gzipSync(text)],
    ["gzip that nobody declared", null, gzipSync(text)],
    ["gzip declared as a charset", "UTF-8", gzipSync(text)],
    ["deflate", "deflate", deflateSync(text)],
    ["raw deflate", "deflate", deflateRawSync(text)],
    ["br", "br", brotliCompressSync(text)],
    ["two, one in the other", "deflate, gzip", gzipSync(deflateSync(text))],
    ["gzip that a proxy took off", "gzip", bytesOf(text)],
    ["deflate that a proxy took off", "deflate", bytesOf(text)],
    ["br that a proxy took off", "br", bytesOf(text)],
    ["identity", "identity", bytesOf(text)],
  ])("is inflated: %s", (_, encoding, bytes) => {
    const result = inflated(bytes, encoding, 1e6);
    expect(result.kind === "inflated" && Buffer.from(result.bytes).toString()).toBe(text);
  });

  it.each<[string, Uint8Array]>([
    ["gzip", gzipSync(Buffer.alloc(50_000_000))],
    ["deflate", deflateSync(Buffer.alloc(50_000_000))],
    ["br", brotliCompressSync(Buffer.alloc(5_000_000))],
  ])("stops at the bound: %s", (encoding, bytes) => {
    expect(inflated(bytes, encoding, 1e6)).toEqual({ kind: "too-large" });
  });

  it.each<[string, string, Uint8Array]>([
    ["cut off", "gzip", gzipSync(text).subarray(0, 30)],
    ["more often than three times", "gzip,gzip,gzip,gzip", gzipSync(text)],
  ])("is refused: %s", (_, encoding, bytes) => {
    expect(inflated(bytes, encoding, 1e6).kind).toBe("broken");
  });
});

it("a body of more than ten thousand parts is no multipart body", () => {
  const fields = Array.from({ length: 10_001 }, (_, index) => part(`name="f${index}"`, "1"));
  expect(fieldsOfMultipart(bytesOf(parts(...fields.slice(1))), DECLARED)).toBeDefined();
  expect(fieldsOfMultipart(bytesOf(parts(...fields)), DECLARED)).toBeUndefined();
});
