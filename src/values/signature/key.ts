import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  verify as verifyWithKey,
} from "node:crypto";
import type { SignatureRule } from "./rule";
import { equalInConstantTime } from "../bytes";

/** A key as it was written, and what it stands for: bytes of a shared secret, or a public key. */
export type Key = { text: string; secret: Uint8Array } | { text: string; publicKey: KeyObject };

type Rule = Pick<SignatureRule, "algorithm" | "encoding" | "keyFormat">;

/**
 * The key that a text is for a rule; undefined when it is none. A public key is never a shared secret: everybody could
 * sign with it.
 */
export function keyOf({ algorithm, keyFormat }: Rule, text: string): Key | undefined {
  switch (algorithm) {
    case "rsa-sha256":
    case "ed25519": {
      const publicKey = publicKeyOf(algorithm, keyFormat, text.trim());
      return publicKey && { text, publicKey };
    }
    case "hmac-sha256":
    case "hmac-sha1":
    case "hmac-sha512":
    case "sha256": {
      if (keyFormat === "whsec" && /^(?:whpk_|whsk_|-----BEGIN)/.test(text.trim()))
        return undefined;
      const secret = bytesOf(keyFormat, keyFormat === "text" ? text : text.trim(), "whsec_");
      return secret === undefined || secret.byteLength === 0 ? undefined : { text, secret };
    }
  }
}

function bytesOf(
  format: SignatureRule["keyFormat"],
  text: string,
  prefix: string,
): Uint8Array | undefined {
  switch (format) {
    case "text":
      return new TextEncoder().encode(text);
    case "hex":
      return /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, "hex") : undefined;
    case "base64":
    case "whsec": {
      const encoded =
        format === "whsec" && text.startsWith(prefix) ? text.slice(prefix.length) : text;
      return /^[\w+/-]+={0,2}$/.test(encoded) ? Buffer.from(encoded, "base64") : undefined;
    }
  }
}

/** DER of a public ed25519 key is its 32 bytes after this (RFC 8410). */
const ED25519_DER = Buffer.from("302a300506032b6570032100", "hex");

function publicKeyOf(
  algorithm: "rsa-sha256" | "ed25519",
  format: SignatureRule["keyFormat"],
  text: string,
): KeyObject | undefined {
  try {
    if (text.startsWith("-----BEGIN") || algorithm === "rsa-sha256") {
      const key = createPublicKey(text);
      const wanted = algorithm === "ed25519" ? "ed25519" : "rsa";
      return key.asymmetricKeyType === wanted ? key : undefined;
    }
    // A shared secret beside it, without `whpk_`, is not taken for one.
    if (format === "whsec" && !text.startsWith("whpk_")) return undefined;
    const bytes = bytesOf(format === "text" ? "base64" : format, text, "whpk_");
    if (bytes?.byteLength !== 32) return undefined;
    const key = Buffer.concat([ED25519_DER, bytes]);
    return createPublicKey({ key, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** Whether a signature is this content's, by this key. */
export function fits(
  { algorithm, encoding }: Rule,
  key: Key,
  content: readonly (string | Uint8Array)[],
  signature: string,
): boolean {
  if ("publicKey" in key) {
    const bytes = Buffer.from(signature, encoding);
    // Only the one spelling of the bytes: the unused bits of the last letter are signed too.
    if (bytes.toString(encoding) !== signature) return false;
    const signed = Buffer.concat(content.map((part) => Buffer.from(part)));
    return verifyWithKey(algorithm === "ed25519" ? null : "sha256", signed, key.publicKey, bytes);
  }
  const hash =
    algorithm === "sha256" ? createHash("sha256") : createHmac(algorithm.slice(5), key.secret);
  for (const part of content) hash.update(part);
  return equalInConstantTime(hash.digest(encoding), signature);
}
