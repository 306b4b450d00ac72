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

/** Whether a text is a symmetric signing secret: `whsec_` and base64 of 24 to 64 bytes. */
export function isSigningSecret(text: string): boolean {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text)) return false;
  const { byteLength } = Buffer.from(text.slice(6), "base64");
  return byteLength >= 24 && byteLength <= 64;
}
