import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { sha256 } from "../values/bytes";

/** Keys for values at rest: AES-256-GCM, newest first. The first seals, all of them open. */
export type Keyring = readonly { id: string; key: Uint8Array }[];

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @throws when a key is not 32 bytes of base64: a misconfigured deployment. */
export function keyring(masterKeys: readonly string[]): Keyring {
  return masterKeys.map((text) => {
    const key = new Uint8Array(Buffer.from(text, "base64"));
    if (key.byteLength !== 32)
      throw new Error("Environment variable MASTER_KEY: Expected base64 of 32 bytes");
    return { id: sha256(key, "hex").slice(0, 8), key };
  });
}

/**
 * Seals `plain` for one place: `row` names table, row and field, and is bound as additional data, so a
 * sealed value moved to another row does not open. Form: `<key id>.<base64 of iv, tag, ciphertext>`.
 */
export function seal(ring: Keyring, plain: string, row: string): string {
  const newest = ring[0];
  if (newest === undefined) throw new Error("Environment variable MASTER_KEY: Expected a key");
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", newest.key, iv).setAAD(Buffer.from(row));
  const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return `${newest.id}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64")}`;
}

/** @throws when the key is unknown or the value was not sealed for this place: never a user's fault. */
export function unseal(ring: Keyring, sealed: string, row: string): string {
  const dot = sealed.indexOf(".");
  const entry = ring.find(({ id }) => id === sealed.slice(0, dot));
  if (entry === undefined) throw new Error(`No key opens the sealed value of ${row}`);
  const bytes = Buffer.from(sealed.slice(dot + 1), "base64");
  const decipher = createDecipheriv("aes-256-gcm", entry.key, bytes.subarray(0, IV_BYTES))
    .setAAD(Buffer.from(row))
    .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return (
    decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, "utf8") +
    decipher.final("utf8")
  );
}
