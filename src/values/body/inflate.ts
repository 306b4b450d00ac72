import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";

export type Inflated =
  | { kind: "inflated"; bytes: Uint8Array }
  /** It has more than `most` bytes when inflated; no more than those were made. */
  | { kind: "too-large" }
  | { kind: "broken"; message: string };

/** A body that was compressed more often than this is refused. */
const MOST_LAYERS = 3;

/**
 * A body without its compression. Its bytes are looked at before its `Content-Encoding`: what begins as gzip is
 * inflated, declared or not, and what is declared but isn't compressed is taken as it is (a proxy may have inflated it).
 * `most`: the most bytes that any step may make.
 */
export function inflated(bytes: Uint8Array, encoding: string | null, most: number): Inflated {
  const codings = (encoding ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim().replace(/^x-/, ""))
    .filter((name) => name === "gzip" || name === "deflate" || name === "br");
  if (codings.length > MOST_LAYERS)
    return { kind: "broken", message: `Content-Encoding: Expected at most ${MOST_LAYERS}` };
  let inner = bytes;
  try {
    for (const coding of codings.toReversed()) inner = withoutCoding(inner, coding, most);
    if (codings.length === 0) inner = withoutCoding(inner, "gzip", most);
  } catch (error) {
    if (error instanceof RangeError) return { kind: "too-large" };
    return { kind: "broken", message: "The body is compressed, and cannot be inflated" };
  }
  return inner.byteLength > most ? { kind: "too-large" } : { kind: "inflated", bytes: inner };
}

function withoutCoding(bytes: Uint8Array, coding: string, most: number): Uint8Array {
  const options = { maxOutputLength: most };
  const [first = 0, second = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return gunzipSync(bytes, options);
  switch (coding) {
    case "deflate": {
      const isZlib = (first & 15) === 8 && ((first << 8) | second) % 31 === 0;
      return orAsItIs(bytes, () => (isZlib ? inflateSync : inflateRawSync)(bytes, options));
    }
    case "br":
      return orAsItIs(bytes, () => brotliDecompressSync(bytes, options));
    default:
      return bytes;
  }
}

/** These two have no mark of their own: what can't be inflated was not compressed, if it is text. */
function orAsItIs(bytes: Uint8Array, inflate: () => Uint8Array): Uint8Array {
  try {
    return inflate();
  } catch (error) {
    if (error instanceof RangeError) throw error;
    if (bytes.subarray(0, 512).some((byte) => byte < 9)) throw error;
    return bytes;
  }
}
