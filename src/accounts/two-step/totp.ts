import { Secret, TOTP } from "otpauth";
import type { Millis } from "../../values/instant";

/** Time-based codes (RFC 6238) as every authenticator app knows them: SHA-1, six digits, 30 seconds. */
const CODES = { algorithm: "SHA1", digits: 6, period: 30 } as const;
/** A code of the step before or after this one is accepted too: clocks differ. */
const WINDOW = 1;
const ISSUER = "Tributary";

/** A secret in base32; `random` is 20 bytes, as RFC 4226 recommends. */
export const newSecret = (random: Uint8Array): string =>
  new Secret({ buffer: new Uint8Array(random).buffer }).base32;

/** What an authenticator app reads from a QR code: `otpauth://totp/Tributary:ada%40acme.example?…`. */
export const enrolmentUri = (secret: string, email: string): string =>
  new TOTP({ ...CODES, issuer: ISSUER, label: email, secret }).toString();

/** The time step of a code; undefined when it is none of this secret around now. */
export function stepOf(code: string, secret: string, now: Millis): number | undefined {
  const delta = TOTP.validate({
    ...CODES,
    token: code,
    secret: Secret.fromBase32(secret),
    timestamp: now,
    window: WINDOW,
  });
  return delta === null ? undefined : TOTP.counter({ ...CODES, timestamp: now }) + delta;
}
