import { createHash, timingSafeEqual } from "node:crypto";

/** SHA-256, as text. */
export function sha256(content: string | Uint8Array, encoding: "hex" | "base64url"): string {
  return createHash("sha256").update(content).digest(encoding);
}

/** Compares in a time that does not reveal where the two differ; only that their lengths differ can be noticed. */
export function equalInConstantTime(
  left: string | Uint8Array,
  right: string | Uint8Array,
): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** The bytes of `chunks` in one array of `size`. */
export function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** How many bytes a text has in UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
