import { describe, expect, it } from "vitest";
import { enrolmentUri, newSecret, stepOf } from "../../../src/accounts/two-step/totp";
import {
  bare,
  recoveryCode,
  recoveryCodeHash,
} from "../../../src/accounts/two-step/recovery-codes";

/** RFC 6238, appendix B: the secret of its SHA-1 examples, whose last six digits are ours. */
const SECRET = newSecret(new TextEncoder().encode("12345678901234567890"));

describe("a code of an authenticator app", () => {
  it.each([
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
    [20_000_000_000, "353130"],
  ])("at %i s is %s (RFC 6238)", (seconds, code) => {
    expect(stepOf(code, SECRET, seconds * 1000)).toBe(Math.floor(seconds / 30));
  });

  it.each([
    [-2, undefined],
    [-1, 41_152_263],
    [0, 41_152_263],
    [1, 41_152_263],
    [2, undefined],
  ])("is its step's own when the clock is %i steps off, or not accepted", (off, step) => {
    const now = (1_234_567_890 + off * 30) * 1000;
    expect(stepOf("005924", SECRET, now)).toBe(step);
  });

  it.each(["", "5924", "0005924", "abcdef", "005924 ", "００５９２４"])("is not '%s'", (code) => {
    expect(stepOf(code, SECRET, 1_234_567_890_000)).toBeUndefined();
  });

  it("comes from what a QR code tells the app", () => {
    expect(enrolmentUri(SECRET, "ada+x@acme.example")).toBe(
      `otpauth://totp/Tributary:ada%2Bx%40acme.example?issuer=Tributary&secret=${SECRET}&algorithm=SHA1&digits=6&period=30`,
    );
  });
});

describe("a recovery code", () => {
  const code = recoveryCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 250]));

  it("is four groups of letters and digits", () => {
    expect(code).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
  });

  it("is the same however it is typed, and each member's own", () => {
    const hash = recoveryCodeHash(1, code);
    for (const typed of [code.toUpperCase(), bare(code), ` ${code.replaceAll("-", " ")} `])
      expect(recoveryCodeHash(1, typed)).toBe(hash);
    expect(recoveryCodeHash(2, code)).not.toBe(hash);
  });
});
