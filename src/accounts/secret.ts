import { scryptSync } from "node:crypto";
import { sha256, equalInConstantTime } from "../values/bytes";

/** Secrets we make are 256 random bits, so a plain digest of them is as good as any slow one. */
export function hashSecret(secret: string): string {
  return sha256(secret, "base64url");
}

const SCRYPT = { N: 16_384, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** `scrypt$<salt>$<key>`, both base64; `salt` is 16 random bytes. */
export function hashPassword(password: string, salt: Uint8Array): string {
  const key = scryptSync(password.normalize("NFKC"), salt, 32, SCRYPT);
  return written(Buffer.from(salt), key);
}

const written = (salt: Buffer, key: Buffer): string =>
  `scrypt$${salt.toString("base64")}$${key.toString("base64")}`;

/** Compared with when the name is unknown, so that it takes as long as a known one. */
const NOBODY = written(Buffer.alloc(16), Buffer.alloc(32));

/** Without a hash (an unknown name) it takes as long as with one, so that its time doesn't tell which names exist. */
export function verifyPassword(password: string, hash: string = NOBODY): boolean {
  const [, salt = "", key = ""] = hash.split("$");
  const expected = Buffer.from(key, "base64");
  const actual = scryptSync(password.normalize("NFKC"), Buffer.from(salt, "base64"), 32, SCRYPT);
  return equalInConstantTime(expected, actual);
}

/** Compares two secrets without telling by time where they differ. */
export function equalSecrets(left: string, right: string): boolean {
  return equalInConstantTime(hashSecret(left), hashSecret(right));
}
