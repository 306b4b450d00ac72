import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { Millis } from "../values/instant";

/** A key that signs callbacks: `whsec_` + base64 (symmetric), or `whsk_` + base64 of an ed25519 seed. */
export type Signer = { algorithm: "v1" | "v1a"; secret: string };

/** `Elements-Webhook-Signature` (reference connector-events-api.md §8): base64, not hex. */
export function elementsSignature(key: string, body: string): string {
  return `sha256=${createHmac("sha256", key).update(body).digest("base64")}`;
}

/**
 * The Standard Webhooks headers of one try: id, timestamp of this try in seconds, and a signature for
 * each key, the newest first, separated by spaces.
 */
export function standardHeaders(
  id: string,
  at: Millis,
  body: string | Uint8Array,
  signers: readonly Signer[],
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), Buffer.from(body)]);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signers
      .map((signer) => `${signer.algorithm},${signed(signer, content)}`)
      .join(" "),
  };
}

function signed({ algorithm, secret }: Signer, content: Uint8Array): string {
  const key = Buffer.from(secret.slice(secret.indexOf("_") + 1), "base64");
  switch (algorithm) {
    case "v1":
      return createHmac("sha256", key).update(content).digest("base64");
    case "v1a":
      return sign(null, content, ed25519(key)).toString("base64");
  }
}

/** PKCS#8 around a raw 32-byte seed: the fixed prefix of RFC 8410. */
function ed25519(seed: Buffer): ReturnType<typeof createPrivateKey> {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  return createPrivateKey({
    key: Buffer.concat([prefix, seed.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
}

/** `whpk_` and base64 of the public key that belongs to a `whsk_…` seed. */
export function publicKeyOf(secret: string): string {
  const seed = Buffer.from(secret.slice(secret.indexOf("_") + 1), "base64");
  const der = createPublicKey(ed25519(seed)).export({ format: "der", type: "spki" });
  return `whpk_${Buffer.from(der).subarray(-32).toString("base64")}`;
}

/** What is told where `isSigningSecret` is false. */
export const SIGNING_SECRET_EXPECTED = "Expected whsec_ and canonical base64 of 24 to 64 bytes";

/**
 * Whether a text is a symmetric signing secret: `whsec_` and canonical base64 (padded, no stray bits) of 24 to 64 bytes.
 * Libraries of receivers refuse any other, or read another key from it.
 */
export function isSigningSecret(text: string): boolean {
  if (!text.startsWith("whsec_") || text.length > 100) return false;
  const bytes = Buffer.from(text.slice(6), "base64");
  const isCanonical = bytes.toString("base64") === text.slice(6);
  return isCanonical && bytes.byteLength >= 24 && bytes.byteLength <= 64;
}
