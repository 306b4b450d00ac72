import { createHmac } from "node:crypto";
import type { SignatureProfile } from "../db/delivery";
import type { Millis } from "../values/instant";
import { keyOf } from "../values/signature/key";
import { headerFault } from "./destination";
import type { Signer } from "./signature";

/** A profile with its own secret; null: the destination's symmetric keys sign. */
export type OwnSignature = SignatureProfile & { secret: string | null };

type Signed = { id: string; at: Millis; body: string | Uint8Array };

/** The headers that a profile adds to one try: the signature, and what it was made of. */
export function profileHeaders(
  profile: OwnSignature,
  signers: readonly Signer[],
  signed: Signed,
): Record<string, string> {
  const { header, prefix, separator, timestampHeader, idHeader } = profile;
  const { id, at } = signed;
  const timestamp = String(Math.floor(at / 1000));
  const before = filled(prefix, { id, timestamp }).join("");
  const keys = keysOf(profile, signers);
  const signatures = (separator === undefined ? keys.slice(0, 1) : keys).map(
    (key) => before + signatureBy(key, profile, { ...signed, timestamp }),
  );
  return {
    [header]: signatures.join(separator),
    ...(timestampHeader === undefined ? {} : { [timestampHeader]: timestamp }),
    ...(idHeader === undefined ? {} : { [idHeader]: id }),
  };
}

function signatureBy(
  key: Uint8Array,
  { algorithm, encoding, content }: SignatureProfile,
  { id, timestamp, body }: Signed & { timestamp: string },
): string {
  const hmac = createHmac(algorithm, key);
  for (const part of filled(content, { id, timestamp, body })) hmac.update(part);
  return hmac.digest(encoding);
}

/** A template's pieces, with the values of its placeholders. */
const filled = <T extends string | Uint8Array>(
  template: string,
  values: Readonly<Record<string, T>>,
): (string | T)[] =>
  template
    .split(/\$\{([a-z]+)\}/)
    .map((piece, index) => (index % 2 === 0 ? piece : (values[piece] ?? "")));

/** The keys that sign, the newest first. */
function keysOf({ secret, keyFormat }: OwnSignature, signers: readonly Signer[]): Uint8Array[] {
  const texts =
    secret === null
      ? signers.flatMap((signer) => (signer.algorithm === "v1" ? signer.secret : []))
      : [secret];
  return texts.flatMap((text) => keyBytes(keyFormat, text) ?? []);
}

/** The bytes that a secret stands for; undefined when it isn't written so. */
export function keyBytes(
  keyFormat: SignatureProfile["keyFormat"],
  text: string,
): Uint8Array | undefined {
  const key = keyOf({ algorithm: "hmac-sha256", encoding: "hex", keyFormat }, text);
  return key !== undefined && "secret" in key ? key.secret : undefined;
}

const HOP_BY_HOP =
  /^(?:connection|keep-alive|proxy-.*|te|trailers?|transfer-encoding|upgrade|host|expect|content-length)$/i;
const OURS = /^(?:webhook-.*|elements-webhook-.*|tributary-.*|ce-.*|content-.*|user-agent)$/i;

/** @returns why a header may not carry what a profile adds; undefined when it may. */
export function profileHeaderFault(name: string): string | undefined {
  if (HOP_BY_HOP.test(name)) return `'${name}' belongs to the connection, not to the message`;
  if (OURS.test(name)) return `'${name}' is a header that callbacks have already`;
  return headerFault(name, "");
}
