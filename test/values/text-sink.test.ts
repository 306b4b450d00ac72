import fc from "fast-check";
import { expect, it } from "vitest";
import { decoded } from "../../src/values/body/charset";
import { TextSink } from "../../src/values/body/text-sink";
import { cases } from "../cases";

const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc.string({ unit: "grapheme", maxLength: 400 }).map((text) => new TextEncoder().encode(text)),
  fc.constantFrom(
    new Uint8Array(Buffer.from("\uFEFFa byte order mark")),
    new Uint8Array(Buffer.from("\uFEFFtwo bytes a sign".repeat(20), "utf16le")),
    new Uint8Array(
      Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?><a>${"é".repeat(300)}</a>`, "latin1"),
    ),
  ),
);
const types = fc.constantFrom(
  null,
  "application/json",
  "text/plain; charset=windows-1252",
  "a; charset=?",
);

it("a body in parts, however it is cut, is the text that it is as a whole", () => {
  fc.assert(
    fc.property(bodies, types, fc.array(fc.nat(80), { maxLength: 20 }), (bytes, type, cuts) => {
      const sink = new TextSink(type);
      let from = 0;
      for (const cut of cuts) {
        sink.add(bytes.subarray(from, from + cut));
        from += cut;
      }
      if (from < bytes.byteLength) sink.add(bytes.subarray(from));
      expect(sink.size).toBe(bytes.byteLength);
      expect(sink.end()).toBe(decoded(bytes, type));
    }),
    { numRuns: cases(300, 20_000) },
  );
});
